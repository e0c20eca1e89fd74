import Admission
import Base
import Linux
import Loader

/// What `ps` has to say where the kernel lists no programs for this process: those whose pins may be read, what the log says was
/// loaded, and what could not be seen. It is never all, so the run fails.
struct VisiblePrograms {
  private let refusal: SystemError
  private let pins: VisiblePins
  private let rows: [ProgramRow]
  /// Loads on record whose programs were not seen; nil where the log cannot be read.
  private let recorded: RecordedLoads?
  private let recordedOnly: [RecordedLoads.Program]
  private let auditDirectory: String
  private let logProblem: Diagnostic?

  init(_ auditDirectory: String, refusal: SystemError) {
    self.refusal = refusal
    self.auditDirectory = auditDirectory
    pins = VisiblePins.look()
    let seen = pins.programs
    var (trail, loads): (AuditTrail?, RecordedLoads?) = (nil, nil)
    do throws(AuditReadError) {
      trail = try AuditTrail.read(directory: auditDirectory, about: seen.map { AuditTrail.Program($0.info) })
      loads = try RecordedLoads.read(directory: auditDirectory)
      logProblem = nil
    } catch {
      (trail, loads) = (nil, nil)
      logProblem = error.diagnostic
    }
    if let trail { PsCommand.warn(of: trail) }
    rows = seen.map { program in
      ProgramRow(
        program.info, standing: trail?.standing(of: AuditTrail.Program(program.info)), pins: program.pins)
    }
    recorded = loads
    let ids = Set(seen.map(\.info.id))
    recordedOnly = loads?.programs.filter { !ids.contains($0.id) } ?? []
  }

  /// Prints it. Returns the exit code of a run that could not say all.
  func show(json: Bool) throws -> Int32 {
    let diagnostic = diagnostic
    if json {
      try Output.json([
        "schema": .string(PsCommand.schema), "programs": .array(rows.map(\.json)),
        "recorded": .array(
          recordedOnly.map {
            [
              "id": .integer(Int64($0.id)), "name": .string($0.name), "tag": .string($0.tag), "time": .string($0.time),
            ]
          }),
        "error": diagnostic.json,
      ])
    } else {
      for row in rows { try Output.line(row.line) }
      for program in recordedOnly {
        try Output.line(
          "\(program.id)  recorded  \(program.name)  tag \(program.tag)  \(program.time)  NOT SEEN: loaded then, by the log; "
            + "whether it is still loaded cannot be seen")
      }
    }
    Output.report(diagnostic)
    return diagnostic.category.rawValue
  }

  private var diagnostic: Diagnostic {
    Diagnostic(
      "ps.permission", .incomplete,
      "the kernel does not show this process which programs are loaded; this is not all of them",
      expected: "CAP_SYS_ADMIN (bpf(2), BPF_PROG_GET_NEXT_ID)", found: "\(refusal.errnoName); \(seenPins); \(seenLog)",
      why: "no program without a pin that this user may read is listed",
      next: "run as root",
      details: unseen)
  }

  private var seenPins: String {
    let count = pins.programs.count
    guard !pins.places.isEmpty else { return "no BPF file system is mounted here" }
    return count == 0
      ? "no program's pin can be read" : "\(count) program\(count == 1 ? "" : "s") by pins that this user may read"
  }

  private var seenLog: String {
    guard let recorded else { return logProblem?.message ?? "" }
    let count = recorded.programs.count + recorded.omitted
    return
      "the log in `\(auditDirectory)` says that \(count) program\(count == 1 ? " was" : "s were") loaded since the machine was started"
  }

  /// What was not looked at.
  private var unseen: [String] {
    var lines = pins.hidden.map { "not readable: \($0)" }
    if pins.hiddenCount > pins.hidden.count {
      lines.append("not readable: \(pins.hiddenCount - pins.hidden.count) more")
    }
    if pins.isCut { lines.append("not looked at: further pins, which are more than this command goes through") }
    if let omitted = recorded?.omitted, omitted > 0 { lines.append("not listed: \(omitted) older loads of the log") }
    if let found = logProblem?.found { lines.append("the log: \(found)") }
    return lines
  }
}

import Admission
import Base
import KernelABI
import Linux
import Loader

/// `verity-bpf ps`: every program the kernel has loaded, and whether the audit records vouch for it.
struct PsCommand: Command {
  static let declaration = Declaration(
    "List the loaded programs of this host, and which of them went through this tool.",
    discussion: """
      A program is vouched for when an audit record of this start of the machine has its id, its tag (the kernel's hash \
      over its instructions) and the moment it was loaded. UNKNOWN: no such record has its id; where it is held by a pin of \
      a load that has crashed, that is said, and how the pin is removed. OTHER TAG: its \
      instructions are not those that were admitted under this id. OTHER LOAD: it was loaded at another moment.

      The kernel lists its programs for CAP_SYS_ADMIN alone. Without it the command lists those whose pins this user may read, \
      and what the audit log says was loaded where it may be read; it says what it could not see, and the exit code is 1.
      """,
    examples: ["verity-bpf ps --json"], options: [CommonOptions.auditDirectory, CommonOptions.json])
  static let schema = "verity-bpf/ps/1"

  let auditDir: String?
  let json: Bool

  init(_ words: Words) throws(UsageError) {
    auditDir = try words[CommonOptions.auditDirectory]
    json = try words[CommonOptions.json]
  }

  var wantsJSON: Bool { json }

  func execute() throws -> Int32 {
    let directory = try auditDir ?? Site.auditDirectory(nil)
    let programs: [BPF.ProgramInfo]
    do throws(SystemError) {
      programs = try LoadedPrograms.list()
    } catch {
      guard error.code == .eperm else { throw error }
      return try VisiblePrograms(directory, refusal: error).show(json: json)
    }
    let trail = try AuditTrail.read(directory: directory, about: programs.map { AuditTrail.Program($0) })
    Self.warn(of: trail)
    let left = LeftPrograms(trail, CrashedRun.list(directory: directory))
    let rows = programs.map {
      ProgramRow($0, standing: trail.standing(of: AuditTrail.Program($0)), left: left.holding($0.id))
    }
    if json {
      try Output.json(["schema": .string(Self.schema), "programs": .array(rows.map(\.json))])
    } else {
      for row in rows { try Output.line(row.line) }
    }
    left.warn()
    return 0
  }

  /// Tells what of the log could not be understood.
  static func warn(of trail: AuditTrail) {
    if trail.unreadableLines > 0 {
      Output.warning("audit.unreadable-lines", "\(trail.unreadableLines) lines of the audit log are no records")
    }
    if !trail.unknownKinds.isEmpty {
      let kinds = trail.unknownKinds.sorted { $0.key < $1.key }.map { "\($0.value) of kind `\($0.key)`" }
      Output.warning(
        "audit.unknown-kinds",
        "the audit log has records that this version does not know: \(kinds.joined(separator: ", "))")
    }
  }
}

/// What loads have left that crashed, as the log and the kernel's pins say.
private struct LeftPrograms {
  /// The pins of each program, and the run that made them.
  private var pins: [UInt32: (run: String, pins: [String])] = [:]
  private let unclosed: [CrashedRun]

  init(_ trail: AuditTrail, _ unclosed: [CrashedRun]) {
    self.unclosed = unclosed
    let open = unclosed.flatMap { run in run.pins.map { (pin: $0, run: run.name) } }
    for (pin, run) in open + trail.leftPins.sorted(by: { $0.key < $1.key }).map({ (pin: $0.key, run: $0.value) }) {
      guard let object = try? BPF.pinned(at: pin, readOnly: true), (try? BPF.isProgram(object)) == true,
        let id = try? BPF.programInfo(object).id
      else { continue }
      if pins[id]?.pins.contains(pin) != true { pins[id, default: (run, [])].pins.append(pin) }
    }
  }

  func holding(_ id: UInt32) -> ProgramRow.Left? { pins[id].map { ProgramRow.Left(run: $0.run, pins: $0.pins) } }

  /// Tells of the runs that no record has closed yet.
  func warn() { Output.warn(of: unclosed) }
}

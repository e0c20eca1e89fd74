import Admission
import Loader
import KernelABI
import Base
import Linux

/// `verity-bpf ps`: every program the kernel has loaded, and whether the audit records vouch for it.
struct PsCommand: Command {
  static let declaration = Declaration(
    "List the loaded programs of this host, and which of them went through this tool.",
    discussion: """
      A program is vouched for when an audit record of this start of the machine has its id, its tag (the kernel's hash \
      over its instructions) and the moment it was loaded. UNKNOWN: no such record has its id. OTHER TAG: its \
      instructions are not those that were admitted under this id. OTHER LOAD: it was loaded at another moment.
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
    let programs = try Self.loadedPrograms(directory)
    let trail = try AuditTrail.read(directory: directory, about: programs.map { AuditTrail.Program($0) })
    if trail.unreadableLines > 0 {
      Output.warning("audit.unreadable-lines", "\(trail.unreadableLines) lines of the audit log are no records")
    }
    if !trail.unknownKinds.isEmpty {
      let kinds = trail.unknownKinds.sorted { $0.key < $1.key }.map { "\($0.value) of kind `\($0.key)`" }
      Output.warning(
        "audit.unknown-kinds",
        "the audit log has records that this version does not know: \(kinds.joined(separator: ", "))")
    }
    if json {
      try Output.json([
        "schema": .string(Self.schema),
        "programs": .array(programs.map { Self.json($0, Self.standing($0, trail)) }),
      ])
    } else {
      for program in programs { try Output.line(Self.line(program, Self.standing(program, trail))) }
    }
    return 0
  }

  private static func loadedPrograms(_ auditDirectory: String) throws -> [BPF.ProgramInfo] {
    do throws(SystemError) {
      return try LoadedPrograms.list()
    } catch {
      guard error.code == .eperm else { throw error }
      // The other half of the question, so that it is known what privilege is missing.
      let log: String
      do throws(AuditReadError) {
        _ = try AuditTrail.read(directory: auditDirectory, about: [])
        log = "the audit log in `\(auditDirectory)` can be listed, and says what was loaded"
      } catch {
        log = error.diagnostic.message
      }
      throw DiagnosedFailure(
        Diagnostic(
          "ps.permission", .incomplete, "the kernel does not show this process which programs are loaded",
          expected: "CAP_SYS_ADMIN (bpf(2), BPF_PROG_GET_NEXT_ID)", found: "\(error.errnoName); \(log)",
          why: "a list that leaves programs out would say that there are none", next: "run as root"))
    }
  }

  private static func standing(_ program: BPF.ProgramInfo, _ trail: AuditTrail) -> AuditTrail.Standing {
    trail.standing(of: AuditTrail.Program(program))
  }

  private static func loaded(_ program: BPF.ProgramInfo) -> String { Timestamp.sinceBoot(program.loadTime).rfc3339 }

  private static func line(_ program: BPF.ProgramInfo, _ standing: AuditTrail.Standing) -> String {
    let name = program.name.isEmpty ? "-" : program.name
    let what =
      "\(program.id)  \(TypeNames.program(program.type))  \(name)  tag \(Hex.encode(program.tag))  \(loaded(program))  "
    switch standing {
    case .vouched(let record):
      return what + "vouched: \(record.path ?? record.object ?? "?"), root hash \(record.rootHash ?? "none")"
    case .otherTag(let record): return what + "OTHER TAG: admitted with \(record.tag)"
    case .otherLoad(let record): return what + "OTHER LOAD: the record of this id is of another load, \(record.time)"
    case .unknown: return what + "UNKNOWN"
    }
  }

  private static func json(_ program: BPF.ProgramInfo, _ standing: AuditTrail.Standing) -> JSONValue {
    var members: [JSONValue.Member] = [
      .init("id", .integer(Int64(program.id))), .init("type", .string(TypeNames.program(program.type))),
      .init("name", .string(program.name)), .init("tag", .string(Hex.encode(program.tag))),
      .init("loaded", .string(loaded(program))), .init("uid", .integer(Int64(program.owner))),
    ]
    switch standing {
    case .vouched(let record): members += [.init("standing", "vouched"), .init("record", json(record))]
    case .otherTag(let record): members += [.init("standing", "other_tag"), .init("record", json(record))]
    case .otherLoad(let record): members += [.init("standing", "other_load"), .init("record", json(record))]
    case .unknown: members.append(.init("standing", "unknown"))
    }
    return .object(members)
  }

  private static func json(_ record: AuditTrail.Record) -> JSONValue {
    [
      "time": .string(record.time), "load_time": record.loadTime.map { .unsigned($0) } ?? .null,
      "tag": .string(record.tag), "root_hash": .optional(record.rootHash),
      "object": .optional(record.object), "path_in_image": .optional(record.path), "rule": .optional(record.rule),
    ]
  }
}

extension AuditTrail.Program {
  fileprivate init(_ info: BPF.ProgramInfo) { self.init(id: info.id, tag: info.tag, loadTime: info.loadTime) }
}

import Admission
import Base
import KernelABI
import Linux
import Loader

/// A program that is loaded, as `ps` shows it.
struct ProgramRow {
  /// A load has left it that crashed.
  struct Left {
    /// The run, or the event of the load.
    let run: String
    let pins: [String]

    /// The directory that `unload` takes: DIR of DIR/prog/NAME.
    var directory: String? {
      pins.first.map { $0.split(separator: "/").dropLast(2).map { "/\($0)" }.joined() }
    }
  }

  private let info: BPF.ProgramInfo
  /// Nil where the log could not be read: then nobody can tell.
  private let standing: AuditTrail.Standing?
  private let left: Left?
  /// Pins by which it was found.
  private let pins: [String]

  init(_ info: BPF.ProgramInfo, standing: AuditTrail.Standing?, left: Left? = nil, pins: [String] = []) {
    self.info = info
    self.standing = standing
    self.left = left
    self.pins = pins
  }

  private var loaded: String { Timestamp.sinceBoot(info.loadTime).rfc3339 }

  /// One line for people.
  var line: String {
    let name = info.name.isEmpty ? "-" : info.name
    let what = "\(info.id)  \(TypeNames.program(info.type))  \(name)  tag \(Hex.encode(info.tag))  \(loaded)  "
    let place = pins.isEmpty ? "" : ", pinned at \(pins.joined(separator: ", "))"
    switch standing {
    case .vouched(let record)?:
      return what + "vouched: \(record.path ?? record.object ?? "?"), root hash \(record.rootHash ?? "none")"
        + (record.shadowDecision == "deny" ? ", SHADOW POLICY DENIES" : "") + place
    case .otherTag(let record)?: return what + "OTHER TAG: admitted with \(record.tag)" + place
    case .otherLoad(let record)?:
      return what + "OTHER LOAD: the record of this id is of another load, \(record.time)" + place
    case .unknown?:
      guard let left else { return what + "UNKNOWN" + place }
      let removal = left.directory.map { ": verity-bpf unload --pin-path \($0)" } ?? ""
      return what
        + "UNKNOWN: left by a load that crashed (\(left.run)), pinned at \(left.pins.joined(separator: ", "))\(removal)"
    case nil: return what + "NOT COMPARED: the log cannot be read" + place
    }
  }

  var json: JSONValue {
    var members: [JSONValue.Member] = [
      .init("id", .integer(Int64(info.id))), .init("type", .string(TypeNames.program(info.type))),
      .init("name", .string(info.name)), .init("tag", .string(Hex.encode(info.tag))),
      .init("loaded", .string(loaded)), .init("uid", .integer(Int64(info.owner))),
    ]
    switch standing {
    case .vouched(let record)?: members += [.init("standing", "vouched"), .init("record", Self.json(record))]
    case .otherTag(let record)?: members += [.init("standing", "other_tag"), .init("record", Self.json(record))]
    case .otherLoad(let record)?: members += [.init("standing", "other_load"), .init("record", Self.json(record))]
    case .unknown?:
      members.append(.init("standing", "unknown"))
      if let left {
        members.append(
          .init(
            "crashed_load", ["run": .string(left.run), "pins": .array(left.pins.map { .string($0) })]))
      }
    case nil: members.append(.init("standing", "not_compared"))
    }
    if !pins.isEmpty { members.append(.init("pins", .array(pins.map { .string($0) }))) }
    return .object(members)
  }

  private static func json(_ record: AuditTrail.Record) -> JSONValue {
    var members: [JSONValue.Member] = [
      .init("time", .string(record.time)), .init("load_time", record.loadTime.map { .unsigned($0) } ?? .null),
      .init("tag", .string(record.tag)), .init("root_hash", .optional(record.rootHash)),
      .init("object", .optional(record.object)), .init("path_in_image", .optional(record.path)),
      .init("rule", .optional(record.rule)),
    ]
    if let shadow = record.shadowDecision { members.append(.init("shadow_decision", .string(shadow))) }
    return .object(members)
  }
}

extension AuditTrail.Program {
  init(_ info: BPF.ProgramInfo) { self.init(id: info.id, tag: info.tag, loadTime: info.loadTime) }
}

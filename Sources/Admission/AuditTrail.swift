internal import ByteKit
internal import JSONText
public import LinuxSys

/// What the audit records of this tool say of the programs it loaded.
///
/// The records are `audit.jsonl`: a decision with the object and its root hash, and an outcome with the programs' ids
/// and tags, tied together by their event.
public struct AuditTrail: Sendable {
  /// One program as it was recorded when it was loaded.
  public struct Record: Equatable, Sendable {
    /// When the outcome was recorded, RFC 3339.
    public let time: String
    /// The tag the kernel gave the program, in hexadecimal digits.
    public let tag: String
    /// `alg:hex` of the image's root hash; nil when the object came from no image.
    public let rootHash: String?
    /// `alg:hex` of the object.
    public let object: String?
    /// The object's path in its image.
    public let path: String?
    /// The requester's decision rule.
    public let rule: String?
  }

  /// How a loaded program stands against the records.
  public enum Standing: Equatable, Sendable {
    /// A record has this id and this tag.
    case vouched(Record)
    /// A record has this id, but another tag: other instructions than those that were admitted.
    case otherTag(Record)
    /// No record has this id.
    case unknown
  }

  /// The newest record of each id, because the kernel counts ids anew after each start.
  private var records: [UInt32: Record] = [:]
  /// Lines that are no records, a cut last line for example.
  public private(set) var unreadableLines = 0

  /// Reads the records in a directory; a directory without records vouches for nothing.
  ///
  /// - Throws: `SystemError` when the records exist and cannot be read.
  public static func read(directory: String) throws(SystemError) -> AuditTrail {
    let file: OwnedFD
    do throws(SystemError) {
      file = try OwnedFD.open("\(directory)/audit.jsonl", [.readOnly, .noFollow])
    } catch  where error.errnoName == "ENOENT" {
      return AuditTrail(lines: [])
    }
    guard let bytes = try file.readToEnd(limit: 1 << 30) else {
      throw SystemError("read", path: "\(directory)/audit.jsonl", errno: 27)
    }
    return AuditTrail(lines: bytes)
  }

  /// Reads the text of `audit.jsonl`.
  public init(lines: [UInt8]) {
    var decisions: [String: JSONValue] = [:]
    for line in lines.split(separator: 0x0a) {
      guard let record = try? JSONValue.parse(Array(line)), case .string(let event)? = record["event"] else {
        unreadableLines += 1
        continue
      }
      switch record["stage"] {
      case "decision": decisions[event] = record
      case "outcome": note(outcome: record, of: decisions[event])
      default: unreadableLines += 1
      }
    }
  }

  private mutating func note(outcome record: JSONValue, of decision: JSONValue?) {
    // Only what was allowed and loaded vouches for anything.
    guard decision?["decision"] == "allow", record["outcome"]?["result"] == "loaded",
      case .array(let programs)? = record["outcome"]?["programs"]
    else { return }
    for program in programs {
      guard case .integer(let number)? = program["id"], let id = UInt32(exactly: number),
        let tag = program["tag"]?.text
      else { continue }
      records[id] = Record(
        time: record["time"]?.text ?? "", tag: tag, rootHash: decision?["root_hash"]?.text,
        object: decision?["object"]?.text, path: decision?["path_in_image"]?.text, rule: decision?["rule"]?.text)
    }
  }

  /// How a program that is loaded now stands against the records.
  ///
  /// - Parameter tag: the eight bytes the kernel gives today.
  public func standing(id: UInt32, tag: [UInt8]) -> Standing {
    guard let record = records[id] else { return .unknown }
    return record.tag == Hex.encode(tag) ? .vouched(record) : .otherTag(record)
  }
}

extension JSONValue {
  fileprivate var text: String? {
    guard case .string(let text) = self else { return nil }
    return text
  }
}

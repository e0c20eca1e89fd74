internal import KernelABI
internal import Base
public import Linux

/// What the audit records of this tool say of the programs it loaded.
///
/// The records are `audit.jsonl`: a decision with the object and its root hash, and an outcome with the programs' ids
/// and tags, tied together by their event.
public struct AuditTrail: Sendable {
  /// One program as it was recorded when it was loaded.
  public struct Record: Equatable, Sendable {
    /// When the outcome was recorded, RFC 3339.
    public let time: String
    /// When the kernel loaded the program, nanoseconds since boot; nil in records that do not say.
    public let loadTime: UInt64?
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
    /// A record has this id, this tag and this time of loading.
    case vouched(Record)
    /// A record has this id, but another tag: other instructions than those that were admitted.
    case otherTag(Record)
    /// A record has this id and this tag, and is of another load: the program was loaded at another time.
    case otherLoad(Record)
    /// No record of this start of the machine has this id.
    case unknown
  }

  /// The newest record of each id.
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
    } catch  where error.code == .enoent {
      return AuditTrail(lines: [], bootID: nil)
    }
    guard let bytes = try file.readToEnd(limit: 1 << 30) else {
      throw SystemError("read", path: "\(directory)/audit.jsonl", errno: 27)
    }
    return AuditTrail(lines: bytes, bootID: KernelSettings.bootID())
  }

  /// Reads the text of `audit.jsonl`.
  ///
  /// - Parameter bootID: this start of the machine. The kernel counts ids anew after each, so records of another start,
  ///   and those that do not say of which they are, vouch for nothing.
  public init(lines: [UInt8], bootID: String?) {
    var decisions: [String: JSONValue] = [:]
    for line in lines.split(separator: 0x0a) {
      guard let record = try? JSONValue.parse(Array(line)), case .string(let event)? = record["event"] else {
        unreadableLines += 1
        continue
      }
      switch record["stage"] {
      case "decision": decisions[event] = record
      case "outcome": note(outcome: record, of: decisions[event], bootID: bootID)
      default: unreadableLines += 1
      }
    }
  }

  private mutating func note(outcome record: JSONValue, of decision: JSONValue?, bootID: String?) {
    // Only what was allowed and loaded, since the machine was started, vouches for anything.
    guard decision?["decision"] == "allow", record["outcome"]?["result"] == "loaded",
      let bootID, record["outcome"]?["boot_id"]?.text == bootID,
      case .array(let programs)? = record["outcome"]?["programs"]
    else { return }
    for program in programs {
      guard case .integer(let number)? = program["id"], let id = UInt32(exactly: number),
        let tag = program["tag"]?.text
      else { continue }
      records[id] = Record(
        time: record["time"]?.text ?? "", loadTime: program["load_time"]?.number, tag: tag,
        rootHash: decision?["root_hash"]?.text,
        object: decision?["object"]?.text, path: decision?["path_in_image"]?.text, rule: decision?["rule"]?.text)
    }
  }

  /// How a program that is loaded now stands against the records.
  ///
  /// - Parameters:
  ///   - tag: the eight bytes the kernel gives today.
  ///   - loadTime: when the kernel says that it was loaded, nanoseconds since boot.
  public func standing(id: UInt32, tag: [UInt8], loadTime: UInt64) -> Standing {
    guard let record = records[id] else { return .unknown }
    guard record.tag == Hex.encode(tag) else { return .otherTag(record) }
    return record.loadTime == loadTime ? .vouched(record) : .otherLoad(record)
  }
}

extension JSONValue {
  fileprivate var text: String? {
    guard case .string(let text) = self else { return nil }
    return text
  }

  fileprivate var number: UInt64? {
    guard case .integer(let number) = self else { return nil }
    return UInt64(exactly: number)
  }
}

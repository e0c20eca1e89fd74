internal import Base
internal import Linux

/// What the audit records of this tool say of the programs it loaded.
///
/// The records are `audit.jsonl`: a decision with the object and its root hash, and an outcome with the programs' ids
/// and tags, tied together by their event.
public struct AuditTrail: Sendable {
  /// One program as the kernel has it now.
  public struct Program: Equatable, Sendable {
    /// The number that the kernel gave it.
    public let id: UInt32
    /// The eight bytes that the kernel gives today.
    public let tag: [UInt8]
    /// When the kernel says that it was loaded, nanoseconds since boot.
    public let loadTime: UInt64

    public init(id: UInt32, tag: [UInt8], loadTime: UInt64) {
      self.id = id
      self.tag = tag
      self.loadTime = loadTime
    }
  }

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
    /// What the shadow policy would have decided: `allow`, `deny` or `unusable`; nil where there was none.
    public let shadowDecision: String?
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
  private let records: [UInt32: Record]
  /// Pins that loads left which crashed, by the record that says so; each with the event of its load. They may be gone since.
  public let leftPins: [String: String]
  /// Lines that are no records, a cut last line for example, among those that were read.
  public let unreadableLines: Int
  /// Kinds of records that are not known here, with their numbers, among those that were read: of a newer version of this
  /// program, perhaps.
  public let unknownKinds: [String: Int]

  /// Looks in the log of a directory for what it says of programs that are loaded. The log may have been rotated, and its
  /// earlier files compressed.
  ///
  /// - Parameter programs: listed before, so that each of them was recorded before it was listed, or is being recorded.
  /// - Throws: ``AuditReadError``, also when there is no log: that nothing was recorded is something else than that nobody can
  ///   tell.
  public static func read(
    directory: String, about programs: [Program]
  ) throws(AuditReadError) -> AuditTrail {
    guard let bootID = KernelSettings.bootID() else { throw .noBootID }
    return AuditTrail(try TrailSearch(bootID: bootID, programs: programs).searching(directory))
  }

  private init(_ search: TrailSearch) {
    records = search.records
    leftPins = search.leftPins
    unreadableLines = search.unreadableLines
    unknownKinds = search.unknownKinds
  }

  /// How one of the programs that were asked about stands against the records.
  public func standing(of program: Program) -> Standing {
    guard let record = records[program.id] else { return .unknown }
    guard record.tag == Hex.encode(program.tag) else { return .otherTag(record) }
    return record.loadTime == program.loadTime ? .vouched(record) : .otherLoad(record)
  }
}

internal import Base
public import Policy

/// The narrowest rules that would have allowed what logs say was denied.
///
/// A rule is suggested only for what has an identity that a rule can name: the root hash of its volume, its fs-verity digest,
/// or a checked signature. What has none is listed with the reason. Nothing here is a judgement that it should be allowed.
public struct PolicySuggestion: Sendable {
  /// Where in the logs a denial stands.
  public struct Place: Sendable, Equatable {
    public let log: String
    public let line: Int
    public let origin: RecordOrigin

    public init(log: String, line: Int, origin: RecordOrigin) {
      self.log = log
      self.line = line
      self.origin = origin
    }

    /// `2026-11-22T16:46:52.941Z (event 14)`, as far as the form says it, otherwise the line.
    public var text: String {
      let event = origin.event.map { "event \($0)" } ?? "\(log):\(line)"
      return origin.time.map { "\($0) (\(event))" } ?? event
    }
  }

  /// Denials that are alike.
  public struct Denials: Sendable {
    public private(set) var count = 0
    public let first: Place
    public private(set) var last: Place
    /// The first few files or objects, and how many others there are at least.
    public private(set) var files: [String] = []
    public private(set) var hasMoreFiles = false

    private static let fileLimit = 4

    init(_ place: Place) { (first, last) = (place, place) }

    mutating func add(_ place: Place, _ file: String) {
      count += 1
      last = place
      guard !files.contains(file) else { return }
      if files.count < Self.fileLimit { files.append(file) } else { hasMoreFiles = true }
    }

    /// One line without its `#`.
    var comment: String {
      let time = count == 1 ? first.text : "\(first.text) to \(last.text)"
      let names = files.joined(separator: ", ") + (hasMoreFiles ? " and others" : "")
      return "\(count) denial\(count == 1 ? "" : "s"), \(time): \(names)"
    }
  }

  /// A rule that allows denials.
  public struct Rule: Sendable {
    public let operation: Operation
    /// Without `action=ALLOW`.
    let conditions: [String]
    /// Types of programs that the denials are about; empty where that is not known.
    private(set) var programTypes: Set<String>
    public fileprivate(set) var denials: Denials
    /// The rules that denied.
    public private(set) var deniedBy: [String] = []
    /// What was denied, each kind once; with more than these, a rule has to stand before all that deny.
    private(set) var samples: [Facts] = []
    private(set) var hasMoreSamples = false

    private static let sampleLimit = 64

    init(_ operation: Operation, _ conditions: [String], _ types: Set<String>, _ place: Place) {
      (self.operation, self.conditions, programTypes) = (operation, conditions, types)
      denials = Denials(place)
    }

    mutating func add(_ facts: Facts, _ types: Set<String>, deniedBy rule: String) {
      programTypes.formUnion(types)
      if !deniedBy.contains(rule), deniedBy.count < 4 { deniedBy.append(rule) }
      guard !samples.contains(facts) else { return }
      if samples.count < Self.sampleLimit { samples.append(facts) } else { hasMoreSamples = true }
    }

    /// The rule as policies write it.
    public var text: String {
      let types = programTypes.isEmpty ? [] : ["x_prog_type=\(programTypes.sorted().joined(separator: ","))"]
      return (["op=\(operation.rawValue)"] + conditions + types + ["action=ALLOW"]).joined(separator: " ")
    }
  }

  /// Denials that no rule is suggested for.
  public struct Omission: Sendable {
    public let operation: String
    public let reason: String
    public fileprivate(set) var denials: Denials
  }

  private struct RuleKey: Hashable {
    let operation: Operation
    let conditions: [String]
  }

  private struct OmissionKey: Hashable {
    let operation: String
    let reason: String
  }

  private let base: CompiledPolicy?
  private var rules: [RuleKey: Rule] = [:]
  private var order: [RuleKey] = []
  private var omissions: [OmissionKey: Omission] = [:]
  private var omissionOrder: [OmissionKey] = []
  /// Denials that the policy allows already.
  public private(set) var alreadyAllowed = 0
  public private(set) var denied = 0

  /// - Parameter base: the policy that is to get the rules; nil for a new one.
  public init(base: CompiledPolicy? = nil) { self.base = base }

  public var ruleList: [Rule] { order.compactMap { rules[$0] } }
  public var omissionList: [Omission] { omissionOrder.compactMap { omissions[$0] } }

  /// Takes a record: what is no denial counts for nothing.
  public mutating func add(_ record: LoggedRecord, at place: Place) {
    switch record {
    case .text(.access(let record)): add(record, place)
    case .text(.refusal(let refusal)):
      denied += 1
      omit(
        refusal.access.operation, "refused before a policy decided (\(refusal.code)): no rule changes that", place,
        Self.name(of: refusal.access))
    case .own(let value): add(value, place)
    case .text(.activation), .text(.load), .text(.status), .text(.signers), .text(.revocations), .text(.attempt),
      .withoutDecision:
      return
    }
  }

  // MARK: - Records of the kernel

  private static func name(of record: AccessRecord) -> String {
    guard let file = record.file else { return "memory without a file" }
    return file.path.map { String(decoding: $0, as: UTF8.self) } ?? "a file without a name"
  }

  private mutating func add(_ record: AccessRecord, _ place: Place) {
    guard let statement = Replay.statement(record.rule), statement.action == .deny else { return }
    denied += 1
    let name = Self.name(of: record)
    guard let operation = Operation(rawValue: record.operation), let facts = Replay.facts(of: record) else {
      return omit(record.operation, "no rule can name this operation", place, name)
    }
    if let base, base.decide(facts).action == .allow {
      alreadyAllowed += 1
      return
    }
    guard record.file != nil else {
      return omit(record.operation, "memory that no file is behind has no identity", place, name)
    }
    if operation == .bpfProgLoad {
      return omit(
        record.operation, "the text form of a record does not say what the object is: audit.jsonl does", place, name)
    }
    guard let digest = Self.digest(of: facts) else {
      return omit(
        record.operation,
        "the record names no root hash and no fs-verity digest, and a path is no identity: put the file on a dm-verity "
          + "volume or give it fs-verity, and allow that digest", place, name)
    }
    add(RuleKey(operation: operation, conditions: [digest]), facts, [], statement.canonicalText, place, name)
  }

  private static func digest(of facts: Facts) -> String? {
    for (name, digest) in [("dmverity_roothash", facts.dmverityRoothash), ("fsverity_digest", facts.fsverityDigest)] {
      if let digest, isStrong(digest) { return "\(name)=\(digest)" }
    }
    return nil
  }

  /// Whether two things with the digest are the same thing.
  private static func isStrong(_ digest: DigestLiteral) -> Bool {
    let name = String(decoding: digest.algorithm, as: UTF8.self)
    return DigestLiteral.size(of: digest.algorithm) == digest.bytes.count && name != "sha1" && name != "rmd160"
  }

  // MARK: - Records of this program

  private mutating func add(_ record: JSONValue, _ place: Place) {
    func text(_ name: String) -> String? { if case .string(let text)? = record[name] { text } else { nil } }
    let operation = text("op") ?? Operation.bpfProgLoad.rawValue
    let name = text("path_in_image") ?? text("file") ?? text("object") ?? "an object without a name"
    switch StatedStage(of: record) {
    case .known(.decision): break
    case .known(.outcome):
      guard record["outcome"]?["result"] == "refused" else { return }
      denied += 1
      var code = "no code"
      if case .string(let stated)? = record["outcome"]?["code"] { code = stated }
      return omit(operation, "refused before a policy decided (\(code)): no rule changes that", place, name)
    case .known(.attempt), .known(.gate), .unknown, .missing: return
    }
    guard text("decision") == "deny" else { return }
    denied += 1
    guard let programs = Replay.facts(of: record) else {
      return omit(operation, "the record holds no facts", place, name)
    }
    if let base, programs.allSatisfy({ base.decide($0).action == .allow }) {
      alreadyAllowed += 1
      return
    }
    var found: [(RuleKey, Facts)] = []
    for facts in programs {
      do throws(NoIdentity) {
        found.append((try Self.identity(of: facts), facts))
      } catch {
        return omit(operation, error.reason, place, name)
      }
    }
    let rule = text("rule") ?? ""
    var counted: Set<RuleKey> = []
    for (key, facts) in found {
      let isNew = counted.insert(key).inserted
      add(key, facts, Set(facts.programTypes ?? []), rule, isNew ? place : nil, name)
    }
  }

  private struct NoIdentity: Error {
    let reason: String
  }

  /// What a rule has to name so that it is about this object and nothing else.
  private static func identity(of facts: Facts) throws(NoIdentity) -> RuleKey {
    guard let operation = facts.operation else { throw NoIdentity(reason: "no rule can name this operation") }
    guard facts.doubts.isEmpty else {
      let doubts = facts.doubts.map { $0.rawValue }.joined(separator: ", ")
      throw NoIdentity(reason: "the volume is in doubt (\(doubts)): no rule allows by what it says")
    }
    guard facts.witnesses != .kernel else {
      throw NoIdentity(
        reason:
          "the kernel alone vouches for the bytes: a rule with x_witness=KERNEL would have to say that this is enough")
    }
    var conditions: [String] = []
    if let digest = digest(of: facts) {
      conditions.append(digest)
    } else if let signer = facts.signers.first,
      facts.bpfSignature == .ok || facts.bpfSignature == .verified
        || facts.bpfSignature == .metadataVerified
    {
      conditions.append("x_signer=\(signer)")
    } else {
      let object = facts.object.map { ", x_object=\($0)" } ?? ""
      throw NoIdentity(
        reason:
          "nothing vouches for the bytes: no dm-verity root hash, no fs-verity digest, no signature that was checked"
          + "\(object): pack the object into an image, or sign it")
    }
    if let object = facts.object { conditions.append("x_object=\(object)") }
    if let isConfigured = facts.isConfigured { conditions.append("x_configured=\(isConfigured ? "TRUE" : "FALSE")") }
    return RuleKey(operation: operation, conditions: conditions)
  }

  private mutating func add(
    _ key: RuleKey, _ facts: Facts, _ types: Set<String>, _ deniedBy: String, _ place: Place?, _ name: String
  ) {
    if rules[key] == nil, let place {
      order.append(key)
      rules[key] = Rule(key.operation, key.conditions, types, place)
    }
    rules[key]?.add(facts, types, deniedBy: deniedBy)
    if let place { rules[key]?.denials.add(place, name) }
  }

  /// Denials are listed by their reason, each with its first few files.
  private mutating func omit(_ operation: String, _ reason: String, _ place: Place, _ name: String) {
    let key = OmissionKey(operation: operation, reason: reason)
    if omissions[key] == nil {
      omissionOrder.append(key)
      omissions[key] = Omission(operation: operation, reason: reason, denials: Denials(place))
    }
    omissions[key]?.denials.add(place, name)
  }
}

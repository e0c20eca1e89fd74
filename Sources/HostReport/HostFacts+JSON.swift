internal import KernelABI
public import Base

/// Facts of a host that cannot be understood.
public struct HostFactsError: Error, Equatable, Sendable, Diagnosable {
  /// What is wrong, and where.
  public let reason: String

  public var diagnostic: Diagnostic {
    Diagnostic(
      "host.facts", .invalid, "these are no recorded facts of a host: \(reason)",
      expected: "one JSON object with the schema \(HostFacts.schema)",
      next: "record them on that host: verity-bpf doctor --record > FILE")
  }
}

extension HostFacts {
  /// The `schema` of recorded facts.
  public static let schema = "verity-bpf/host-facts/1"

  /// The facts as JSON, to be judged elsewhere.
  public var json: JSONValue {
    var members: [JSONValue.Member] = [
      .init("schema", .string(Self.schema)), .init("release", .string(release)),
      .init(
        "files", .object(files.sorted { $0.key < $1.key }.map { JSONValue.Member($0.key, $0.value.json) })),
      .init(
        "configuration",
        options.map { options in
          .object(options.sorted { $0.key < $1.key }.map { JSONValue.Member($0.key, .string($0.value)) })
        } ?? .null),
      .init("security_modules", securityModuleIDs.map { .array($0.map { .unsigned($0) }) } ?? .null),
      .init("capabilities", capabilities.map { .array($0.map { .string($0) }) } ?? .null),
    ]
    members += [
      .init("user_namespace", isInUserNamespace.map { .bool($0) } ?? .null),
      .init("bpf_file_systems", placesJSON), .init("gate", .optional(gate?.rawValue)),
      .init("installed", installed?.json ?? .null), .init("keyrings", .array(keyrings.map(\.json))),
    ]
    let answers = Probe.allCases.compactMap { probe in
      probes[probe].map { JSONValue.Member(probe.rawValue, $0.json) }
    }
    members.append(.init("probes", .object(answers)))
    return .object(members)
  }

  private var placesJSON: JSONValue {
    guard let bpfFileSystems else { return .null }
    return .array(bpfFileSystems.map { .string($0) })
  }

  /// Reads recorded facts.
  ///
  /// - Throws: ``HostFactsError`` for anything that ``json`` does not write.
  public init(_ value: JSONValue) throws(HostFactsError) {
    guard value["schema"] == .string(Self.schema) else { throw HostFactsError(reason: "another schema, or none") }
    guard case .string(let release)? = value["release"] else { throw HostFactsError(reason: "no release") }
    self.init(release: release)
    for member in try Self.members(value, "files") ?? [] { files[member.name] = try Reading(member) }
    options = try Self.members(value, "configuration").map { members throws(HostFactsError) in
      var options: [String: String] = [:]
      for member in members { options[member.name] = try Self.text(member.value, "configuration") }
      return options
    }
    if let ids = try Self.elements(value, "security_modules") {
      var numbers: [UInt64] = []
      for id in ids {
        guard case .integer(let number) = id, number >= 0 else { throw HostFactsError(reason: "security_modules") }
        numbers.append(UInt64(number))
      }
      securityModuleIDs = numbers
    }
    if let names = try Self.elements(value, "capabilities") {
      var texts: [String] = []
      for name in names { texts.append(try Self.text(name, "capabilities")) }
      capabilities = texts
    }
    if let places = try Self.elements(value, "bpf_file_systems") {
      var paths: [String] = []
      for place in places { paths.append(try Self.text(place, "bpf_file_systems")) }
      bpfFileSystems = paths
    }
    if let word = value["gate"], word != .null {
      gate = GatePresence(rawValue: try Self.text(word, "gate"))
      guard gate != nil else { throw HostFactsError(reason: "gate") }
    }
    if let found = value["installed"], found != .null { installed = try InstalledTrust(found) }
    if case .bool(let flag)? = value["user_namespace"] { isInUserNamespace = flag }
    for ring in try Self.elements(value, "keyrings") ?? [] { keyrings.append(try KeyringFacts(ring)) }
    for member in try Self.members(value, "probes") ?? [] {
      guard let probe = Probe(rawValue: member.name) else { throw HostFactsError(reason: "probe `\(member.name)`") }
      let answer = try Self.text(member.value, member.name)
      probes[probe] = answer == "taken" ? .taken : .refused(answer)
    }
  }

  fileprivate static func members(
    _ value: JSONValue, _ name: String
  ) throws(HostFactsError) -> [JSONValue.Member]? {
    switch value[name] {
    case .object(let members)?: return members
    case .null?, nil: return nil
    default: throw HostFactsError(reason: "`\(name)` is no object")
    }
  }

  fileprivate static func elements(_ value: JSONValue, _ name: String) throws(HostFactsError) -> [JSONValue]? {
    switch value[name] {
    case .array(let elements)?: return elements
    case .null?, nil: return nil
    default: throw HostFactsError(reason: "`\(name)` is no array")
    }
  }

  fileprivate static func text(_ value: JSONValue?, _ name: String) throws(HostFactsError) -> String {
    guard case .string(let text)? = value else { throw HostFactsError(reason: "`\(name)` holds no text") }
    return text
  }
}

extension HostFacts.Reading {
  fileprivate var json: JSONValue {
    switch self {
    case .text(let text): ["text": .string(text)]
    case .absent: ["error": .string(Errno.enoent.name)]
    case .refused(let error): ["error": .string(error)]
    }
  }

  fileprivate init(_ member: JSONValue.Member) throws(HostFactsError) {
    if let text = member.value["text"] {
      self = .text(try HostFacts.text(text, member.name))
    } else {
      let error = try HostFacts.text(member.value["error"], member.name)
      self = error == Errno.enoent.name ? .absent : .refused(error)
    }
  }
}

extension KeyringFacts {
  fileprivate var json: JSONValue {
    [
      "name": .string(name), "keys": keys.map { .array($0.map { .string($0) }) } ?? .null,
      "error": .optional(refusal),
    ]
  }

  fileprivate init(_ value: JSONValue) throws(HostFactsError) {
    name = try HostFacts.text(value["name"], "keyrings.name")
    if let elements = try HostFacts.elements(value, "keys") {
      var texts: [String] = []
      for element in elements { texts.append(try HostFacts.text(element, "keyrings.keys")) }
      keys = texts
    } else {
      keys = nil
    }
    if case .string(let error)? = value["error"] { refusal = error } else { refusal = nil }
  }
}

extension ProbeAnswer {
  fileprivate var json: JSONValue {
    switch self {
    case .taken: "taken"
    case .refused(let error): .string(error)
    }
  }
}

extension HostReport {
  /// The `schema` of a report.
  public static let schema = "verity-bpf/doctor/1"

  /// The report as JSON.
  public var json: JSONValue {
    [
      "schema": .string(Self.schema),
      "verdict": category == nil ? "good" : category == .unsupported ? "gaps" : "incomplete",
      "release": .string(release), "findings": .array(findings.map(\.json)),
      "abilities": .array(abilities.map(\.json)),
    ]
  }
}

extension Finding {
  fileprivate var json: JSONValue {
    [
      "id": .string(id), "state": .string(state.rawValue), "found": .string(found),
      "details": .array(details.map { .string($0) }), "loses": .optional(loses), "close": .optional(close),
    ]
  }
}

extension HostReport.Ability {
  fileprivate var json: JSONValue {
    ["id": .string(id), "title": .string(title), "answer": .string(answer.rawValue), "reason": .optional(reason)]
  }
}

package import Base
internal import Policy

/// The state as a file: one line of JSON, and one line with the SHA-256 of the first.
///
/// The hash finds what a failing disk or an editor did. It does not stop an attacker who may write the file; that is
/// the file's permissions' work.
extension StoreState {
  static let schema = "verity-bpf/policy-store/2"
  /// With a shadow policy, which a store has that ever had one; so that others can still be read by earlier versions.
  private static let shadowSchema = "verity-bpf/policy-store/3"
  /// Without identifier and counter of signers.
  private static let earlierSchema = "verity-bpf/policy-store/1"

  /// The file's bytes.
  package func encoded() throws(HashingError) -> [UInt8] {
    let line = json.compact
    return Array("\(line)\n\(try Self.hash(Array(line.utf8)))\n".utf8)
  }

  /// Reads a file's bytes; throws why they are not what was written.
  package static func decode(_ bytes: [UInt8]) throws(DecodingFailure) -> StoreState {
    let lines = bytes.split(separator: 0x0a, omittingEmptySubsequences: false)
    guard lines.count == 3, lines[2].isEmpty else { throw DecodingFailure("\(lines.count) lines instead of two") }
    let hash = try? hash(Array(lines[0]))
    guard let hash, hash.description == String(decoding: lines[1], as: UTF8.self) else {
      throw DecodingFailure("its SHA-256 is another one")
    }
    guard let value = try? JSONValue.parse(Array(lines[0])), let state = StoreState(value) else {
      throw DecodingFailure("it was written by another version of this program")
    }
    return state
  }

  package struct DecodingFailure: Error {
    let reason: String
    init(_ reason: String) { self.reason = reason }
  }

  private static func hash(_ bytes: [UInt8]) throws(HashingError) -> Digest {
    var state = try HashState(.sha256)
    state.update(bytes.rawSpan)
    return try state.finish()
  }

  private var json: JSONValue {
    func list(_ entries: [String: Entry]) -> JSONValue {
      .array(
        entries.sorted { $0.key < $1.key }.map { name, entry in
          [
            "name": .string(name), "version": .string(entry.version.description),
            "message": .string(entry.message.description),
          ]
        })
    }
    let hasShadow = shadow != nil || !highestShadows.isEmpty
    var members: [JSONValue.Member] = [
      .init("schema", .string(hasShadow ? Self.shadowSchema : Self.schema)), .init("serial", .unsigned(serial)),
      .init("id", .optional(id)), .init("signers_counter", .unsigned(signersCounter)),
      .init("trusted", .string(trusted.description)), .init("policies", list(policies)),
      .init("floors", list(highestVersions)), .init("active", .optional(active)),
      .init("active_floor", .optional(lastActivated?.description)),
    ]
    if hasShadow {
      members += [
        .init("shadow", list(shadow.map { [$0.name: $0.entry] } ?? [:])), .init("shadow_highest", list(highestShadows)),
      ]
    }
    return .object(members)
  }

  private init?(_ value: JSONValue) {
    func list(_ value: JSONValue?) -> [String: Entry]? {
      guard case .array(let elements)? = value else { return nil }
      var entries: [String: Entry] = [:]
      for element in elements {
        guard case .string(let name)? = element["name"], case .string(let version)? = element["version"],
          case .string(let message)? = element["message"], let number = PolicyVersion(version),
          let digest = Digest(message)
        else { return nil }
        entries[name] = Entry(version: number, message: digest)
      }
      return entries
    }
    let hasShadow = value["schema"] == .string(Self.shadowSchema)
    let isCurrent = hasShadow || value["schema"] == .string(Self.schema)
    guard isCurrent || value["schema"] == .string(Self.earlierSchema),
      case .integer(let serial)? = value["serial"],
      let count = UInt64(exactly: serial), case .string(let trustedText)? = value["trusted"],
      let trusted = Digest(trustedText), let policies = list(value["policies"]),
      let highestVersions = list(value["floors"])
    else { return nil }
    self.init(trusted: trusted)
    self.serial = count
    if isCurrent {
      guard let counter = value["signers_counter"]?.unsignedValue else { return nil }
      signersCounter = counter
      guard let known = Self.textOrNull(value["id"]) else { return nil }
      id = known
    }
    self.policies = policies
    self.highestVersions = highestVersions
    guard let name = Self.textOrNull(value["active"]), name.map({ policies[$0] != nil }) != false,
      let text = Self.textOrNull(value["active_floor"]), text != nil || name == nil
    else { return nil }
    active = name
    if let text {
      guard let last = PolicyVersion(text) else { return nil }
      lastActivated = last
    }
    if hasShadow {
      guard let shadows = list(value["shadow"]), shadows.count <= 1, let highest = list(value["shadow_highest"]) else {
        return nil
      }
      shadow = shadows.first.map { Shadow(name: $0.key, entry: $0.value) }
      highestShadows = highest
    }
  }

  /// What a member says that is a text or null; nil for anything else, and where there is none.
  private static func textOrNull(_ member: JSONValue?) -> String?? {
    if case .string(let text)? = member { return .some(text) }
    return member == .null ? .some(nil) : nil
  }
}

extension JSONValue {
  /// A number without sign, in whichever way it is kept.
  var unsignedValue: UInt64? {
    switch self {
    case .integer(let number): UInt64(exactly: number)
    case .number(let text): UInt64(text)
    case .null, .bool, .string, .array, .object: nil
    }
  }
}

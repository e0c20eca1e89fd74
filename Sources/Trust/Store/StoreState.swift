public import Base
public import Policy

/// What the store remembers: which policies there are, which is active, and the versions below which none may come.
///
/// A value with rules; reading and writing it is ``PolicyStore``'s.
public struct StoreState: Equatable, Sendable {
  /// One installed policy.
  public struct Entry: Equatable, Sendable {
    public let version: PolicyVersion
    /// SHA-256 of the signed message, which is also its file's name.
    public let message: Digest

    public init(version: PolicyVersion, message: Digest) {
      self.version = version
      self.message = message
    }
  }

  /// Counts the changes.
  public internal(set) var serial: UInt64 = 0
  /// What tells this store from every other, in statements about its signers: 32 digits. Nil in a store that an earlier
  /// version made, until it is changed.
  public internal(set) var id: String?
  /// The number of the last statement about signers; only a higher one counts.
  public internal(set) var signersCounter: UInt64 = 0
  /// SHA-256 of the file of trusted certificates.
  public internal(set) var trusted: Digest
  /// The installed policies by name.
  public internal(set) var policies: [String: Entry] = [:]
  /// The highest version each name ever had, also after removal.
  public internal(set) var highestVersions: [String: Entry] = [:]
  /// The active policy's name.
  public internal(set) var active: String?
  /// The version of the policy that was activated last; no older one can follow, whatever its name.
  public internal(set) var lastActivated: PolicyVersion?

  /// The policy that is judged beside the active one and decides nothing; nil when there is none.
  public internal(set) var shadow: Shadow?
  /// The highest version that each name ever had as the shadow.
  public internal(set) var highestShadows: [String: Entry] = [:]

  /// A policy beside the active one. It may have its name, so it is not one of the ``policies``.
  public struct Shadow: Equatable, Sendable {
    public let name: String
    public let entry: Entry
  }

  /// A store without policies.
  public init(trusted: Digest, id: String? = nil) {
    self.trusted = trusted
    self.id = id
  }

  /// An identifier that no other store has.
  static func newID() -> String {
    let parts = [UInt64.random(in: .min ... .max), UInt64.random(in: .min ... .max)]
    return parts.map { part in
      let digits = String(part, radix: 16)
      return String(repeating: "0", count: 16 - digits.count) + digits
    }.joined()
  }

  /// Takes over other signers, by a statement of that number.
  mutating func trust(_ certificates: Digest, counter: UInt64) throws(StoreRefusal) {
    guard counter > signersCounter else { throw .staleSigners(counter: counter, last: signersCounter) }
    trusted = certificates
    signersCounter = counter
    serial += 1
  }

  /// What an installation did.
  public enum Installation: Equatable, Sendable {
    case added
    /// It replaced another version of the same name.
    case updated(from: PolicyVersion)
    /// The same message was there already.
    case unchanged
  }

  /// Installs a policy, or updates the one of that name. An update of the active policy is active at once, as in the
  /// kernel.
  ///
  /// The version must be above the highest that name ever had; only the very same message may come back.
  public mutating func install(_ name: String, _ entry: Entry) throws(StoreRefusal) -> Installation {
    guard Self.canStore(name) else { throw .name(name) }
    let present = policies[name]
    if present == entry { return .unchanged }
    if let highest = highestVersions[name], entry.version <= highest.version, highest != entry {
      throw .stale(name: name, version: entry.version, lowest: highest.version)
    }
    policies[name] = entry
    highestVersions[name] = entry
    if active == name { lastActivated = entry.version }
    endPromotedShadow()
    serial += 1
    return present.map { .updated(from: $0.version) } ?? .added
  }

  /// Makes an installed policy the active one. Activating it again changes nothing.
  public mutating func activate(_ name: String) throws(StoreRefusal) {
    guard let entry = policies[name] else { throw .unknown(name: name) }
    if let last = lastActivated, entry.version < last {
      throw .downgrade(name: name, version: entry.version, lowest: last)
    }
    guard active != name else { return }
    active = name
    lastActivated = entry.version
    endPromotedShadow()
    serial += 1
  }

  /// Makes a policy the shadow, in the place of the one before.
  ///
  /// What is watched is to become the active policy, so the versions that are refused are those that could not be installed and
  /// activated; and a shadow is never followed by an older one of its name. A shadow raises no lowest version of installed
  /// policies: the active one may have to be mended while a later one is watched.
  public mutating func installShadow(_ name: String, _ entry: Entry) throws(StoreRefusal) -> Installation {
    guard Self.canStore(name) else { throw .name(name) }
    let next = Shadow(name: name, entry: entry)
    if shadow == next { return .unchanged }
    for highest in [highestVersions[name], highestShadows[name]] {
      if let highest, entry.version <= highest.version, highest != entry {
        throw .stale(name: name, version: entry.version, lowest: highest.version)
      }
    }
    if let lowest = lastActivated, entry.version < lowest {
      throw .downgrade(name: name, version: entry.version, lowest: lowest)
    }
    let before = shadow
    shadow = next
    highestShadows[name] = entry
    serial += 1
    return before.map { .updated(from: $0.entry.version) } ?? .added
  }

  /// Takes the shadow away; the highest version that its name had as one stays.
  public mutating func removeShadow() throws(StoreRefusal) {
    guard shadow != nil else { throw .noShadow }
    shadow = nil
    serial += 1
  }

  /// What has become the active policy is watched no more.
  private mutating func endPromotedShadow() {
    if let shadow, shadow.name == active, policies[shadow.name] == shadow.entry { self.shadow = nil }
  }

  /// Removes a policy; the highest version of its name stays.
  public mutating func remove(_ name: String) throws(StoreRefusal) {
    guard policies[name] != nil else { throw .unknown(name: name) }
    guard active != name else { throw .active(name: name) }
    policies[name] = nil
    serial += 1
  }

  private static func canStore(_ name: String) -> Bool {
    !name.isEmpty && name.utf8.count <= 200 && name.unicodeScalars.allSatisfy { $0.value >= 0x20 && $0.value != 0x7f }
  }
}

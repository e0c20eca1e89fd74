public import Base
internal import KernelABI
public import Linux
internal import Policy
internal import Signatures

/// The signed lists of what was revoked, among the trust anchors of a directory:
///
///     revoked.d/NAME.p7b    the list of that name, in the attached PKCS#7 message that signs it
///     revoked.d/versions    the highest version that each list had, see ``ListVersions``
///     revoked.d/lock        held while a list is installed
///
/// Who signs them is among the certificates of the set `revocation`. A list that is there and cannot be relied on (it is not
/// signed by one of these, is damaged, older than a version that was installed, past its last day, or gone) is an error, so
/// that nothing is judged at all: it may name just what is asked about. A list whose signer's certificate has run out, or was
/// revoked later, still counts: it takes trust away and gives none.
public struct RevocationLists: Sendable {
  /// Where the trust anchors are.
  public let anchors: String
  private var directory: String { "\(anchors)/\(Self.directoryName)" }

  static let directoryName = "revoked.d"
  private static let ending = ".p7b"

  /// - Parameter anchors: the directory of trust anchors.
  public init(_ anchors: String) { self.anchors = anchors }

  /// A list as it is installed.
  public struct Installed: Sendable {
    public let name: String
    public let path: String
    /// Nil where it cannot be read.
    public let list: RevocationList?
    /// SHA-256 of its signer's certificate; nil where no signature counts.
    public let signer: Digest?
    /// Why nothing is judged because of it; nil when it counts.
    public let problem: TrustError?
  }

  /// What came of a signed list.
  public struct Checked: Sendable {
    public let list: RevocationList
    public let signer: Digest
    /// Whether the signer's certificate is valid now.
    public let isSignerValid: Bool
    /// SHA-256 of the signed message.
    public let message: Digest
  }

  // MARK: - Reading

  /// All lists, as far as they can be relied on.
  func read(by trust: Trust) throws(TrustError) -> [Revocations] {
    let versions = try versions()
    let names = try names()
    if let gone = versions.highest.first(where: { !names.contains($0.key) }) {
      throw .list(path: path(gone.key), .missing(gone.value.version))
    }
    let now = Timestamp.now().seconds
    var lists: [Revocations] = []
    for name in names.sorted() {
      let list = try installed(name, by: trust, versions).list
      if let end = list.end, now >= end { throw .list(path: path(name), .expired(list.lastDay ?? "")) }
      lists.append(list.revocations)
    }
    return lists
  }

  /// What is installed, for people to see: also what cannot be relied on.
  public func all() throws(TrustError) -> [Installed] {
    let trust = try Trust.withoutLists(directory: anchors)
    let versions = try versions()
    let (names, now) = (try names(), Timestamp.now().seconds)
    return Set(names).union(versions.highest.keys).sorted().map { name in
      let path = path(name)
      do throws(TrustError) {
        if !names.contains(name), let gone = versions.highest[name] {
          throw .list(path: path, .missing(gone.version))
        }
        let found = try installed(name, by: trust, versions)
        let isOver = found.list.end.map { now >= $0 } ?? false
        return Installed(
          name: name, path: path, list: found.list, signer: found.signer,
          problem: isOver ? .list(path: path, .expired(found.list.lastDay ?? "")) : nil)
      } catch {
        return Installed(name: name, path: path, list: nil, signer: nil, problem: error)
      }
    }
  }

  private func path(_ name: String) -> String { "\(directory)/\(name)\(Self.ending)" }

  /// The names of the lists that are there. Anything else could be one of them misspelt.
  private func names() throws(TrustError) -> [String] {
    var found: [String] = []
    for name in try CertificateFile.names(in: directory) ?? [] {
      if name.hasSuffix(Self.ending) {
        found.append(String(name.dropLast(Self.ending.utf8.count)))
        continue
      }
      // What a run has not finished, or a killed one has left.
      guard name == "lock" || name == "versions" || name.mentions(".tmp-") else {
        throw .unknownEntry(path: "\(directory)/\(name)")
      }
    }
    return found
  }

  private func versions() throws(TrustError) -> ListVersions {
    let path = "\(directory)/versions"
    guard try CertificateFile.kind(of: path) != nil else { return ListVersions() }
    let bytes = try CertificateFile.bytes(of: path, limit: RevocationList.sizeLimit)
    do throws(StoreState.DecodingFailure) {
      return try ListVersions(bytes)
    } catch {
      throw .list(path: path, .versions(error.reason))
    }
  }

  /// A list that is there, whenever it is to be relied on.
  private func installed(
    _ name: String, by trust: Trust, _ versions: ListVersions
  ) throws(TrustError) -> Checked {
    let path = path(name)
    let message = try CertificateFile.bytes(of: path, limit: RevocationList.sizeLimit)
    let found = try Self.check(message, path: path, by: trust, isInForce: true)
    guard found.list.identity.name == name else { throw .list(path: path, .name(found.list.identity.name)) }
    if let highest = versions.highest[name] {
      let isOlder = found.list.identity.version < highest.version
      let isOther = found.list.identity.version == highest.version && found.message != highest.message
      guard !isOlder, !isOther else {
        throw .list(path: path, .stale(found.list.identity.version, lowest: highest.version))
      }
    }
    return found
  }

  /// Whose list a message is, and what it says.
  ///
  /// - Parameter isInForce: whether it counts already, so that it is not lost with its signer.
  private static func check(
    _ message: [UInt8], path: String, by trust: Trust, isInForce: Bool
  ) throws(TrustError) -> Checked {
    let judge = isInForce ? trust.withoutRevocations : trust
    let (voucher, isValid): (Voucher, Bool)
    switch judge.judge(.revocations(message), at: Timestamp.now().seconds) {
    case .trusted(let found): (voucher, isValid) = (found, true)
    case .expired(let found): (voucher, isValid) = (found, false)
    case .wrongPurpose(let found):
      throw .list(path: path, .signature(SignatureError.purpose(subject: found.subject).diagnostic))
    case .unsigned, .nobodyTrusted: throw .list(path: path, .signature(nil))
    case .untrusted(let refusal), .malformed(let refusal), .unchecked(let refusal):
      throw .list(path: path, .signature(refusal.diagnostic))
    case .revoked(let revocation): throw .list(path: path, .revoked(revocation))
    }
    let digest: Digest
    do throws(HashingError) {
      digest = try SHA256.of(message)
    } catch {
      throw .list(path: path, .signature(nil))
    }
    return Checked(
      list: try RevocationList(voucher.policy ?? [], path: path), signer: voucher.signer, isSignerValid: isValid,
      message: digest)
  }

  // MARK: - Installing

  /// Checks a signed list as ``install(_:from:record:)`` does, and installs nothing.
  public func check(_ message: [UInt8], from path: String) throws(TrustError) -> Checked {
    try admit(message, from: path).checked
  }

  /// Takes a signed list into force: at once, for all that asks this directory. The change is announced to `record` after all
  /// checks and before anything is written; when that throws, nothing is.
  ///
  /// - Throws: ``TrustError``: for a list without a signature that counts, or whose signer was revoked; for one that is
  ///   past its last day; for a version that is not above every one before.
  public func install(
    _ message: [UInt8], from path: String, record: (Checked) throws(SystemError) -> Void = { _ in }
  ) throws(TrustError) -> (checked: Checked, result: StoreState.Installation) {
    // Before anything is made: most refusals leave no directory behind.
    _ = try admit(message, from: path)
    return try locked { () throws(TrustError) in
      let (checked, before) = try admit(message, from: path)
      let name = checked.list.identity.name
      var versions = try versions()
      let isThere = try? CertificateFile.bytes(of: self.path(name), limit: RevocationList.sizeLimit) == message
      let entry = ListVersions.Entry(version: checked.list.identity.version, message: checked.message)
      if isThere == true, versions.highest[name] == entry { return (checked, .unchanged) }
      try system { () throws(SystemError) in try record(checked) }
      versions.highest[name] = entry
      let encoded: [UInt8]
      do throws(HashingError) {
        encoded = try versions.encoded()
      } catch {
        throw .list(path: "\(directory)/versions", .versions(error.description))
      }
      // The list first: where a run is killed in between, a newer list is there than the versions say, and it counts.
      try write(message, to: "\(name)\(Self.ending)")
      try write(encoded, to: "versions")
      return (checked, before.map { .updated(from: $0) } ?? .added)
    }
  }

  /// A list that may be installed, and the version in whose place it comes.
  private func admit(
    _ message: [UInt8], from path: String
  ) throws(TrustError) -> (checked: Checked, before: PolicyVersion?) {
    let trust = try Trust.withoutLists(directory: anchors)
    let versions = try versions()
    // What other lists revoke counts here too, be they past their last day. The one of the same name may be damaged: that is
    // how it is put right.
    let checked: Checked
    do {
      let plain = try Self.check(message, path: path, by: trust, isInForce: false)
      var lists: [Revocations] = []
      for name in try names() {
        if name == plain.list.identity.name {
          if let found = try? installed(name, by: trust, versions) { lists.append(found.list.revocations) }
        } else {
          lists.append(try installed(name, by: trust, versions).list.revocations)
        }
      }
      checked = try Self.check(message, path: path, by: trust.revoking(lists), isInForce: false)
    }
    let identity = checked.list.identity
    if let end = checked.list.end, Timestamp.now().seconds >= end {
      throw .list(path: path, .expired(checked.list.lastDay ?? ""))
    }
    let highest = versions.highest[identity.name]
    if let highest, identity.version <= highest.version, checked.message != highest.message {
      throw .list(path: path, .stale(identity.version, lowest: highest.version))
    }
    // One that was put there by hand counts, so that what it says is not undone either.
    var present = highest?.version
    if let found = try? installed(identity.name, by: trust, versions) {
      present = found.list.identity.version
      if identity.version <= found.list.identity.version, checked.message != found.message {
        throw .list(path: path, .stale(identity.version, lowest: found.list.identity.version))
      }
    }
    return (checked, present)
  }

  private func write(_ bytes: [UInt8], to name: String) throws(TrustError) {
    try system { () throws(SystemError) in
      let pending = try PendingFile(replacing: "\(directory)/\(name)", mode: 0o644)
      try pending.descriptor.writeAll(bytes.rawSpan)
      try pending.commit()
      try OwnedFD.open(directory, [.readOnly, .directory]).sync()
    }
  }

  private func locked<R>(_ body: () throws(TrustError) -> R) throws(TrustError) -> R {
    let lock = try system { () throws(SystemError) in
      try PolicyStore.makeDirectory(directory, mode: 0o755)
      let lock = try OwnedFD.open(
        "\(directory)/lock", [.readWrite, .create, .noFollow, .nonBlocking], mode: 0o600)
      try lock.lockExclusively()
      return lock
    }
    Directory.collectLeftovers(directory)
    let result = try body()
    _ = consume lock
    return result
  }

  private func system<R: ~Copyable>(_ body: () throws(SystemError) -> R) throws(TrustError) -> R {
    do throws(SystemError) { return try body() } catch { throw .system(error) }
  }
}

internal import KernelABI
public import Base
public import Linux
public import Policy
internal import Signatures

/// A directory of signed policies that forgets no version: not over a reboot, and not when a policy is removed.
///
///     state            what is installed and active, and the lowest versions; see ``StoreState``
///     trusted.pem      the certificates whose signatures count
///     messages/HEX     the signed policies by their SHA-256
///     lock             held while the store is changed
///
/// The state is replaced as a whole by rename(2), after everything it refers to was written and synced; a reader
/// therefore always finds one complete state, however many change it meanwhile.
public struct PolicyStore: Sendable {
  public let directory: String
  /// What was revoked. Whose signatures count is in the store itself.
  private let trust: Trust

  /// Where the store of a machine is.
  public static let standardDirectory = "/var/lib/verity-bpf/policy"

  /// Names a store; nothing is read yet.
  ///
  /// - Parameter trust: what was revoked. Its certificates count for nothing here: the store has its own.
  public init(directory: String, trust: Trust) {
    self.directory = directory
    self.trust = trust
  }

  /// A policy out of the store: signed by a trusted signer, valid, and the one that the state names.
  public struct StoredPolicy: Sendable {
    public let entry: StoreState.Entry
    /// The text that was signed.
    public let document: PolicyDocument
    /// SHA-256 of the signer's certificate.
    public let signer: Digest
    /// Whether that certificate is valid now. It need not be: a machine whose policy went out of force with a certificate
    /// would load nothing any more, and an old policy is kept out by its version.
    public let isSignerValid: Bool
  }

  /// Makes an empty store that trusts the given certificates. Never done by itself: a lost store must be noticed.
  public func create(trusting certificates: [UInt8]) throws(PolicyStoreError) {
    // Read once, so that a file without certificates is refused now.
    do throws(SignatureError) { _ = try Certificates(pem: certificates) } catch { throw .signature(error) }
    try system { () throws(SystemError) in
      // The directory's ancestors are everybody's to see, the store itself is its owner's.
      let slashes = directory.indices.filter { directory[$0] == "/" && $0 != directory.startIndex }
      for slash in slashes { try Self.makeDirectory(String(directory[..<slash]), mode: 0o755) }
      for path in [directory, "\(directory)/messages"] { try Self.makeDirectory(path, mode: 0o700) }
    }
    let names = try system { () throws(SystemError) in try Directory.names(directory) }
    guard names.allSatisfy({ $0 == "messages" || $0 == "lock" }) else { throw .exists(directory: directory) }
    try locked { () throws(PolicyStoreError) in
      try write(certificates, to: "trusted.pem")
      try write(StoreState(trusted: try digest(certificates)))
    }
  }

  /// The present state.
  public func state() throws(PolicyStoreError) -> StoreState {
    let path = "\(directory)/state"
    let bytes: [UInt8]
    do throws(SystemError) {
      bytes = try OwnedFD.open(path, [.readOnly, .noFollow]).readToEnd(limit: 1 << 24) ?? []
    } catch {
      if error.code == .enoent { throw .lost(directory: directory) }
      throw .system(error)
    }
    do throws(StoreState.DecodingFailure) {
      return try StoreState.decode(bytes)
    } catch {
      throw .damaged(path: path, reason: error.reason)
    }
  }

  /// The policy that decides now.
  public func active() throws(PolicyStoreError) -> StoredPolicy {
    // A policy that is replaced between the two reads is no longer there; the new state names another.
    var last: PolicyStoreError?
    for _ in 0..<16 {
      let state = try state()
      guard let name = state.active, let entry = state.policies[name] else { throw .refused(.noneActive) }
      do throws(PolicyStoreError) {
        return try read(entry, state)
      } catch {
        guard case .damaged = error, try self.state().serial != state.serial else { throw error }
        last = error
      }
    }
    throw last ?? .lost(directory: directory)
  }

  /// An installed policy by name.
  public func policy(_ name: String) throws(PolicyStoreError) -> StoredPolicy {
    let state = try state()
    guard let entry = state.policies[name] else { throw .refused(.unknown(name: name)) }
    return try read(entry, state)
  }

  /// Checks a signed policy against the store's certificates, without installing it.
  public func check(_ message: [UInt8]) throws(PolicyStoreError) -> StoredPolicy {
    try check(message, try state())
  }

  /// Installs a signed policy. The change is announced to `record` after all checks and before anything is written;
  /// when that throws, nothing is.
  public func install(
    _ message: [UInt8], record: (StoredPolicy, StoreState) throws(SystemError) -> Void = { _, _ in }
  ) throws(PolicyStoreError) -> (policy: StoredPolicy, result: StoreState.Installation) {
    try locked { () throws(PolicyStoreError) in
      var state = try state()
      let before = state
      let policy = try check(message, state)
      let name = policy.document.header?.nameText ?? ""
      let result = try refusing { () throws(StoreRefusal) in try state.install(name, policy.entry) }
      guard result != .unchanged else { return (policy, result) }
      try system { () throws(SystemError) in try record(policy, state) }
      try write(message, to: Self.file(of: policy.entry))
      try write(state)
      try removeUnused(before, state)
      return (policy, result)
    }
  }

  /// Makes an installed policy the active one.
  ///
  /// - Returns: the policy that was active before, when there was one.
  public func activate(
    _ name: String, record: (StoredPolicy?, StoredPolicy, StoreState) throws(SystemError) -> Void = { _, _, _ in }
  ) throws(PolicyStoreError) -> StoredPolicy? {
    try locked { () throws(PolicyStoreError) in
      var state = try state()
      let before = state.active
      try refusing { () throws(StoreRefusal) in try state.activate(name) }
      guard let entry = state.policies[name] else { throw .refused(.unknown(name: name)) }
      let next = try read(entry, state)
      var previous: StoredPolicy?
      // It is only named in the record, so that a policy can be replaced whose signer was revoked.
      if let before, let old = state.policies[before] { previous = try read(old, state, trust: Trust.none) }
      guard before != name else { return previous }
      try system { () throws(SystemError) in try record(previous, next, state) }
      try write(state)
      return previous
    }
  }

  /// Removes a policy that is not active; its lowest version is remembered.
  public func remove(_ name: String) throws(PolicyStoreError) {
    try locked { () throws(PolicyStoreError) in
      var state = try state()
      let before = state
      try refusing { () throws(StoreRefusal) in try state.remove(name) }
      try write(state)
      try removeUnused(before, state)
    }
  }
}

// MARK: - Files

extension PolicyStore {
  private static func makeDirectory(_ path: String, mode: UInt32) throws(SystemError) {
    do throws(SystemError) {
      try Directory.create(path, mode: mode)
    } catch {
      guard error.code == .eexist else { throw error }
    }
  }

  private static func file(of entry: StoreState.Entry) -> String { "messages/\(entry.message.hex)" }

  private func read(
    _ entry: StoreState.Entry, _ state: StoreState, trust: Trust? = nil
  ) throws(PolicyStoreError) -> StoredPolicy {
    let path = "\(directory)/\(Self.file(of: entry))"
    let message: [UInt8]
    do throws(SystemError) {
      message = try OwnedFD.open(path, [.readOnly, .noFollow]).readToEnd(limit: 1 << 26) ?? []
    } catch {
      guard error.code == .enoent else { throw .system(error) }
      throw .damaged(path: path, reason: "it is not there")
    }
    guard try digest(message) == entry.message else { throw .damaged(path: path, reason: "its SHA-256 is another one") }
    let policy = try check(message, state, trust: trust)
    guard policy.entry == entry else { throw .damaged(path: path, reason: "it holds another version") }
    return policy
  }

  /// A message's signature, and what it says.
  ///
  /// - Parameter other: what was revoked, when it is not what the store was made with.
  private func check(
    _ message: [UInt8], _ state: StoreState, trust other: Trust? = nil
  ) throws(PolicyStoreError) -> StoredPolicy {
    let path = "\(directory)/trusted.pem"
    let pem = try system { () throws(SystemError) in
      try OwnedFD.open(path, [.readOnly, .noFollow]).readToEnd(limit: 1 << 22) ?? []
    }
    guard try digest(pem) == state.trusted else { throw .damaged(path: path, reason: "its SHA-256 is another one") }
    // All keys could be used when the store was made; one that this OpenSSL no longer has takes no other's word away.
    let judge = (other ?? trust).trusting(only: pem, set: "store", passesOverUnsupportedKeys: true)
    let (voucher, isValid) = try Self.voucher(judge.judge(.policy(message), at: Timestamp.now().seconds))
    guard let text = voucher.policy else { throw .signature(.malformed(reason: "no policy")) }
    let document = PolicyDocument.parse(text, dialect: .verityBPF)
    guard document.isValid, let header = document.header else {
      throw .invalid(InvalidPolicy(diagnostics: document.diagnostics))
    }
    let entry = StoreState.Entry(version: header.version, message: try digest(message))
    return StoredPolicy(entry: entry, document: document, signer: voucher.signer, isSignerValid: isValid)
  }

  /// Who vouches for a policy, and whether their certificate is valid now, when the signature counts.
  private static func voucher(_ verdict: Trust::Verdict) throws(PolicyStoreError) -> (Voucher, isValid: Bool) {
    switch verdict {
    case .trusted(let voucher): return (voucher, true)
    case .expired(let voucher): return (voucher, false)
    case .wrongPurpose(let voucher): throw .signature(.purpose(subject: voucher.subject))
    case .unsigned: throw .signature(.malformed(reason: "no signature"))
    case .nobodyTrusted: throw .signature(.untrustedSigner)
    case .untrusted(let refusal), .malformed(let refusal), .unchecked(let refusal):
      switch refusal {
      case .signature(let error): throw .signature(error)
      case .object: throw .signature(.malformed(reason: refusal.diagnostic.message))
      }
    case .revoked(let revocation): throw .revoked(revocation)
    }
  }

  private func write(_ state: StoreState) throws(PolicyStoreError) {
    let bytes: [UInt8]
    do throws(HashingError) {
      bytes = try state.encoded()
    } catch {
      throw .signature(.openSSL(reason: error.description))
    }
    try write(bytes, to: "state")
  }

  /// Writes a file completely, syncs it and then its directory, so that it survives a power cut.
  private func write(_ bytes: [UInt8], to name: String) throws(PolicyStoreError) {
    try system { () throws(SystemError) in
      let path = "\(directory)/\(name)"
      let pending = try PendingFile(replacing: path, mode: 0o600)
      try pending.descriptor.writeAll(bytes.rawSpan)
      try pending.commit()
      let parent = name.contains("/") ? "\(directory)/messages" : directory
      try OwnedFD.open(parent, [.readOnly, .directory]).sync()
    }
  }

  /// Removes messages that no policy refers to any more. A failure leaves a file too many and nothing else.
  private func removeUnused(_ before: StoreState, _ after: StoreState) throws(PolicyStoreError) {
    let kept = Set(after.policies.values.map { $0.message })
    for entry in before.policies.values where !kept.contains(entry.message) {
      Cleanup.removeTree("\(directory)/\(Self.file(of: entry))")
    }
  }

  /// One change at a time, also between processes.
  private func locked<R>(_ body: () throws(PolicyStoreError) -> R) throws(PolicyStoreError) -> R {
    let lock = try openLock()
    let result = try body()
    _ = consume lock
    return result
  }

  private func openLock() throws(PolicyStoreError) -> OwnedFD {
    do throws(SystemError) {
      let lock = try OwnedFD.open("\(directory)/lock", [.readWrite, .create, .noFollow], mode: 0o600)
      try lock.lockExclusively()
      return lock
    } catch {
      if error.code == .enoent { throw .lost(directory: directory) }
      throw .system(error)
    }
  }

  private func digest(_ bytes: [UInt8]) throws(PolicyStoreError) -> Digest {
    do throws(HashingError) {
      var state = try HashState(.sha256)
      state.update(bytes.rawSpan)
      return try state.finish()
    } catch {
      throw .signature(.openSSL(reason: error.description))
    }
  }

  private func system<R>(_ body: () throws(SystemError) -> R) throws(PolicyStoreError) -> R {
    do throws(SystemError) { return try body() } catch { throw .system(error) }
  }

  private func refusing<R>(_ body: () throws(StoreRefusal) -> R) throws(PolicyStoreError) -> R {
    do throws(StoreRefusal) { return try body() } catch { throw .refused(error) }
  }
}

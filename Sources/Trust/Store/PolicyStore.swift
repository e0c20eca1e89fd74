internal import KernelABI
public import Base
public import Linux
public import Policy
internal import Signatures

/// A directory of signed policies that forgets no version: not over a reboot, and not when a policy is removed.
///
///     state              what is installed and active, and the lowest versions; see ``StoreState``
///     trusted.pem        the certificates whose signatures count, as the store was made
///     trusted-HEX.pem    the same after a statement about signers, by the file's SHA-256
///     messages/HEX       the signed policies by their SHA-256
///     lock               held while the store is changed; not empty once there was a state
///
/// The state is replaced as a whole by rename(2), after everything it refers to was written and synced; a reader
/// therefore always finds one complete state, however many change it meanwhile. Directory and files have to belong to root or
/// to this process's user, and nobody else may be able to write to them.
public struct PolicyStore: Sendable {
  public let directory: String
  /// What was revoked. Whose signatures count is in the store itself.
  let trust: Trust

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
  ///
  /// A run that was killed leaves no state, which is written last, and the next takes up what it left.
  ///
  /// - Parameter record: told of the new store's state before that is there; when it throws, there is none.
  /// - Returns: those of the certificates that are not valid today.
  @discardableResult
  public func create(
    trusting certificates: [UInt8], record: (StoreState) throws(SystemError) -> Void = { _ in }
  ) throws(PolicyStoreError) -> [Voucher] {
    let expired = try usable(certificates)
    try system { () throws(SystemError) in
      // The directory's ancestors are everybody's to see, the store itself is its owner's.
      let slashes = directory.indices.filter { directory[$0] == "/" && $0 != directory.startIndex }
      for slash in slashes { try Self.makeDirectory(String(directory[..<slash]), mode: 0o755) }
      for path in [directory, "\(directory)/messages"] { try Self.makeDirectory(path, mode: 0o700) }
    }
    for path in [directory, "\(directory)/messages"] { try Self.requireOwn(try status(path), .directory, at: path) }
    try locked { () throws(PolicyStoreError) in
      let remains = try remains()
      guard !remains.hadState else {
        throw remains.hasState ? .exists(directory: directory) : .lost(directory: directory)
      }
      if let foreign = remains.foreign { throw .notEmpty(path: "\(directory)/\(foreign)") }
      try write(certificates, to: Self.firstCertificates)
      try replace(StoreState(trusted: try digest(certificates), id: StoreState.newID()), record)
    }
    return expired
  }

  /// The present state.
  public func state() throws(PolicyStoreError) -> StoreState {
    let path = "\(directory)/state"
    guard let bytes = try contents(of: path, limit: 1 << 24) else {
      throw try remains().hadState ? .lost(directory: directory) : .none(directory: directory)
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

  /// Installs a signed policy. The change is announced to `record` after all checks, when nothing is left to do but to
  /// give the new state its name; when that throws, nothing changes.
  public func install(
    _ message: [UInt8], record: (StoredPolicy, StoreState) throws(SystemError) -> Void = { _, _ in }
  ) throws(PolicyStoreError) -> (policy: StoredPolicy, result: StoreState.Installation) {
    try keep(message, record) { (state, name, entry) throws(StoreRefusal) in try state.install(name, entry) }
  }

  /// Takes a signed policy into the state in one way or another.
  func keep(
    _ message: [UInt8], _ record: (StoredPolicy, StoreState) throws(SystemError) -> Void,
    _ change: (inout StoreState, String, StoreState.Entry) throws(StoreRefusal) -> StoreState.Installation
  ) throws(PolicyStoreError) -> (policy: StoredPolicy, result: StoreState.Installation) {
    try locked { () throws(PolicyStoreError) in
      let old = try state()
      var state = old
      let policy = try check(message, state)
      let name = policy.document.header?.nameText ?? ""
      let result = try refusing { () throws(StoreRefusal) in try change(&state, name, policy.entry) }
      guard result != .unchanged else { return (policy, result) }
      try write(message, to: Self.file(of: policy.entry))
      do throws(PolicyStoreError) {
        try replace(state) { (state) throws(SystemError) in try record(policy, state) }
      } catch {
        removeUnused(but: old)
        throw error
      }
      removeUnused(but: state)
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
      try replace(state) { (state) throws(SystemError) in try record(previous, next, state) }
      return previous
    }
  }

  /// Removes a policy that is not active; its lowest version is remembered.
  ///
  /// - Parameter record: told of the state without it before that is there; when it throws, the policy stays.
  public func remove(
    _ name: String, record: (StoreState) throws(SystemError) -> Void = { _ in }
  ) throws(PolicyStoreError) {
    try locked { () throws(PolicyStoreError) in
      var state = try state()
      try refusing { () throws(StoreRefusal) in try state.remove(name) }
      try replace(state, record)
      removeUnused(but: state)
    }
  }
}

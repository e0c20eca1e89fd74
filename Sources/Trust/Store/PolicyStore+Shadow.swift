internal import Base
public import Linux
internal import Policy

/// The shadow policy: signed and kept as the others are, judged beside the active one, and without a say.
extension PolicyStore {
  /// The policy that is judged beside the active one; nil when there is none.
  public func shadow() throws(PolicyStoreError) -> StoredPolicy? {
    // One that is replaced between the two reads is no longer there; the new state names another.
    var last: PolicyStoreError?
    for _ in 0..<16 {
      let state = try state()
      guard let shadow = state.shadow else { return nil }
      do throws(PolicyStoreError) {
        return try read(shadow.entry, state)
      } catch {
        guard case .damaged = error, try self.state().serial != state.serial else { throw error }
        last = error
      }
    }
    throw last ?? .lost(directory: directory)
  }

  /// Makes a signed policy the shadow, under the same checks as ``install(_:record:)``. The change is announced to `record`
  /// when nothing is left to do but to give the new state its name; when that throws, nothing changes.
  public func installShadow(
    _ message: [UInt8], record: (StoredPolicy, StoreState) throws(SystemError) -> Void = { _, _ in }
  ) throws(PolicyStoreError) -> (policy: StoredPolicy, result: StoreState.Installation) {
    try keep(message, record) { (state, name, entry) throws(StoreRefusal) in try state.installShadow(name, entry) }
  }

  /// Takes the shadow away. Which versions it had is remembered.
  ///
  /// - Parameter record: told of the shadow's name and the state without it before that is there; when it throws, it stays.
  /// - Returns: its name.
  public func removeShadow(
    record: (String, StoreState) throws(SystemError) -> Void = { _, _ in }
  ) throws(PolicyStoreError) -> String {
    try locked { () throws(PolicyStoreError) in
      var state = try state()
      let name = state.shadow?.name ?? ""
      try refusing { () throws(StoreRefusal) in try state.removeShadow() }
      try replace(state) { (state) throws(SystemError) in try record(name, state) }
      removeUnused(but: state)
      return name
    }
  }
}

extension PolicyStore {
  /// An installed policy as it is shown.
  public struct ListedPolicy: Sendable {
    public let name: String
    public let isActive: Bool
    public let policy: StoredPolicy
    /// Who signed it was revoked, and how that is known; then it decides nothing, be it the active one.
    public let revocation: Revocation?
  }

  /// The installed policies in the order of their names, for people to see: also those that decide nothing because their
  /// signer was revoked.
  public func list() throws(PolicyStoreError) -> [ListedPolicy] {
    let state = try state()
    // Whose signatures count is the store's own; without the machine's list nothing was revoked.
    let unrevoked = PolicyStore(directory: directory, trust: .none)
    var list: [ListedPolicy] = []
    for name in state.policies.keys.sorted() {
      let isActive = state.active == name
      do throws(PolicyStoreError) {
        list.append(ListedPolicy(name: name, isActive: isActive, policy: try policy(name), revocation: nil))
      } catch {
        guard case .revoked(let revocation) = error else { throw error }
        list.append(
          ListedPolicy(name: name, isActive: isActive, policy: try unrevoked.policy(name), revocation: revocation))
      }
    }
    return list
  }
}

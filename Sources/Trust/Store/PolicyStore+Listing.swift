public import Base
internal import Linux
internal import Policy

/// What is installed, without taking the policies' texts apart: each was valid when it was installed, and is still the message
/// that the state names.
extension PolicyStore {
  /// An installed policy as it is shown.
  public struct ListedPolicy: Sendable {
    public let name: String
    public let entry: StoreState.Entry
    public let isActive: Bool
    /// False when what its rules deny happens all the same.
    public let isEnforcing: Bool
    /// Whether some of its lines say for themselves that what they deny is only recorded.
    public let hasTrials: Bool
    /// SHA-256 of the signer's certificate.
    public let signer: Digest
    /// Who signed it was revoked, and how that is known; then it decides nothing, be it the active one.
    public let revocation: Revocation?
  }

  /// The installed policies in the order of their names, for people to see: also those that decide nothing because their
  /// signer was revoked. Signatures are checked, against certificates that are read once.
  public func list() throws(PolicyStoreError) -> [ListedPolicy] {
    let state = try state()
    guard !state.policies.isEmpty else { return [] }
    // Whose signatures count is the store's own; without the machine's list nothing was revoked.
    let (judge, unrevoked) = (try judge(state, trust), try judge(state, .none))
    let now = Timestamp.now().seconds
    var list: [ListedPolicy] = []
    for (name, entry) in state.policies.sorted(by: { $0.key.utf8.lexicographicallyPrecedes($1.key.utf8) }) {
      let message = try message(of: entry)
      var revocation: Revocation?
      let voucher: Voucher
      do throws(PolicyStoreError) {
        voucher = try Self.voucher(judge.judge(.policy(message), at: now)).0
      } catch {
        guard case .revoked(let found) = error else { throw error }
        revocation = found
        voucher = try Self.voucher(unrevoked.judge(.policy(message), at: now)).0
      }
      guard let isEnforcing = Self.isEnforcing(voucher.policy ?? [], as: name, entry.version) else {
        throw .damaged(path: "\(directory)/\(Self.file(of: entry))", reason: "it holds another version")
      }
      list.append(
        ListedPolicy(
          name: name, entry: entry, isActive: state.active == name, isEnforcing: isEnforcing,
          hasTrials: Self.hasTrials(voucher.policy ?? []),
          signer: voucher.signer, revocation: revocation))
    }
    return list
  }

  /// Whether lines behind the header say `x_enforcing=FALSE`. Nothing is taken apart unless the words are there.
  static func hasTrials(_ text: [UInt8]) -> Bool {
    guard text.rawSpan.firstOffset(of: Array("x_enforcing=FALSE".utf8).rawSpan) != nil else { return false }
    return PolicyDocument.parse(text, dialect: .verityBPF).statements.contains { $0.enforcing == false }
  }

  /// Whether what the rules of a policy deny is refused; nil for a text of another version.
  private static func isEnforcing(_ text: [UInt8], as name: String, _ version: PolicyVersion) -> Bool? {
    // As most policies begin, for which nothing need be taken apart.
    if text.starts(with: "policy_name=\(name) policy_version=\(version)\n".utf8) { return true }
    guard let header = header(of: text), header.version == version else { return nil }
    return header.enforcing
  }

  /// The header of a policy's text, which comes before all rules, behind empty lines and remarks.
  private static func header(of text: [UInt8]) -> PolicyDocument.Header? {
    var start = 0
    while start < text.count {
      let end = text[start...].firstIndex(of: UInt8(ascii: "\n")) ?? text.count
      if let header = PolicyDocument.header(in: Array(text[start..<end]), dialect: .verityBPF) { return header }
      start = end + 1
    }
    return nil
  }
}

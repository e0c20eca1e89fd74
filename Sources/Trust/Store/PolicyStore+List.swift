public import Base
internal import Linux
internal import Policy

/// What is installed, without taking the policies' texts apart: each was valid when it was installed, and is still the message
/// that the state names.
extension PolicyStore {
  /// An installed policy in a list.
  public struct ListedPolicy: Sendable {
    public let name: String
    public let entry: StoreState.Entry
    public let isActive: Bool
    /// False when what its rules deny happens all the same.
    public let isEnforcing: Bool
    /// SHA-256 of the signer's certificate.
    public let signer: Digest
  }

  /// All of them, by their names. Signatures are checked, against certificates that are read once.
  public func list() throws(PolicyStoreError) -> [ListedPolicy] {
    let state = try state()
    guard !state.policies.isEmpty else { return [] }
    let judge = try judge(state, trust)
    let now = Timestamp.now().seconds
    var list: [ListedPolicy] = []
    for (name, entry) in state.policies.sorted(by: { $0.key < $1.key }) {
      let (voucher, _) = try Self.voucher(judge.judge(.policy(try message(of: entry)), at: now))
      guard let header = Self.header(of: voucher.policy ?? []), header.version == entry.version else {
        throw .damaged(path: "\(directory)/\(Self.file(of: entry))", reason: "it holds another version")
      }
      list.append(
        ListedPolicy(
          name: name, entry: entry, isActive: state.active == name, isEnforcing: header.enforcing,
          signer: voucher.signer))
    }
    return list
  }

  /// The header of a policy's text, which comes before all rules.
  private static func header(of text: [UInt8]) -> PolicyDocument.Header? {
    var end = 0
    while end < text.count {
      end = text[end...].firstIndex(of: UInt8(ascii: "\n")).map { $0 + 1 } ?? text.count
      if let header = PolicyDocument.parse(Array(text[..<end]), dialect: .verityBPF).header { return header }
    }
    return nil
  }
}

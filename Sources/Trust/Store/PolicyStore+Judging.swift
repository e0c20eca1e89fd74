internal import Base
internal import Linux
internal import Policy
internal import Signatures

/// Whose word counts for what is in the store.
extension PolicyStore {
  func read(
    _ entry: StoreState.Entry, _ state: StoreState, trust: Trust? = nil
  ) throws(PolicyStoreError) -> StoredPolicy {
    let policy = try check(try message(of: entry), state, trust: trust)
    guard policy.entry == entry else {
      throw .damaged(path: "\(directory)/\(Self.file(of: entry))", reason: "it holds another version")
    }
    return policy
  }

  /// The signed message that an entry names.
  func message(of entry: StoreState.Entry) throws(PolicyStoreError) -> [UInt8] {
    let path = "\(directory)/\(Self.file(of: entry))"
    guard let message = try contents(of: path, limit: PolicyDocument.sizeLimit) else {
      throw .damaged(path: path, reason: "it is not there")
    }
    guard try digest(message) == entry.message else { throw .damaged(path: path, reason: "its SHA-256 is another one") }
    return message
  }

  /// A message's signature, and what it says.
  ///
  /// - Parameter other: what was revoked, when it is not what the store was made with.
  func check(
    _ message: [UInt8], _ state: StoreState, trust other: Trust? = nil
  ) throws(PolicyStoreError) -> StoredPolicy {
    let (voucher, isValid) = try vouching(for: message, state, trust: other ?? trust)
    guard let text = voucher.policy else { throw .signature(.malformed(reason: "no policy")) }
    let document = PolicyDocument.parse(text, dialect: .verityBPF)
    guard document.isValid, let header = document.header else {
      throw .invalid(InvalidPolicy(diagnostics: document.diagnostics))
    }
    let entry = StoreState.Entry(version: header.version, message: try digest(message))
    return StoredPolicy(entry: entry, document: document, signer: voucher.signer, isSignerValid: isValid)
  }

  /// Who of the store's signers vouches for a message, and whether their certificate is valid now.
  func vouching(
    for message: [UInt8], _ state: StoreState, trust: Trust
  ) throws(PolicyStoreError) -> (Voucher, isValid: Bool) {
    try Self.voucher(judge(state, trust).judge(.policy(message), at: Timestamp.now().seconds))
  }

  /// Who judges the messages of the store: its own certificates, and what was revoked.
  func judge(_ state: StoreState, _ trust: Trust) throws(PolicyStoreError) -> Trust {
    // All keys could be used when the store was made; one that this OpenSSL no longer has takes no other's word away.
    trust.trusting(only: try certificates(state), set: "store", passesOverUnsupportedKeys: true)
  }

  /// Who vouches for a policy, and whether their certificate is valid now, when the signature counts.
  static func voucher(_ verdict: Trust::Verdict) throws(PolicyStoreError) -> (Voucher, isValid: Bool) {
    switch verdict {
    case .trusted(let voucher): return (voucher, true)
    case .expired(let voucher): return (voucher, false)
    case .wrongPurpose(let voucher): throw .signature(.purpose(subject: voucher.subject))
    case .unsigned: throw .signature(.malformed(reason: "no signature"))
    case .nobodyTrusted: throw .signature(.untrustedSigner)
    case .untrusted(let refusal), .malformed(let refusal), .unchecked(let refusal):
      switch refusal {
      case .signature(let error): throw .signature(error)
      case .object, .anchors: throw .signature(.malformed(reason: refusal.diagnostic.message))
      }
    case .revoked(let revocation): throw .revoked(revocation)
    }
  }
}

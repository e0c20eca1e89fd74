public import Base
public import Linux
internal import Signatures

/// Whose signatures of policies count, and how that changes. Versions and policies stay as they are.
extension PolicyStore {
  /// What a statement changed.
  public struct SignerChange: Sendable, Equatable {
    public let counter: UInt64
    public let added: [Digest]
    public let retired: [Digest]
    /// Who signed the statement.
    public let signer: Digest
    public let isSignerValid: Bool
    /// Those who were added and whose certificates are not valid today.
    public let expired: [Voucher]
  }

  /// A certificate of the store.
  public struct Signer: Sendable, Equatable {
    public let fingerprint: Digest
    public let subject: String
  }

  /// The certificates whose signatures count, as far as the store says.
  public func signers() throws(PolicyStoreError) -> [Signer] {
    try signers(in: try certificates(try state()), passesOverUnsupportedKeys: true).map {
      Signer(fingerprint: $0.fingerprint, subject: $0.facts.subject)
    }
  }

  /// Takes over what a signed statement says. The change is announced to `record` after all checks, when nothing is left to
  /// do but to give the new state its name; when that throws, nothing changes.
  ///
  /// - Throws: ``PolicyStoreError``: for a statement of another store, for one whose number is not above the last, for one
  ///   that would leave nobody who counts, or retire who signed the active policy.
  public func trust(
    _ message: [UInt8], record: (SignerChange, StoreState) throws(SystemError) -> Void = { _, _ in }
  ) throws(PolicyStoreError) -> SignerChange {
    try locked { () throws(PolicyStoreError) in
      var state = try state()
      // One that an earlier version made gets its identifier now, for the next statement.
      if state.id == nil {
        state.id = StoreState.newID()
        try replace(state)
      }
      let (voucher, isValid) = try vouching(for: message, state, trust: trust)
      guard let text = voucher.policy else { throw .statement(reason: "no text") }
      let statement = try SignerStatement(text)
      guard statement.store == state.id else {
        throw .refused(.otherStore(found: statement.store, expected: state.id ?? ""))
      }
      let pem = try certificates(state)
      let before = try signers(in: pem, passesOverUnsupportedKeys: true)
      var (kept, added): ([[UInt8]], [Digest]) = ([], [])
      var expired: [Voucher] = []
      for digest in statement.retired where !before.contains(where: { $0.fingerprint == digest }) {
        throw .refused(.unknownSigner(digest.description))
      }
      for signer in before where !statement.retired.contains(signer.fingerprint) { kept.append(signer.pem) }
      for certificate in statement.trusted {
        expired += try usable(certificate)
        for signer in try signers(in: certificate) {
          guard !statement.retired.contains(signer.fingerprint) else {
            throw .statement(reason: "it trusts and retires \(signer.fingerprint)")
          }
          guard !before.contains(where: { $0.fingerprint == signer.fingerprint }), !added.contains(signer.fingerprint)
          else { continue }
          added.append(signer.fingerprint)
          kept.append(signer.pem)
        }
      }
      let after = Array(kept.joined())
      try requireOneWhoCounts(among: after)
      let digest = try digest(after)
      try refusing { () throws(StoreRefusal) in try state.trust(digest, counter: statement.counter) }
      if let name = state.active, let entry = state.policies[name] {
        // Whoever was revoked since does not hold a change up.
        let signer = try read(entry, try self.state(), trust: Trust.none).signer
        guard !statement.retired.contains(signer) else { throw .refused(.activeSigner(name: name)) }
      }
      let change = SignerChange(
        counter: statement.counter, added: added, retired: statement.retired, signer: voucher.signer,
        isSignerValid: isValid, expired: expired)
      try write(after, to: Self.certificates(digest))
      try replace(state) { (state) throws(SystemError) in try record(change, state) }
      removeOldCertificates(but: digest)
      return change
    }
  }

  /// Throws unless each of the certificates could sign a policy: it is made for signing, and was not revoked.
  ///
  /// - Returns: those that are not valid today.
  func usable(_ pem: [UInt8]) throws(PolicyStoreError) -> [Voucher] {
    var expired: [Voucher] = []
    for signer in try signers(in: pem) {
      switch trust.judge(.signer(signer.fingerprint, signer.facts), at: Timestamp.now().seconds) {
      case .trusted: continue
      case .expired(let voucher): expired.append(voucher)
      case .wrongPurpose(let voucher): throw .signature(.purpose(subject: voucher.subject))
      case .revoked(let revocation): throw .revoked(revocation)
      case .unsigned, .nobodyTrusted, .untrusted, .malformed, .unchecked:
        throw .signature(.untrustedSigner)
      }
    }
    return expired
  }

  /// Throws when none of the certificates is worth anything now.
  private func requireOneWhoCounts(among pem: [UInt8]) throws(PolicyStoreError) {
    guard !pem.isEmpty else { throw .refused(.lastSigner) }
    for signer in try signers(in: pem, passesOverUnsupportedKeys: true) {
      switch trust.judge(.signer(signer.fingerprint, signer.facts), at: Timestamp.now().seconds) {
      case .trusted, .expired: return
      case .wrongPurpose, .revoked, .unsigned, .nobodyTrusted, .untrusted, .malformed, .unchecked: continue
      }
    }
    throw .refused(.lastSigner)
  }

  private func signers(
    in pem: [UInt8], passesOverUnsupportedKeys: Bool = false
  ) throws(PolicyStoreError) -> [Certificates.Entry] {
    do throws(SignatureError) {
      return try Certificates(pem: pem, passesOverUnsupportedKeys: passesOverUnsupportedKeys).entries()
    } catch {
      throw .signature(error)
    }
  }

  /// A failure leaves a file too many and nothing else.
  private func removeOldCertificates(but digest: Digest) {
    let names = (try? Directory.names(directory)) ?? []
    for name in names where name.hasPrefix("trusted") && name.hasSuffix(".pem") && name != Self.certificates(digest) {
      Cleanup.removeTree("\(directory)/\(name)")
    }
  }
}

public import Policy

/// Facts with one piece of evidence taken away: what the caller of a load can bring about.
///
/// A doubt is no such piece: it is a part of what the kernel says of a volume, which is there as a whole or not at all. Nor
/// is that the kernel alone vouches, for the same reason.
public enum DeletedFacts {
  /// Each piece by its name, with what is left.
  public static func all(of facts: Facts) -> [(piece: String, left: Facts)] {
    var result: [(piece: String, left: Facts)] = []
    func delete(_ name: PropertyName, _ change: (inout Facts) -> Void) {
      var left = facts
      change(&left)
      left.settled.remove(name)
      if left != facts { result.append((name.rawValue, left)) }
    }
    for name in facts.settled.names { delete(name) { _ in } }
    delete(.bootVerified) { $0.bootVerified = nil }
    if facts.witnesses != .kernel {
      delete(.dmverityRoothash) {
        ($0.dmverityRoothash, $0.witnesses) = (nil, nil)
        $0.settled.remove(.witness)
      }
      for one in [Witnesses.kernel, .userspace] where facts.witnesses == .both {
        delete(.witness) { $0.witnesses = $0.witnesses?.subtracting(one) }
      }
    }
    delete(.dmveritySignature) { $0.dmveritySignature = nil }
    if facts.dmveritySignature == true { delete(.dmveritySignature) { $0.dmveritySignature = false } }
    delete(.kernelExecute) { $0.kernelExecute = nil }
    delete(.blocksVerified) { $0.blocksVerified = nil }
    if facts.blocksVerified == true { delete(.blocksVerified) { $0.blocksVerified = false } }
    delete(.fsverityDigest) { $0.fsverityDigest = nil }
    delete(.fsveritySignature) { $0.fsveritySignature = nil }
    if facts.fsveritySignature == true { delete(.fsveritySignature) { $0.fsveritySignature = false } }
    delete(.bpfSignature) {
      ($0.bpfSignature, $0.bpfKeyring) = (nil, nil)
      $0.settled.remove(.bpfKeyring)
    }
    // An object that was stripped.
    delete(.bpfSignature) {
      ($0.bpfSignature, $0.bpfKeyring) = (.unsigned, nil)
      $0.settled.remove(.bpfKeyring)
    }
    delete(.bpfKeyring) { $0.bpfKeyring = nil }
    for one in [Witnesses.kernel, .userspace] where facts.signatureSources?.contains(one) == true {
      delete(.signatureSource) {
        let rest = $0.signatureSources?.subtracting(one)
        $0.signatureSources = rest == [] ? nil : rest
      }
    }
    for signer in facts.signers { delete(.signer) { $0.signers.removeAll { $0 == signer } } }
    for signer in facts.doubtedSigners { delete(.signer) { $0.doubtedSigners.removeAll { $0 == signer } } }
    delete(.path) { $0.path = nil }
    delete(.dmverityMode) { $0.dmverityMode = nil }
    delete(.imageName) { $0.imageName = nil }
    delete(.imageVersionMin) { $0.imageVersion = nil }
    delete(.requesterPath) { $0.requesterPath = nil }
    // A copy of the executable on no volume.
    delete(.requesterObject) { $0.requesterObject = nil }
    delete(.requesterRoothash) { left in
      (left.requesterRoothash, left.requesterObject, left.requesterSignature) = (nil, nil, nil)
      for name in [PropertyName.requesterObject, .requesterSignature] { left.settled.remove(name) }
    }
    delete(.requesterSignature) { $0.requesterSignature = nil }
    if facts.requesterSignature == true { delete(.requesterSignature) { $0.requesterSignature = false } }
    return result
  }

  /// Pieces without which a policy allows what it denies with them; there must be none.
  public static func thatAllow(_ facts: Facts, _ policy: CompiledPolicy) -> [String] {
    guard policy.decide(facts).action == .deny else { return [] }
    return all(of: facts).filter { policy.decide($0.left).action == .allow }.map { $0.piece }
  }
}

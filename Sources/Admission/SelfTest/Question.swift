internal import Base
internal import Policy
internal import Provenance
internal import Trust

/// Puts an object through the whole way of a load, up to the decision.
struct Question {
  /// The rule that is there besides DEFAULT DENY, without its operation.
  var rule: String
  /// The root hash that is asked for beforehand.
  var rootHash: Digest?
  /// Whose signatures count; nil for this machine's trust anchors.
  var trust: Trust?

  /// Allows what is under a root hash.
  static func trusting(_ rootHash: Digest, pinned: Bool = false) -> Question {
    Question(rule: "dmverity_roothash=\(rootHash)", rootHash: pinned ? rootHash : nil)
  }

  private var policy: [UInt8] {
    Array(
      """
      policy_name=self-test policy_version=1.0.0
      DEFAULT action=DENY
      op=BPF_PROG_LOAD \(rule) action=ALLOW

      """.utf8)
  }

  func ask(_ object: AdmissionRequest.Object) -> Answer {
    var request = AdmissionRequest(policy: policy, policyName: "self-test", auditDirectory: "/nonexistent")
    request.rootHash = rootHash
    request.trust = trust
    do throws(AdmissionError) {
      // Decides only: no record is written, and nothing reaches the kernel.
      let outcome = try Admission(request, .deciding([object], request)).admit()
      if outcome.isAllowed { return .allowed }
      // Where the question is who signed, the reason is what was found out about the signature.
      if trust != nil, let refusal = outcome.evidence.rootHashSignature?.refusal { return .refused(refusal) }
      let decision = outcome.ruling.deciding
      return .refused(
        Diagnostic("policy.denied", .denied, "\(decision.summary): \(decision.ruleText)"))
    } catch {
      return .refused(error.diagnostic)
    }
  }
}

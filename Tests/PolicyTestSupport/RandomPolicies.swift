public import Policy

/// Policies of a few rules about few values, so that facts of the same values meet them often.
public enum RandomPolicies {
  /// Digests that rules and facts choose from.
  public static let digests = (1...3).map { "sha256:" + String(repeating: "0\($0)", count: 32) }

  /// What a rule may ask for.
  private static let questions: [(name: String, values: [String])] = [
    ("dmverity_roothash", digests), ("x_signer", digests), ("x_object", digests), ("fsverity_digest", digests),
    ("dmverity_signature", ["TRUE", "FALSE"]), ("fsverity_signature", ["TRUE", "FALSE"]),
    ("bpf_signature", SignatureVerdict.allCases.map { $0.rawValue }), ("bpf_keyring", ["BPF", "USER", "BUILTIN"]),
    ("bpf_kernel", ["TRUE", "FALSE"]), ("x_witness", ["KERNEL", "USERSPACE", "BOTH"]),
    ("x_blocks_verified", ["TRUE", "FALSE"]), ("x_kernel_execute", ["TRUE", "FALSE"]),
    ("x_executed", ["TRUE", "FALSE"]),
    ("x_sig_source", ["KERNEL", "USERSPACE", "BOTH"]),
    ("x_path", ["/a", "/b", "/*", "/**"]),
    ("x_dmverity_mode", ["EIO", "LOGGING", "EIO,RESTART"]), ("x_image_name", ["demo", "evil"]),
    ("x_image_version_min", ["1.0", "2.0"]), ("x_class", ["RESTRICTED", "FULL"]), ("x_reads", ["NONE", "DECLARED"]),
    ("x_prog_type", ["xdp", "tracing", "xdp,tracing"]), ("x_requester_uid", ["0", "5"]),
    ("x_requester_path", ["/usr/bin/a", "/usr/bin/*"]), ("x_requester_object", digests),
    ("x_requester_dmverity_signature", ["TRUE", "FALSE"]),
    ("x_configured", ["TRUE", "FALSE"]), ("x_dynamic", ["TRUE", "FALSE"]), ("x_core_by_loader", ["TRUE", "FALSE"]),
  ]

  /// A policy's text and itself.
  ///
  /// - Parameter more: what else its rules may ask for, each name as often as it stands there.
  public static func next(
    _ generator: inout SeededGenerator, more: [(name: String, values: [String])] = []
  ) -> (text: String, policy: CompiledPolicy) {
    let questions = questions + more
    while true {
      var text = "policy_name=t policy_version=1.0.0\nDEFAULT action=\(generator.isOne(in: 4) ? "ALLOW" : "DENY")\n"
      for _ in 0..<Int.random(in: 1...6, using: &generator) {
        var words = ["op=BPF_PROG_LOAD"]
        for _ in 0..<Int.random(in: 0...2, using: &generator) {
          guard let question = questions.randomElement(using: &generator),
            let value = question.values.randomElement(using: &generator)
          else { continue }
          words.append("\(question.name)=\(value)")
        }
        text += words.joined(separator: " ") + " action=\(generator.isOne(in: 2) ? "ALLOW" : "DENY")\n"
      }
      // Two questions of one rule may exclude each other, which is an error.
      if let policy = try? CompiledPolicy(PolicyDocument.parse(Array(text.utf8), dialect: .verityBPF)) {
        return (text, policy)
      }
    }
  }
}

import Workbench
import Testing

/// Digest algorithms that no kernel prints: what is read can be written and read again.
@Suite struct StrangeDigestTests {
  @Test(arguments: [
    "\"s\u{0}\u{0}ha256\"", "\"sha256", "sh\u{1}a", "\"\"", "73686132353600", "\"7368\"", "?", "\"a:b\"",
  ])
  func comesBack(algorithm: String) {
    let rule = AuditEncoding.policyText("op=EXECUTE dmverity_roothash=\(algorithm):A8D4 action=DENY")
    let again = AuditEncoding.policyText(AuditEncoding.rule(rule))
    #expect(again == rule)
    // Nothing of the name can end the word or the rule.
    #expect(rule.utf8.allSatisfy { $0 >= 0x20 && $0 < 0x7f })
  }
}

@Suite struct DamagedNameTests {
  /// The opening quote of a name is not its closing one.
  @Test func aNameThatIsOnlyAQuoteIsDamage() {
    let line = "audit: type=1422 audit(1795366012.684:5): policy_name=\" policy_version=0.0.1 policy_digest=sha256:00"
    guard case .damaged = AuditReader.read(Array(line.utf8)) else {
      Issue.record("not damaged")
      return
    }
  }
}

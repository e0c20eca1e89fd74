import Policy
import Testing

/// Quirks that the recorded corpus has no row for, read from security/ipe/policy_parser.c and its KUnit table.
@Suite struct KernelParserTests {
  private func answer(_ text: String) -> String { answer(Array(text.utf8)) }
  private func answer(_ bytes: [UInt8]) -> String {
    KernelAnswer(to: PolicyDocument.parse(bytes, dialect: .kernel)).word
  }
  private let header = "policy_name=t policy_version=0.0.0\n"

  @Test(arguments: [
    ("1.2.3.4", "EBADMSG"), ("1.x.3.4", "EINVAL"), ("1.2.3.x", "EBADMSG"), ("99999999999999999999x.0.0", "ERANGE"),
    ("70000x.0.0", "EINVAL"), ("+.0.0", "EINVAL"), ("++1.0.0", "EINVAL"), ("+0065535.0.0", "ok"), ("0x1.0.0", "EINVAL"),
    ("65536.x.0", "ERANGE"), ("1..0", "EINVAL"), ("", "EBADMSG"), ("1", "EBADMSG"),
    ("18446744073709551616.0.0", "ERANGE"), ("18446744073709551615.0.0", "ERANGE"),
  ])
  func version(text: String, expected: String) {
    #expect(answer("policy_name=t policy_version=\(text)\nDEFAULT action=ALLOW\n") == expected)
  }

  @Test(arguments: [
    // The version is read before the word after it.
    ("policy_name=t policy_version=x more\nDEFAULT action=ALLOW", "EINVAL"),
    ("policy_name=t policy_version=1.0.0 more\nDEFAULT action=ALLOW", "EBADMSG"),
    ("policy_name=$@!*&^%%\\:;{}() policy_version=0.0.0\nDEFAULT action=ALLOW", "ok"),
    ("policy_name=a/b policy_version=0.0.0\nDEFAULT action=ALLOW", "EACCES"),
    ("policy_name=.. policy_version=0.0.0\nDEFAULT action=ALLOW", "EACCES"),
    ("policy_name=... policy_version=0.0.0\nDEFAULT action=ALLOW", "ok"),
    ("\r\n \t\r\npolicy_name=t policy_version=0.0.0\r\nDEFAULT action=ALLOW\r\n", "ok"),
    // No line continuation.
    ("policy_name=t \\\npolicy_version=0.0.0\nDEFAULT action=ALLOW", "EBADMSG"),
  ])
  func header(text: String, expected: String) {
    #expect(answer(text) == expected)
  }

  @Test(arguments: [
    ("DEFAULT action=ALLOW\nDEFAULT action=ALLOW", "EBADMSG"),
    ("DEFAULT op=EXECUTE action=ALLOW\nDEFAULT op=EXECUTE action=ALLOW\nDEFAULT action=DENY", "EBADMSG"),
    ("DEFAULT", "EBADMSG"), ("action=ALLOW", "EBADMSG"), ("op=EXECUTE", "EBADMSG"),
    ("DEFAULT DEFAULT action=ALLOW", "EBADMSG"), (" \t DEFAULT\taction=ALLOW", "ok"),
    ("DEFAULT action=ALLOW trailing", "EBADMSG"),
    ("DEFAULT action=DENY\nop=EXECUTE op=EXECUTE action=ALLOW", "EBADMSG"),
    // The words are read from left to right, and the first that is wrong gives the answer.
    ("DEFAULT action=DENY\nop=EXECUTE dmverity_roothash=sha256:xx action=NO", "EINVAL"),
    ("DEFAULT action=DENY\nop=EXECUTE nothing dmverity_roothash=sha256:xx action=NO", "EBADMSG"),
    ("DEFAULT op=EXECUTE dmverity_roothash=sha256:xx action=ALLOW", "EINVAL"),
    ("DEFAULT action=DENY\nop=EXECUTE dmverity_roothash=:ab action=ALLOW", "ok"),
    ("DEFAULT action=DENY\nop=EXECUTE fsverity_digest=: action=ALLOW", "ok"),
    ("DEFAULT action=DENY\nop=EXECUTE dmverity_roothash=a:b:c action=ALLOW", "EINVAL"),
    ("DEFAULT action=DENY\nop=EXECUTE x_path=/a action=ALLOW", "EBADMSG"),
    ("DEFAULT action=DENY\nop=EXECUTE boot_verified action=ALLOW", "EBADMSG"),
    // The error of an earlier line comes first.
    ("op=NO action=DENY\nop=EXECUTE fsverity_digest=a:zz action=ALLOW", "EBADMSG"),
    ("op=EXECUTE fsverity_digest=a:zz action=ALLOW\nop=NO action=DENY", "EINVAL"),
    ("DEFAULT action=DENY # action=ALLOW", "ok"), ("DEFAULT action=DENY#x", "ok"), ("DEFAULT # action=DENY", "EBADMSG"),
  ])
  func rule(text: String, expected: String) {
    #expect(answer(header + text) == expected)
  }

  @Test func operationDefaultsForAllOperationsAreEnough() {
    let defaults = Dialect.kernel.operations.map { "DEFAULT op=\($0.rawValue) action=DENY\n" }.joined()
    #expect(answer(header + defaults) == "ok")
  }

  @Test func anEmbeddedNULTruncates() {
    #expect(answer(Array((header + "DEFAULT action=ALLOW\n").utf8) + [0] + Array("nonsense".utf8)) == "ok")
    #expect(answer(Array((header + "DEFAULT action=AL").utf8) + [0] + Array("LOW".utf8)) == "EBADMSG")
  }

  @Test func namesOfAnyBytes() {
    let bytes = Array("policy_name=".utf8) + [0xff, 0xef] + Array(" policy_version=0.0.0\nDEFAULT action=ALLOW".utf8)
    let document = PolicyDocument.parse(bytes, dialect: .kernel)
    #expect(KernelAnswer(to: document).name == [0xff, 0xef])
    #expect(document.header?.nameText == "\\xff\\xef")
    #expect(!PolicyDocument.parse(bytes, dialect: .verityBPF).isValid)
  }
}

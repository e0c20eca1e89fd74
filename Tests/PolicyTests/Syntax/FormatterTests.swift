import Policy
import Testing

@Suite struct FormatterTests {
  /// What formatting promises: the same meaning, the same comments, and nothing left to do.
  private func check(_ bytes: [UInt8], _ dialect: Dialect, _ comment: Comment) {
    let document = PolicyDocument.parse(bytes, dialect: dialect)
    guard document.isValid else {
      #expect(document.formatted == nil, comment)
      return
    }
    guard let once = document.formatted else {
      Issue.record("a valid policy was not formatted: \(comment)")
      return
    }
    let again = PolicyDocument.parse(once, dialect: dialect)
    #expect(again.isValid && again.hasSameMeaning(as: document), comment)
    #expect(again.formatted == once, comment)
    #expect(Self.comments(again) == Self.comments(document), comment)
  }

  private static func comments(_ document: PolicyDocument) -> [[UInt8]] {
    document.syntax.lines.filter { $0.hasComment }.map { line in
      var bytes = Array(document.text[line.comment])
      while let last = bytes.last, last == 0x20 || (0x09...0x0d).contains(last) { bytes.removeLast() }
      return bytes
    }
  }

  @Test(arguments: Corpus.rows)
  func overTheCorpus(row: Corpus.Row) throws {
    let bytes = try Corpus.policy(row)
    for dialect in Dialect.allCases { check(bytes, dialect, "\(row.id), \(dialect)") }
  }

  @Test func overRandomPolicies() {
    let words = [
      "op=EXECUTE", "op=BPF_PROG_LOAD", "DEFAULT", "action=ALLOW", "action=DENY", "boot_verified=TRUE",
      "dmverity_roothash=sha256:" + String(repeating: "aB", count: 32), "x_prog_type=xdp,lsm", "x_path=/a/**/b?",
      "x_helpers=bpf_ktime_get_ns", "fsverity_digest=a:b0", " ", "\t", "# remark \t", "#", "\r\n", "\n", "\n\n\n", "\r",
    ]
    for _ in 0..<400 {
      var text = "\n# first\n policy_name=r\tpolicy_version=1.2.3 # who\nDEFAULT action=DENY\n"
      for _ in 0..<Int.random(in: 0...30) {
        text +=
          "op=EXECUTE " + (0..<Int.random(in: 0...2)).map { _ in words.randomElement() ?? "" }.joined(separator: " ")
        text += " action=ALLOW" + (words.randomElement() ?? "") + "\n"
        if Int.random(in: 0..<4) == 0 { text += "  # à remark à\n\n" }
      }
      // Lines that are no statement are taken out, one by one, until the text is valid.
      for dialect in Dialect.allCases { check(Array(text.utf8), dialect, "\(dialect): \(text)") }
    }
  }

  @Test func theCanonicalLayout() throws {
    let text = """


      # A policy.
      \t policy_name=a   policy_version=1.0.0   # its name


      DEFAULT\taction=DENY# no blank
        op=EXECUTE  fsverity_digest=sha256:\(String(repeating: "AB", count: 32))   action=ALLOW
      # last


      """
    let document = PolicyDocument.parse(Array(text.utf8), dialect: .kernel)
    let formatted = try #require(document.formatted)
    #expect(
      String(decoding: formatted, as: UTF8.self) == """
        # A policy.
        policy_name=a policy_version=1.0.0 # its name

        DEFAULT action=DENY # no blank
        op=EXECUTE fsverity_digest=sha256:\(String(repeating: "ab", count: 32)) action=ALLOW
        # last

        """)
  }

  /// Text behind a NUL byte is signed and not read; it must not come to life.
  @Test func textBehindANULStaysDead() throws {
    let bytes =
      Array("policy_name=a policy_version=1.0.0\nDEFAULT action=DENY".utf8) + [0]
      + Array("\nop=EXECUTE action=ALLOW\n".utf8)
    let document = PolicyDocument.parse(bytes, dialect: .kernel)
    let formatted = try #require(document.formatted)
    #expect(PolicyDocument.parse(formatted, dialect: .kernel).statements.count == 1)
    #expect(formatted.suffix(26) == bytes.suffix(26))
  }
}

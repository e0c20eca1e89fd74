import Base
import Policy
import Workbench
import Testing

@Suite struct CaseTests {
  private let policy = parse(
    "op=BPF_PROG_LOAD dmverity_signature=TRUE action=ALLOW\nop=BPF_PROG_LOAD bpf_signature=OK action=ALLOW")

  private func run(_ text: String) throws -> CaseRun {
    let cases = PolicyCases(Array(text.utf8))
    #expect(cases.diagnostics.isEmpty, "\(cases.diagnostics)")
    return CaseRun([("t.cases", cases)], policy: try CompiledPolicy(policy), document: policy)
  }

  @Test func casesPassAndFail() throws {
    let run = try run(
      """
      # Remarks are allowed anywhere.
      case "signed # image"   # here too
        given op=BPF_PROG_LOAD
        given dmverity_signature=TRUE bpf_signature=UNSIGNED
        expect ALLOW at line 3
      case "nothing known"
        expect DENY by DEFAULT
        given op=BPF_PROG_LOAD
      case "by text"
        given op=BPF_PROG_LOAD bpf_signature=OK
        expect ALLOW by op=BPF_PROG_LOAD bpf_signature=OK action=ALLOW
      case "wrong line"
        given op=BPF_PROG_LOAD bpf_signature=OK
        expect ALLOW at line 3
      case "wrong action"
        given op=EXECUTE
        expect ALLOW
      """)
    #expect(
      run.results.map { $0.name } == ["signed # image", "nothing known", "by text", "wrong line", "wrong action"])
    #expect(run.failures.map { $0.name } == ["wrong line", "wrong action"])
    #expect(run.coverage == 100 && run.uncovered.isEmpty)
    #expect(run.junit.contains("<testsuite name=\"policy\" tests=\"5\" failures=\"2\">"))
    #expect(run.json["failed"] == 2)
  }

  /// A case that passes because a denial did not apply says so.
  @Test func denialsThatDidNotApplyAreListed() throws {
    let policy = parse("op=BPF_PROG_LOAD x_signer=sha256:\(String(repeating: "0a", count: 32)) action=DENY")
    let cases = PolicyCases(Array("case \"a\"\n given op=BPF_PROG_LOAD\n expect DENY by DEFAULT\n".utf8))
    let run = CaseRun([("t.cases", cases)], policy: try CompiledPolicy(policy), document: policy)
    #expect(run.failures.isEmpty && run.results.first?.decision.unknownDenials.rules.map(\.statement.line) == [3])
    #expect(run.json.compact.contains("\"unknown_deny_rules\":[{\"line\":3,"))
  }

  @Test func coverageNamesTheLines() throws {
    let run = try run("case \"a\"\n given op=BPF_PROG_LOAD bpf_signature=OK\n expect ALLOW\n")
    #expect(run.coverage == 33 && run.uncovered.map { $0.line } == [2, 3])
  }

  /// A condition, a member or a rule that no case needs is named, with a case that notices its loss.
  @Test func whatNoCaseNotices() throws {
    let policy = parse(
      "op=BPF_PROG_LOAD dmverity_signature=TRUE x_prog_type=xdp,sched_cls action=ALLOW\n"
        + "op=BPF_PROG_LOAD bpf_signature=OK bpf_keyring=BUILTIN action=ALLOW\n"
        // Nothing changes without it.
        + "op=BPF_PROG_LOAD x_class=FULL action=DENY")
    let compiled = try CompiledPolicy(policy)
    var text = """
      case "xdp on signed"
        given op=BPF_PROG_LOAD dmverity_signature=TRUE x_prog_type=xdp
        expect ALLOW
      case "signed"
        given op=BPF_PROG_LOAD bpf_signature=OK bpf_keyring=BUILTIN
        expect ALLOW
      case "none"
        given op=BPF_PROG_LOAD
        expect DENY

      """
    func run() throws -> MutationRun {
      let cases = PolicyCases(Array(text.utf8))
      #expect(cases.diagnostics.isEmpty, "\(text)")
      let run = CaseRun([("t.cases", cases)], policy: compiled, document: policy, mutating: .removals)
      #expect(run.failures.isEmpty, "\(text)")
      return try #require(run.mutations)
    }
    let first = try run()
    #expect(first.isComplete)
    #expect(
      first.unnoticed.map { "\($0.mutant.line) \($0.mutant.part)" } == [
        "3 dmverity_signature=TRUE", "3 x_prog_type=xdp,sched_cls", "3 sched_cls of x_prog_type", "4 bpf_signature=OK",
        "4 bpf_keyring=BUILTIN",
      ])
    for one in first.unnoticed { text += one.caseText }
    let second = try run()
    #expect(second.coverage == 100 && second.unnoticed.isEmpty && second.count == first.count)
  }

  /// What no editor shows is named.
  @Test func byteOrderMarks() {
    let text = "policy_name=t policy_version=1.0.0\nDEFAULT action=DENY\n"
    let texts: [[UInt8]] = [
      [0xef, 0xbb, 0xbf] + Array(text.utf8), [0xff, 0xfe] + Array(text.utf8.map { [$0, 0] }.joined()),
    ]
    for bytes in texts {
      for dialect in Dialect.allCases {
        let first = PolicyDocument.parse(bytes, dialect: dialect).diagnostics.first { $0.severity == .error }
        #expect(first?.code == "policy.byte-order-mark" && first?.kernelError == .badMessage)
      }
    }
    let cases = PolicyCases([0xef, 0xbb, 0xbf] + Array("case \"a\"\n".utf8))
    #expect(cases.diagnostics.first?.message.contains("U+FEFF") == true)
  }

  @Test(arguments: [
    ("given op=EXECUTE", 1), ("case \"a\"\n expect ALLOW", 2), ("case \"a\"\n given op=EXECUTE", 2),
    ("case a\n given op=EXECUTE\n expect ALLOW", 1), ("case \"a\"\n given op=EXECUTE fs=tmpfs\n expect DENY", 2),
    ("case \"a\"\n given op=EXECUTE op=POLICY\n expect DENY", 2), ("case \"a\"\n given op=NO\n expect DENY", 2),
    ("case \"a\"\n given op=EXECUTE\n expect MAYBE", 3), ("case \"a\"\n given op=EXECUTE\n expect DENY at 3", 3),
    ("case \"a\"\n given op=EXECUTE word\n expect DENY", 2), ("nonsense", 1), ("", 1), ("case \"", 1),
    ("case \"a\"\n given op=EXECUTE\n expect DENY\n expect DENY", 4),
  ])
  func mistakesHaveAPlace(text: String, line: Int) {
    let cases = PolicyCases(Array(text.utf8))
    #expect(cases.diagnostics.first?.start.line == line, "\(cases.diagnostics)")
  }
}

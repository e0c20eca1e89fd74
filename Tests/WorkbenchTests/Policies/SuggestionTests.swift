import Base
import KernelABI
import Policy
import Testing

@testable import Workbench

/// Suggested rules allow exactly the denials they are for.
@Suite struct SuggestionTests {
  private static func digest(_ byte: String) -> String { String(repeating: byte, count: 32) }

  /// A decision of `audit.jsonl`.
  private static func own(
    _ decision: String, rootHash: String? = "46", object: String = "9c", type: String = "xdp", more: String = ""
  ) -> String {
    let root = rootHash.map { #""dmverity_roothash":"sha256:\#(digest($0))","x_witness":"USERSPACE","# } ?? ""
    return #"{"schema":"verity-bpf/audit/1","time":"2026-11-22T16:46:52.941Z","event":"7","stage":"decision","#
      + #""op":"BPF_PROG_LOAD","decision":"\#(decision)","rule":"DEFAULT action=DENY","path_in_image":"\#(object).o","#
      + #""facts":[{"op":"BPF_PROG_LOAD",\#(root)\#(more)"bpf_signature":"UNSIGNED","#
      + #""x_object":"sha256:\#(digest(object))","x_prog_type":["\#(type)"],"x_configured":false}]}"#
  }

  private static func kernel(_ rule: String, path: String = "/bin/a", device: String = "dm-0") -> String {
    #"type=1420 msg=audit(1795366012.941:14): ipe_op=EXECUTE ipe_hook=MMAP enforcing=1 pid=1 comm="a" "#
      + #"path="\#(path)" dev="\#(device)" ino=3 rule="\#(rule)""#
  }

  private static func suggestion(_ log: [String], from: PolicyDocument? = nil) throws -> PolicySuggestion {
    var suggestion = PolicySuggestion(base: try from.map { try CompiledPolicy($0) })
    for found in LogFormsTests.items(Array(log.joined(separator: "\n").utf8)) {
      guard case .record(let origin, let record) = found.item else {
        Issue.record("line \(found.line): \(found.item)")
        continue
      }
      suggestion.add(record, at: PolicySuggestion.Place(log: "log", line: found.line, origin: origin))
    }
    return suggestion
  }

  /// The lines of the log that a policy allows.
  private static func allowed(_ log: [String], by text: [UInt8]) throws -> [Int] {
    let document = PolicyDocument.parse(text, dialect: .verityBPF)
    #expect(document.isValid && document.diagnostics.isEmpty, "\(document.diagnostics)")
    let findings = PolicyLint.findings(document)
    #expect(findings.isEmpty, "\(findings)")
    var replay = Replay(policy: try CompiledPolicy(document))
    return LogFormsTests.items(Array(log.joined(separator: "\n").utf8)).compactMap {
      guard case .answer(let answer) = replay.replay($0.item, line: $0.line) else { return nil }
      return answer.replayed == .allow ? answer.line : nil
    }
  }

  private static let log = [
    own("deny"), own("deny", type: "sched_cls"), own("allow", object: "11"), own("deny", rootHash: nil, object: "22"),
    own("deny", object: "33", more: #""doubts":["root-hash"],"#), own("deny", object: "44"),
    kernel("DEFAULT action=DENY", path: "/tmp/x"), kernel("DEFAULT action=ALLOW"),
    kernel(#"op=EXECUTE dmverity_roothash="sha256":\#(digest("AB")) action=DENY"#),
    kernel("REFUSED code=object.unknown-section action=DENY"),
  ]

  @Test func aPolicyOfItsOwn() throws {
    let log = Self.log.filter { !$0.contains("doubts") }
    let suggestion = try Self.suggestion(log)
    let policy = SuggestedPolicy(name: "suggested", suggestion: suggestion)
    let text = String(decoding: policy.text, as: UTF8.self)
    #expect(policy.rules.count == 3 && policy.withoutEffect.isEmpty, "\(text)")
    #expect(try Self.allowed(log, by: policy.text) == [1, 2, 5, 8])
    #expect(
      text.contains("# 2 denials, 2026-11-22T16:46:52.941Z (event 7) to 2026-11-22T16:46:52.941Z (event 7): 9c.o\n"))
    #expect(text.contains("# denied by: op=EXECUTE dmverity_roothash=sha256:\(Self.digest("ab")) action=DENY\n"))
    #expect(
      text.contains(
        "op=BPF_PROG_LOAD dmverity_roothash=sha256:\(Self.digest("46")) x_object=sha256:\(Self.digest("9c")) "
          + "x_configured=FALSE x_prog_type=sched_cls,xdp action=ALLOW\n"))
    let reasons = suggestion.omissionList.map(\.reason)
    #expect(reasons.count == 3 && suggestion.denied == 7)
    #expect(reasons.contains { $0.contains("nothing vouches for the bytes") })
    #expect(reasons.contains { $0.contains("a path is no identity") })
    #expect(reasons.contains { $0.contains("object.unknown-section") })
  }

  @Test func whatIsInDoubt() throws {
    let suggestion = try Self.suggestion([Self.log[4]])
    // The name of a doubt that this version does not know makes the record's facts unreadable: no rule either.
    #expect(suggestion.ruleList.isEmpty && suggestion.omissionList.count == 1)
    let kernelAlone = Self.own("deny").replacing("USERSPACE", with: "KERNEL")
    #expect(try Self.suggestion([kernelAlone]).ruleList.isEmpty)
    let weak = Self.own("deny").replacing(
      "sha256:\(Self.digest("46"))", with: "sha1:\(String(repeating: "a", count: 40))")
    #expect(try Self.suggestion([weak]).ruleList.isEmpty)
  }

  /// Into another policy: nothing of it changes, and each rule stands where it takes effect.
  @Test(arguments: [
    "DEFAULT action=DENY\n", "DEFAULT action=DENY\nop=BPF_PROG_LOAD x_prog_type=lsm action=DENY\n",
    "DEFAULT action=DENY\nop=BPF_PROG_LOAD x_signer=sha256:\(digest("77")) action=DENY\n",
    "DEFAULT action=DENY\nop=BPF_PROG_LOAD dmverity_roothash=sha256:\(digest("01")) action=ALLOW\n"
      + "op=BPF_PROG_LOAD action=DENY\nop=EXECUTE boot_verified=TRUE action=ALLOW\n",
    "DEFAULT action=DENY\nop=EXECUTE action=DENY",
  ])
  func fromAPolicy(_ rules: String) throws {
    let log = Self.log.filter { !$0.contains("doubts") }
    let base = PolicyDocument.parse(Array("policy_name=a policy_version=1.0.0\n\(rules)".utf8), dialect: .verityBPF)
    let policy = SuggestedPolicy(base, try Self.suggestion(log, from: base))
    let text = String(decoding: policy.text, as: UTF8.self)
    #expect(policy.rules.count == 3 && policy.withoutEffect.isEmpty, "\(text)")
    let document = PolicyDocument.parse(policy.text, dialect: .verityBPF)
    #expect(document.isValid, "\(document.diagnostics)")
    var replay = Replay(policy: try CompiledPolicy(document))
    let allowed = LogFormsTests.items(Array(log.joined(separator: "\n").utf8)).compactMap { found -> Int? in
      guard case .answer(let answer) = replay.replay(found.item, line: found.line) else { return nil }
      return answer.replayed == .allow ? answer.line : nil
    }
    #expect(allowed == [1, 2, 5, 8], "\(text)")
    // Without the new lines it is the old text.
    let old = base.statements.map(\.canonicalText)
    #expect(document.statements.map(\.canonicalText).filter { old.contains($0) } == old)
    // With the rules in it, nothing more is suggested.
    #expect(try Self.suggestion(log, from: document).ruleList.isEmpty)
  }

  /// Names from outside can neither end a comment nor hide in it.
  @Test func commentsAreOneLine() throws {
    let name = "a\u{202e}\u{e0}\nop=BPF_PROG_LOAD action=ALLOW"
    let record = Self.own("deny").replacing(
      #""path_in_image":"9c.o""#, with: #""path_in_image":"a\u202e\u00e0\nop=BPF_PROG_LOAD action=ALLOW""#)
    let policy = SuggestedPolicy(name: "suggested", suggestion: try Self.suggestion([record]))
    #expect(try Self.allowed([record], by: policy.text) == [1])
    let document = PolicyDocument.parse(policy.text, dialect: .verityBPF)
    #expect(document.statements.count == 2 && !policy.text.contains(0xe2))
    #expect(SuggestedPolicy.plain(name) == #"a\u{202e}\u{e0}\u{a}op=BPF_PROG_LOAD action=ALLOW"#)
  }
}

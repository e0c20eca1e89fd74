import Linux
import Policy
import Workbench
import Testing

@Suite struct ReplayTests {
  static let fixtures: String = {
    let parts = #filePath.split(separator: "/").dropLast(3)
    return "/" + parts.joined(separator: "/") + "/Fixtures/ipe-corpus"
  }()

  static func read(_ path: String) throws -> [UInt8] {
    try OwnedFD.open("\(fixtures)/\(path)", .readOnly).readToEnd(limit: 1 << 22) ?? []
  }

  private func answers(_ replay: Replay, _ log: [UInt8]) -> [Replay.Entry] {
    var replay = replay
    return LogFormsTests.items(log).map { replay.replay($0.item, line: $0.line) }
  }

  private func answer(_ replay: Replay, _ line: [UInt8]) -> Replay.Entry? { answers(replay, line).first }

  /// The kernel's own records against the policy of which they are: no decision changes, whatever the record leaves open.
  @Test func recordsAgreeWithTheirPolicy() throws {
    let log = try Self.read("audit-records.txt")
    let document = PolicyDocument.parse(try Self.read("decisions/a-boot-dmv.pol"), dialect: .kernel)
    let replay = Replay(policy: try CompiledPolicy(document), recordedUnder: document)
    let lines = log.split(separator: 0x0a).map { Array($0) }
    // The records between the load of a-boot-dmv and the activation of the next policy.
    let first = try #require(
      lines.firstIndex { String(decoding: $0, as: UTF8.self).contains("policy_name=\"a-boot-dmv\"") })
    let last = try #require(
      lines.firstIndex { String(decoding: $0, as: UTF8.self).contains("new_active_pol_name=\"b-dmv-only\"") })
    var count = 0
    for line in lines[first..<last] {
      guard case .answer(let answer)? = self.answer(replay, line) else { continue }
      count += 1
      #expect(answer.recorded == .deny && answer.replayed == .deny && answer.changes == false)
    }
    #expect(count == 5)
  }

  @Test func everyDecisionRecordGivesAnAnswer() throws {
    let policy = try CompiledPolicy(PolicyDocument.parse(try Self.read("decisions/i-noprops.pol"), dialect: .kernel))
    let entries = answers(Replay(policy: policy), try Self.read("audit-records.txt"))
    #expect(entries.count { if case .answer = $0 { true } else { false } } == 96)
    // `op=EXECUTE action=DENY` decides whatever the record leaves open.
    for case .answer(let answer) in entries {
      #expect(answer.replayed == (answer.operation == "EXECUTE" ? .deny : .allow))
      #expect(answer.changes == (answer.recorded != answer.replayed))
    }
  }

  @Test func anOpenAnswerNamesItsLine() throws {
    let policy = try CompiledPolicy(parse("op=EXECUTE dmverity_signature=TRUE action=ALLOW"))
    let record =
      #"type=1420 audit(1.002:3): ipe_op=EXECUTE ipe_hook=MMAP enforcing=1 pid=1 comm="a" path="/b" dev="c" ino=3 rule="DEFAULT action=DENY""#
    guard case .answer(let open)? = answer(Replay(policy: policy), Array(record.utf8)) else {
      Issue.record("no answer")
      return
    }
    #expect(open.replayed == nil && open.rule?.line == 3)
    // Memory without a file is never on a signed volume, so there the answer is certain.
    let anonymous = record.replacing(#"path="/b" dev="c" ino=3"#, with: "path=? dev=? ino=?")
    guard case .answer(let certain)? = answer(Replay(policy: policy), Array(anonymous.utf8)) else {
      Issue.record("no answer")
      return
    }
    #expect(certain.replayed == .deny)
  }

  @Test func ownRecordsReplayExactly() throws {
    let policy = try CompiledPolicy(parse("op=BPF_PROG_LOAD x_prog_type=xdp action=ALLOW"))
    let record = """
      {"schema":"verity-bpf/audit/1","stage":"decision","decision":"deny","rule":"DEFAULT action=DENY",
       "facts":[{"op":"BPF_PROG_LOAD","x_prog_type":["xdp"]},{"op":"BPF_PROG_LOAD","x_prog_type":["PLACE"]}]}
      """.replacing("\n", with: " ")
    for (type, expected) in [("xdp", Action.allow), ("lsm", .deny)] {
      let line = record.replacing("PLACE", with: type)
      guard case .answer(let answer)? = self.answer(Replay(policy: policy), Array("\n\n\n\(line)".utf8)) else {
        Issue.record("no answer")
        continue
      }
      #expect(answer.recorded == .deny && answer.replayed == expected && answer.line == 4)
    }
    guard case .damaged? = answer(Replay(policy: policy), Array(record.utf8.dropLast(4))) else {
      Issue.record("a cut record was not reported")
      return
    }
  }

  @Test func aCutLogIsUsedAndReported() throws {
    let log = try Self.read("audit-records.txt")
    let policy = try CompiledPolicy(parse(""))
    let end = try #require(log.lastIndex(of: 0x22))
    var damaged = 0
    var answered = 0
    for entry in answers(Replay(policy: policy), Array(log[..<(end - 10)])) {
      switch entry {
      case .answer: answered += 1
      case .damaged: damaged += 1
      case .withoutDecision: break
      case .undecided: Issue.record("the kernel writes decisions alone")
      }
    }
    #expect(damaged == 1 && answered == 95)
  }
}

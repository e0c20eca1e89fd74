import Base
import Policy
import Testing
import Workbench

/// This program's own records beside the kernel's: read as they were written, and never taken for decisions.
@Suite struct AttemptTextTests {
  private let stamp = AuditStamp(seconds: 1, milliseconds: 2, serial: 3)

  private func attempt(_ stage: AttemptRecord.Stage, name: [UInt8], file: AccessRecord.File?) -> AuditRecord {
    .attempt(
      AttemptRecord(
        operation: "BPF_PROG_LOAD", pid: 7, command: name, file: file, uid: 0, gid: nil, auid: 1000, executable: name,
        event: "1.2-7.0", stage: stage))
  }

  private func refusal(_ name: [UInt8]) -> AuditRecord {
    .refusal(
      RefusalRecord(
        access: AccessRecord(
          operation: "BPF_PROG_LOAD", hook: "BPF_PROG_LOAD", enforcing: true, pid: 7, command: name,
          file: AccessRecord.File(path: name, device: name, inode: nil), rule: ""), code: "erofs.not-found"))
  }

  @Test func isReadAsWritten() {
    for name: [UInt8] in [Array("a".utf8), Array("a\" result=crashed".utf8), [0, 10, 255]] {
      let file = AccessRecord.File(path: name, device: name, inode: nil)
      for stage in AttemptRecord.Stage.allCases {
        for record in [attempt(stage, name: name, file: file), attempt(stage, name: name, file: nil), refusal(name)] {
          let line = record.line(stamp, daemon: true)
          #expect(!line.contains("\n") && AuditReader.read(Array(line.utf8)) == .record(stamp, record), "\(line)")
        }
      }
    }
  }

  @Test func whatIsNotKnownIsSaid() {
    let line = attempt(.attempt, name: [0x61], file: nil).line(stamp)
    let other = line.replacing("result=attempt", with: "result=levitated")
    guard case .damaged(let reason) = AuditReader.read(Array(other.utf8)) else {
      Issue.record("taken for something else")
      return
    }
    #expect(reason.contains("levitated"))
    // Other programs' records of this type are theirs.
    #expect(AuditReader.read(Array("type=1121 msg=audit(1.002:3): pid=1 res=success".utf8)) == .other)
  }

  @Test func replayDecidesNoneOfThem() throws {
    let policy = try CompiledPolicy(
      PolicyDocument.parse(
        Array("policy_name=a policy_version=1.0.0\nDEFAULT action=ALLOW\n".utf8), dialect: .verityBPF))
    func entry(_ text: String) -> Replay.Entry? {
      var replay = Replay(policy: policy)
      return LogLine.first(in: Array(text.utf8)).map { replay.replay($0, line: 1) }
    }
    func undecided(_ text: String) -> Replay.Undecided? {
      guard case .undecided(let kind)? = entry(text) else { return nil }
      return kind
    }
    let json = { (rest: String) in #"{"schema":"verity-bpf/audit/1","event":"1",\#(rest)}"# }
    #expect(undecided(attempt(.attempt, name: [0x61], file: nil).line(stamp)) == .attempt)
    #expect(undecided(attempt(.crashed, name: [0x61], file: nil).line(stamp)) == .ending)
    #expect(undecided(refusal([0x61]).line(stamp)) == .refusal)
    #expect(undecided(json(#""stage":"attempt""#)) == .attempt)
    #expect(undecided(json(#""stage":"outcome","outcome":{"result":"refused"}"#)) == .refusal)
    for result in ["crashed", "interrupted", "not-begun"] {
      #expect(undecided(json(#""stage":"outcome","outcome":{"result":"\#(result)"}"#)) == .ending)
    }
    guard case .withoutDecision? = entry(json(#""stage":"outcome","outcome":{"result":"loaded"}"#)) else {
      Issue.record("an outcome")
      return
    }
    for strange in [#""stage":"rehearsal""#, #""decision":"allow""#, #""stage":"decision""#] {
      guard case .damaged? = entry(json(strange)) else {
        Issue.record("not said: \(strange)")
        continue
      }
    }
  }
}

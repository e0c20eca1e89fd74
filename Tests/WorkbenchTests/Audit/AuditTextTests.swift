import Workbench
import Linux
import Testing

@Suite struct AuditTextTests {
  static let log: [String] = {
    let parts = #filePath.split(separator: "/").dropLast(3)
    let path = "/" + parts.joined(separator: "/") + "/Fixtures/ipe-corpus/audit-records.txt"
    guard let file = try? OwnedFD.open(path, .readOnly), let bytes = try? file.readToEnd(limit: 1 << 22) else {
      return []
    }
    return String(decoding: bytes, as: UTF8.self).split(separator: "\n").map { String($0) }
  }()

  /// Every record the kernel printed is read, and written again byte for byte.
  @Test func kernelRecordsSurviveARoundTrip() throws {
    var counts: [Int: Int] = [:]
    for line in Self.log {
      switch AuditReader.read(Array(line.utf8)) {
      case .record(let stamp, let record):
        counts[record.type, default: 0] += 1
        let start = try #require(line.firstRange(of: "type="))
        #expect(record.line(stamp) == line[start.lowerBound...])
        let daemon = record.line(stamp, daemon: true)
        #expect(AuditReader.read(Array(daemon.utf8)) == .record(stamp, record))
      case .other: #expect(line.hasSuffix("): "), "\(line)")
      case .damaged(let why): Issue.record("\(why): \(line)")
      }
    }
    #expect(counts[1420] == 96 && counts[1421] == 9 && counts[1422] == 14)
  }

  @Test func nestedQuotesAreUndone() throws {
    let line = try #require(Self.log.first { $0.contains("\"sha256\"") })
    guard case .record(_, .access(let record)) = AuditReader.read(Array(line.utf8)) else {
      Issue.record("not read")
      return
    }
    #expect(
      record.rule
        == "op=EXECUTE dmverity_roothash=sha256:a8d490871bcc5829ec43a908c6d24c9e6f031dc5ea8fdf07138cee393ebd06ae action=DENY"
    )
  }

  @Test func otherProducersOfTheSameRecord() {
    let fields =
      #"ipe_op=EXECUTE ipe_hook=MMAP enforcing=0 pid=7 comm=612062 path=? dev=? ino=? rule="DEFAULT action=DENY""#
    for head in [
      "type=IPE_ACCESS msg=audit(12.007:3): ", "type=UNKNOWN[1420] msg=audit(12.007:3): ",
      "Nov 1 host kernel: audit: type=1420 audit(12.007:3): ",
    ] {
      for tail in ["", "\u{1d}ARCH=x86_64"] {
        guard case .record(let stamp, .access(let record)) = AuditReader.read(Array((head + fields + tail).utf8)) else {
          Issue.record("not read: \(head)")
          continue
        }
        #expect(stamp == AuditStamp(seconds: 12, milliseconds: 7, serial: 3))
        #expect(record.command == Array("a b".utf8) && record.file == nil && !record.enforcing)
      }
    }
    #expect(
      AuditReader.read(Array("type=1404 audit(1.002:3): enforcing=1 old_enforcing=0 auid=1 ses=1".utf8)) == .other)
    #expect(AuditReader.read(Array("type=1300 audit(1.002:3): arch=c000003e".utf8)) == .other)
  }

  @Test func aFailedLoadIsReadAndWritten() {
    let record = AuditRecord.load(
      LoadRecord(policy: nil, subject: AuditSubject(auid: 1000, session: 2), succeeded: false, errno: -74))
    let stamp = AuditStamp(seconds: 1, milliseconds: 50, serial: 9)
    let line = record.line(stamp)
    #expect(
      line
        == "type=1422 audit(1.050:9): policy_name=? policy_version=? policy_digest=? auid=1000 ses=2 lsm=ipe res=0 errno=-74"
    )
    #expect(AuditReader.read(Array(line.utf8)) == .record(stamp, record))
  }

  /// Names from outside cannot end their field: whatever they hold comes back as it was.
  @Test func untrustedStringsSurvive() {
    for name: [UInt8] in [
      [], [0x22], Array("a\" rule=\"x".utf8), [0, 10, 255], Array("plain-name".utf8), Array("é".utf8),
    ] {
      let record = AuditRecord.access(
        AccessRecord(
          operation: "BPF_PROG_LOAD", hook: "BPF_PROG_LOAD", enforcing: true, pid: 1, command: name,
          file: AccessRecord.File(path: name, device: Array("dm-0".utf8), inode: 3), rule: "DEFAULT action=DENY"))
      let stamp = AuditStamp(seconds: 1, milliseconds: 1, serial: 1)
      #expect(AuditReader.read(Array(record.line(stamp).utf8)) == .record(stamp, record))
      #expect(!record.line(stamp).contains("\n"))
    }
  }

  /// A log cut anywhere is damaged or whole, never something else.
  @Test func everyCutIsReported() throws {
    for type in ["1420", "1421", "1422"] {
      let line = try #require(Self.log.first { $0.contains("type=\(type)") })
      let bytes = Array(line.utf8)
      let begins = try #require(bytes.firstIndex(of: 0x29))
      for end in begins..<bytes.count {
        switch AuditReader.read(bytes[..<end]) {
        case .damaged: break
        case .other: Issue.record("cut at \(end) is taken for another line")
        case .record(let stamp, let record):
          // Only what stands behind the last field that is read may be missing.
          let type = try #require(line.firstRange(of: "type="))
          let whole = record.line(stamp)
          #expect(whole == line[type.lowerBound...] && end >= bytes.count - 6, "cut at \(end)")
        }
      }
    }
  }
}

@Suite struct AuditRuleTests {
  /// Whatever stands in a rule: reading, writing and reading again gives the same. Found by fuzzing.
  @Test(arguments: [
    "op=EXECUTE dmverity_roothash=\"sha256\":AB action=DENY", "op=EXECUTE dmverity_roothash=2041:AB action=DENY",
    "op=EXECUTE dmverity_roothash=\"a:b\":AB action=DENY", "op=EXECUTE fsverity_digest=\"\":AB action=DENY",
    "op=EXECUTE fsverity_digest=\"sha256\":ß action=DENY", "op=EXECUTE dmverity_roothash= action=DENY",
    "op=EXECUTE dmverity_roothash=\":\" action=DENY", "op=EXECUTE dmverity_roothash=41:AB action=DENY",
  ])
  func oddRulesAreStable(rule: String) {
    let text = AuditEncoding.policyText(rule)
    #expect(AuditEncoding.policyText(AuditEncoding.rule(text)) == text)
  }
}

import Base
import Linux
import TestSupport
import Testing
import Trust

@testable import Admission

/// The files of the audit log: what others leave behind in them, and whose they are.
@Suite struct AuditLogTests {
  private let directory: TemporaryDirectory
  private let audit: String

  init() throws {
    directory = try TemporaryDirectory()
    audit = directory.file("audit")
  }

  private func open() throws -> AuditLog { try AuditLog.open(directory: audit, sync: .none) }

  private func lines(_ name: String) throws -> [String] {
    String(decoding: try directory.read("audit/\(name)"), as: UTF8.self).split(
      separator: "\n", omittingEmptySubsequences: false
    ).map { String($0) }
  }

  /// A record that was cut, by a power cut for example, does not swallow the next one.
  @Test func aCutRecordIsEndedFirst() throws {
    try open().append(text: "first")
    for left in ["cut", "cut again\nand aga", "\n"] {
      let before = try directory.read("audit/audit.log")
      try directory.write("audit/audit.log", before + left.utf8)
      try Tools.run("chmod", "600", directory.file("audit/audit.log"))
      let log = try open()
      try log.append(text: "next")
      try log.append(text: "last")
      #expect(try lines("audit.log").suffix(3) == ["next", "last", ""])
      #expect(try lines("audit.log").contains("first"))
    }
  }

  /// Rotation by rename, and by copy and cut, while the log is open.
  @Test func rotationIsFollowed() throws {
    let log = try open()
    try log.append(text: "one")
    try Tools.run("mv", directory.file("audit/audit.log"), directory.file("audit/audit.log.1"))
    try log.append(text: "two")
    #expect(try lines("audit.log.1") == ["one", ""] && lines("audit.log") == ["two", ""])
    // Another program makes the new file.
    try Tools.run("mv", directory.file("audit/audit.log"), directory.file("audit/audit.log.2"))
    try Tools.run("install", "-m", "640", "/dev/null", directory.file("audit/audit.log"))
    try log.append(text: "three")
    #expect(try lines("audit.log") == ["three", ""])
    try Tools.run("truncate", "-s", "0", directory.file("audit/audit.log"))
    try log.append(text: "four")
    #expect(try lines("audit.log") == ["four", ""])
    // And one that records may not be written to.
    try Tools.run("rm", directory.file("audit/audit.log"))
    try Tools.run("mkfifo", directory.file("audit/audit.log"))
    #expect(throws: AuditError.self) { try log.append(text: "five") }
  }

  /// The same when nothing in the directory was changed for long, so that names are taken for unchanged.
  @Test func aLateRotationIsFollowed() throws {
    let log = try open()
    for round in 0..<3 {
      Timestamp.pause(milliseconds: 60)
      for text in ["one", "two"] { try log.append(text: text) }
      let path = directory.file("audit/audit.log")
      try Tools.run("mv", path, "\(path).\(round)")
      try log.append(text: "three")
      #expect(try lines("audit.log") == ["three", ""])
      #expect(try lines("audit.log.\(round)").suffix(3) == ["one", "two", ""])
    }
    // With the files the lock is gone, and others lock the one that they make.
    Timestamp.pause(milliseconds: 60)
    try log.append(text: "four")
    try Tools.run("sh", "-c", "rm \(audit)/*")
    let other = try open()
    try log.append(text: "five")
    try other.append(text: "six")
    #expect(try lines("audit.log") == ["five", "six", ""])
  }

  /// The records of attempts, as they are written all at once, and one as it is repeated when the attempt is closed.
  @Test func attemptsAreWrittenAsTheyAreRepeated() throws {
    var request = AdmissionRequest(policy: [], policyName: "p\"q", auditDirectory: audit)
    request.pinPath = "/sys/fs/bpf/x"
    request.attaches = true
    let objects: [AdmissionRequest.Object] = [
      .descriptor(1000), .image(path: "i.raw", object: "/o"), .file("loose.bpf.o"), .file("/dev/null"),
    ]
    let run = AskedRun(AskedObject.all(objects), request)
    let written = try run.lines(at: .now()).objects.split(separator: UInt8(ascii: "\n")).map {
      try JSONValue.parse(Array($0))
    }
    func untimed(_ record: JSONValue?) -> [JSONValue.Member] {
      guard case .object(let members)? = record else { return [] }
      return members.filter { $0.name != "time" }
    }
    #expect(written.count == objects.count)
    for (record, event) in zip(written, run.events) {
      #expect(untimed(record) == untimed(run.record(of: event)) && record["event"] == .string(event))
      #expect(record["attach"] == true && record["pin_path"] == "/sys/fs/bpf/x")
    }
    #expect(run.record(of: "\(run.name).4") == nil && run.record(of: "other.0") == nil)
  }

  /// What records are not written to, by name and without waiting for anything.
  @Test(
    arguments: [
      ("fifo", "a fifo"), ("socket", "a socket"), ("link", "a symbolic link"), ("directory", "a directory"),
      ("writable", "mode 622"), ("group", "mode 660"),
    ], ["audit.log", "audit.jsonl", "audit.lock"])
  func refusesOtherFiles(what: (kind: String, found: String), name: String) throws {
    try Directory.create(audit, mode: 0o700)
    let path = "\(audit)/\(name)"
    switch what.kind {
    case "fifo": try Tools.run("mkfifo", path)
    case "socket": try Tools.run("python3", "-c", "import socket,sys; socket.socket(1).bind(sys.argv[1])", path)
    case "link": try Tools.run("ln", "-s", directory.file("elsewhere"), path)
    case "directory": try Directory.create(path)
    case "writable": try Tools.run("install", "-m", "622", "/dev/null", path)
    default: try Tools.run("install", "-m", "660", "/dev/null", path)
    }
    do {
      _ = try open()
      Issue.record("\(what.kind) is taken for a log")
    } catch let error as AuditError {
      guard case .place(path, _, what.found) = error else {
        Issue.record("\(error)")
        return
      }
    }
    #expect((try? FileStatus.of(path: directory.file("elsewhere"))) == nil)
  }

  @Test func refusesOtherDirectories() throws {
    func expect(_ path: String, _ found: String) throws {
      do throws(AuditError) {
        _ = try AuditLog.open(directory: path, sync: .none)
        Issue.record("\(path) is taken for an audit directory")
      } catch {
        guard case .place(_, _, found) = error else {
          Issue.record("\(error)")
          return
        }
      }
    }
    try Directory.create(audit, mode: 0o700)
    try Tools.run("ln", "-s", "audit", directory.file("link"))
    try expect(directory.file("link"), "a symbolic link")
    try expect(directory.file("link/"), "a symbolic link")
    try expect(try directory.write("file", "text"), "a regular file")
    try Tools.run("mkfifo", directory.file("fifo"))
    try expect(directory.file("fifo"), "a fifo")
    try Directory.create(directory.file("open"))
    try Directory.setPermissions(directory.file("open"), 0o777)
    try expect(directory.file("open"), "mode 777")
    guard Tools.isRoot else { return print("skipped: giving files away needs root") }
    try Directory.create(directory.file("theirs"))
    try Tools.run("chown", "12345", directory.file("theirs"))
    try expect(directory.file("theirs"), "it belongs to user 12345")
    try Tools.run("chown", "12345", "\(audit)")
    try Tools.run("chown", "0", "\(audit)")
    for (name, major, minor) in [("audit.log", "1", "3"), ("audit.jsonl", "1", "5")] {
      try Tools.run("mknod", "\(audit)/\(name)", "c", major, minor)
      #expect(throws: AuditError.self) { try open() }
      try Tools.run("rm", "\(audit)/\(name)")
    }
    try Tools.run("install", "-o", "12345", "-m", "600", "/dev/null", "\(audit)/audit.log")
    #expect(throws: AuditError.self) { try open() }
  }

  @Test func theLockIsItsOwnersAlone() throws {
    _ = try open()
    try Directory.setPermissions("\(audit)/audit.lock", 0o644)
    #expect(throws: AuditError.self) { try open() }
  }
}

/// Runs that ended without recording how.
@Suite struct CrashedRunTests {
  private let directory: TemporaryDirectory
  private let audit: String
  private let boot = KernelSettings.bootID()
  private let namespace = ProcessIdentity.namespace()

  init() throws {
    directory = try TemporaryDirectory()
    audit = directory.file("audit")
    try Directory.create(audit, mode: 0o700)
  }

  /// A process id that no process has had since the machine was started: above the kernel's highest (PID_MAX_LIMIT).
  private static let nobody = 4_194_304 + 7

  private func name(
    pid: Int = nobody, startTime: UInt64? = 1, boot: String?, namespace: UInt64?, inode: UInt64 = 1, offset: UInt64 = 0
  ) -> RunName {
    RunName(
      run: "12.34-\(pid)", startTime: startTime, bootID: boot, namespace: namespace, inode: inode, offset: offset)
  }

  @Test func namesAreReadAsWritten() {
    for known in [name(boot: boot, namespace: namespace), name(startTime: nil, boot: nil, namespace: nil)] {
      #expect(RunName(fileName: known.fileName) == known)
    }
    for other in ["audit.log", "running", "running_1_2_3_4_5", "running_x_1_b_1_1_1", "running_1.2-3_1_b_1_1_x"] {
      #expect(RunName(fileName: other) == nil, "\(other)")
    }
  }

  /// A run is closed only when it is known to have ended.
  @Test func whatMayLiveIsLeftAlone() throws {
    func hasEnded(_ name: RunName, held: Bool = false) -> Bool {
      name.hasEnded(bootID: boot, namespace: namespace, isHeld: held)
    }
    let this = ProcessIdentity.current()
    let mine = name(pid: Int(this.pid), startTime: this.startTime, boot: boot, namespace: namespace)
    #expect(!hasEnded(mine))
    // Another process has the id now.
    let earlier = name(pid: Int(this.pid), startTime: (this.startTime ?? 0) - 1, boot: boot, namespace: namespace)
    #expect(hasEnded(earlier) && !hasEnded(earlier, held: true))
    #expect(hasEnded(name(boot: boot, namespace: namespace)))
    #expect(!hasEnded(name(boot: boot, namespace: namespace), held: true))
    // Where it cannot be known.
    #expect(!hasEnded(name(boot: boot, namespace: 1)) && !hasEnded(name(boot: boot, namespace: nil)))
    #expect(!hasEnded(name(startTime: nil, boot: boot, namespace: namespace)))
    #expect(!hasEnded(name(boot: nil, namespace: namespace)))
    // The machine was started anew: whatever else is, it has ended.
    #expect(hasEnded(name(pid: Int(this.pid), boot: "another", namespace: 1), held: true))
  }

  private static func record(_ event: String, _ rest: String) -> String {
    #"{"schema":"verity-bpf/audit/1","time":"t","event":"\#(event)",\#(rest)}"# + "\n"
  }

  /// Of a run's attempts those are closed, once, that have no outcome and were not denied; wherever a rotation has put them.
  @Test(arguments: ["audit.jsonl", "audit.jsonl.1", "audit.jsonl-20261130", "audit.jsonl.2.gz"])
  func closesWhatIsOpen(file: String) throws {
    let run = "12.34-\(Self.nobody)"
    let asked =
      #""stage":"attempt","op":"BPF_PROG_LOAD","requester":{"pid":7,"uid":0,"gid":0,"auid":null,"comm":"x","exe":"/x"},"#
    let other = Self.record("99.9-1.0", #""stage":"attempt""#)
    var text = other
    let offset = UInt64(text.utf8.count)
    for number in 0..<5 {
      text += Self.record("\(run).\(number)", asked + #""image":"/i.raw","path":"/o","dev":"/i.raw""#)
    }
    text += Self.record("\(run).0", #""stage":"decision","decision":"allow""#)
    text += Self.record("\(run).1", #""stage":"decision","decision":"deny""#)
    text += Self.record("\(run).2", #""stage":"outcome","outcome":{"result":"refused"}"#)
    // Killed in the middle of a record.
    text += #"{"schema":"verity-bpf/audit/1","event":"\#(run).3","sta"#
    let path = try directory.write("audit/\(file)", text)
    if file.hasSuffix(".gz") {
      try Tools.run("sh", "-c", "gzip < \(path) > \(path).new && mv \(path).new \(path)")
    }
    let inode = try FileStatus.of(path: path).inode
    if file != "audit.jsonl" {
      // The records go on in a new file.
      try directory.write("audit/audit.jsonl", Self.record("\(run).4", #""stage":"outcome","outcome":{}"#))
    }
    let marker = name(boot: "another", namespace: 1, inode: inode, offset: offset)
    try directory.write("audit/\(marker.fileName)", "")

    _ = try AuditLog.open(directory: audit, sync: .none)
    let records = try directory.read("audit/audit.jsonl").split(separator: 0x0a).compactMap {
      try? JSONValue.parse(Array($0))
    }
    let crashed = records.filter { $0["outcome"]?["result"] == "crashed" }
    let open = file == "audit.jsonl" ? [0, 3, 4] : [0, 3]
    #expect(crashed.map { $0["event"] } == open.map { .string("\(run).\($0)") })
    for record in crashed {
      #expect(record["image"] == "/i.raw" && record["requester"]?["pid"] == 7)
    }
    let log = String(decoding: try directory.read("audit/audit.log"), as: UTF8.self).split(separator: "\n")
    #expect(log.count == open.count && log.allSatisfy { $0.hasSuffix(" result=crashed") })
    #expect(try !Directory.names(audit).contains(marker.fileName))
    // Nothing is closed twice.
    _ = try AuditLog.open(directory: audit, sync: .none)
    #expect(try directory.read("audit/audit.log").split(separator: 0x0a).count == open.count)
  }

  /// Where the attempts are gone with their file, the run is named.
  @Test func aRunWithoutItsFileIsNamed() throws {
    let marker = name(boot: "another", namespace: 1, inode: 1, offset: 5)
    try directory.write("audit/\(marker.fileName)", "")
    _ = try AuditLog.open(directory: audit, sync: .always)
    let record = try JSONValue.parse(Array(try directory.read("audit/audit.jsonl").split(separator: 0x0a)[0]))
    #expect(record["event"] == .string(marker.run) && record["outcome"]?["result"] == "crashed")
  }
}

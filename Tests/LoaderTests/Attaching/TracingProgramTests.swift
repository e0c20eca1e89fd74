import KernelABI
import Base
import Glibc
import Linux
import TestSupport
import Testing

@testable import Loader

/// The demo's programs that watch the kernel, attached and seen at work.
@Suite(.enabled(if: Machine.loads)) struct TracingProgramTests {
  @Test func listsThisProcessAmongTheTasks() throws {
    let object = try Objects.load(Objects.demo("task_list"))
    let link = try BPF.linkIterator(object.program("task_list"))
    let output = try BPF.openIterator(link)
    let text = String(decoding: try output.readToEnd(limit: 1 << 22) ?? [], as: UTF8.self)
    let lines = text.split(separator: "\n").map { $0.split(separator: " ", omittingEmptySubsequences: true) }
    #expect(lines.first == ["process", "thread", "parent", "command"])
    let own = lines.filter { $0.first == "\(getpid())" }
    #expect(own.contains { $0.count >= 4 && $0[1] == "\(getpid())" && $0[2] == "\(getppid())" }, "\(own)")
  }

  @Test func reportsAProgramThatStarts() throws {
    let object = try Objects.load(Objects.demo("exec_logger"))
    let link = try BPF.openRawTracepoint(object.program("exec_logger"), tracepoint: "sched_process_exec")
    let events = try RingBuffer(object.map("events"), size: 65536)
    let marker = "marker-\(UInt32.random(in: .min ... .max))"
    try run("true", marker)
    withExtendedLifetime(link) {}

    // Other programs start on this machine meanwhile; ours is the one with the marker.
    let records = events.records()
    let own = records.first { String(decoding: $0.dropFirst(32), as: UTF8.self).contains(marker) }
    let event = try #require(own, "\(records.count) records, none of them ours")
    let length = Int(event[12])
    #expect(String(decoding: event[32..<(32 + length)], as: UTF8.self) == "true\0\(marker)\0")
    #expect(String(decoding: event[16..<20], as: UTF8.self) == "true")
    #expect(try number(event) >> 32 == UInt64(getpid()), "its parent is this process")
    #expect(try number(event, at: 8) & 0xffff_ffff == UInt64(geteuid()))
  }

  @Test func measuresHowLongTasksWait() throws {
    let object = try Objects.load(Objects.demo("runq_latency"))
    let links = try object.programs.map { try BPF.openRawTracepoint($0.object) }
    #expect(links.count == 3)
    for _ in 0..<10 { usleep(2000) }
    withExtendedLifetime(links) {}

    let histogram = try object.map("histogram")
    var total: UInt64 = 0
    for slot in 0..<UInt32(27) { total += try number(BPF.lookup(histogram, key: bytes(slot), valueSize: 8)) }
    #expect(total >= 10, "this thread alone was woken ten times")
    let first = try BPF.nextKey(object.map("waiting"), after: nil, keySize: 4)
    if let first { #expect(try number(BPF.lookup(object.map("waiting"), key: first, valueSize: 8)) > 0) }
  }

  @Test func keepsACgroupFromSending() throws {
    let object = try Objects.load(Objects.demo("egress_filter"))
    let mount = try MountedFileSystem("cgroup2")
    let group = "\(mount.path)/verity-bpf-test-\(getpid())"
    try Directory.create(group)
    defer { rmdir(group) }
    let directory = try OwnedFD.open(group, [.readOnly, .directory])
    let link = try BPF.link(object.program("egress_filter"), .cgroupInetEgress, cgroup: directory)
    let port: UInt16 = 40009
    try BPF.update(object.map("blocked_ports"), key: bytes(port), value: bytes(UInt64(0)))

    func send(to port: UInt16) throws -> Subprocess.Result {
      try Subprocess.run(["bash", "-c", "echo $$ > \(group)/cgroup.procs; echo hello > /dev/udp/127.0.0.1/\(port)"])
    }
    let blocked = try send(to: port)
    #expect(blocked.status != 0 && blocked.text.contains("Operation not permitted"), "\(blocked.text)")
    #expect(try send(to: port + 1).status == 0)
    #expect(try number(BPF.lookup(object.map("blocked_ports"), key: bytes(port), valueSize: 8)) == 1)
    withExtendedLifetime(link) {}
  }
}

/// Attaching by the loader itself.
@Suite(.enabled(if: Machine.loads)) struct AttachTests {
  private func options(_ path: String) -> LoadOptions {
    var options = LoadOptions()
    options.pinPath = path
    options.attaches = true
    return options
  }

  @Test func anAttachedProgramWorksAfterItsLoaderIsGone() throws {
    let files = try MountedFileSystem("bpf")
    let path = "\(files.path)/exec"
    do {
      var object = try ObjectLoader.load(Objects.linked(Objects.demo("exec_logger")), options: options(path))
      #expect(object.links.map(\.pin) == ["\(path)/link/exec_logger"])
      object.commit()
    }
    let name = "vbt\(UInt32.random(in: 0...999_999_999))"
    let directory = try TemporaryDirectory()
    try run("ln", "-s", "/bin/true", "\(directory.path)/\(name)")
    for _ in 0..<3 { try run("\(directory.path)/\(name)") }
    let key = Array(name.utf8) + [UInt8](repeating: 0, count: 16 - name.utf8.count)
    #expect(try number(BPF.lookup(BPF.pinned(at: "\(path)/map/starts"), key: key, valueSize: 8)) == 3)
    // Without its link it is detached.
    try #require(unlink("\(path)/link/exec_logger") == 0)
    usleep(50_000)
    try run("\(directory.path)/\(name)")
    #expect(try number(BPF.lookup(BPF.pinned(at: "\(path)/map/starts"), key: key, valueSize: 8)) == 3)
  }

  @Test func aPinnedIteratorIsRead() throws {
    let files = try MountedFileSystem("bpf")
    let object = try ObjectLoader.load(
      Objects.linked(Objects.demo("task_list")), options: options("\(files.path)/tasks"))
    let pin = try #require(object.links.first?.pin)
    #expect(try run("cat", pin).hasPrefix(" process   thread"))
  }

  @Test func refusesToAttachWhatNamesNoTarget() throws {
    let files = try MountedFileSystem("bpf")
    let refusal = try Objects.refusal(
      Objects.linked(Objects.demo("xdp_counter")), options: options("\(files.path)/counter"))
    #expect(refusal.diagnostic.code == "load.attach-place")
  }
}

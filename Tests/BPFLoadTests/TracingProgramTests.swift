import ByteKit
import Glibc
import LinuxSys
import Testing

@testable import BPFLoad

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
    let link = try BPF.link(object.program("egress_filter"), attachType: 1, cgroup: directory)
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

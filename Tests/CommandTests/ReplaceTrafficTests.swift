import Base
import Linux
import TestSupport
import Testing

/// `load --replace` on an interface that packets arrive at all the time, and what it says of it.
@Suite(.serialized, .enabled(if: Tools.isRoot, "loading and network interfaces need root"))
final class ReplaceTrafficTests {
  private let directory: TemporaryDirectory
  private let pins: String
  private let sender: String
  private let receiver: String
  private var pin: String { "\(pins)/site/counter" }

  init() throws {
    directory = try TemporaryDirectory()
    let number = UInt32.random(in: 0x10_0000...0xff_ffff)
    (sender, receiver) = ("vbs\(number)", "vbt\(number)")
    try directory.write("any.pol", "policy_name=any policy_version=1.0.0\nDEFAULT action=ALLOW\n")
    try Directory.create(directory.file("source"))
    for version in ["one", "two"] {
      try directory.write("source/\(version).bpf.c", Self.source(version))
    }
    try Tools.run(
      "make", "-s", "-C", directory.file("source"), "-f", "\(Tools.repository)/images/demo/Makefile",
      "OUT=\(directory.file("objects"))")
    pins = directory.file("bpf")
    try Directory.create(pins)
    try Tools.run("mount", "-t", "bpf", "bpf", pins)
    try Tools.run("ip", "link", "add", sender, "type", "veth", "peer", "name", receiver)
    for name in [sender, receiver] {
      // Nothing but the test's frames.
      try Tools.run("sysctl", "-q", "-w", "net.ipv6.conf.\(name).disable_ipv6=1")
      try Tools.run("ip", "link", "set", name, "up")
    }
  }

  deinit {
    _ = try? Tools.run("ip", "link", "del", sender)
    _ = try? Tools.run("umount", "--lazy", pins)
  }

  /// Counts the frames of the test, in a map and, by version, in another; and programs that start, through a link that
  /// cannot be given another program.
  private static func source(_ version: String) -> String {
    """
    #include "vbpf.h"
    struct { __uint(type, BPF_MAP_TYPE_ARRAY); __uint(max_entries, 1); __type(key, __u32); __type(value, __u64); }
      frames SEC(".maps");
    SEC("xdp") int counter(struct xdp_md *frame) {
      struct ethhdr *head = (void *)(long)frame->data;
      __u32 key = 0;
      if ((void *)(head + 1) > (void *)(long)frame->data_end || head->protocol != to_be16(0x88b5)) return XDP_PASS;
      __u64 *count = bpf_map_lookup_elem(&frames, &key);
      if (count) __sync_fetch_and_add(count, 1);
      return XDP_PASS;
    }
    __u64 \(version == "one" ? "started" : "begun");
    SEC("raw_tp/sched_process_exec") int starts(void *context) {
      (void)context;
      __sync_fetch_and_add(&\(version == "one" ? "started" : "begun"), 1);
      return 0;
    }
    char LICENSE[] SEC("license") = "GPL";
    """
  }

  private func load(_ version: String, _ options: String...) throws -> VerityBPFCommand.Result {
    try VerityBPFCommand.run(
      [
        "load", "--object", directory.file("objects/\(version).bpf.o"), "--policy", directory.file("any.pol"),
        "--audit-dir", directory.file("audit"), "--pin-path", pin, "--attach", "--interface", receiver, "--json",
      ] + options)
  }

  private func counted() throws -> UInt64 {
    let shown = try Tools.run(
      "bpftool", "--json", "map", "lookup", "pinned", "\(pin)/map/frames", "key", "0", "0", "0", "0")
    let dump = try JSONValue.parse(Array(shown.utf8))
    guard case .integer(let count)? = dump["formatted"]?["value"] else { return 0 }
    return UInt64(count)
  }

  /// Sends frames of an experimental type as fast as one process can, until the file `stop` is there; what the interface itself
  /// dropped before the program (its ring was full) was never offered to it.
  private static let traffic = """
    import os, socket, sys
    name, stop = sys.argv[1:]
    dropped = lambda: int(open(f"/sys/class/net/{name}/statistics/tx_dropped").read())
    link = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
    link.bind((name, 0))
    frame = b"\\xff" * 6 + b"\\x02" * 6 + b"\\x88\\xb5" + bytes(50)
    before, sent = dropped(), 0
    while not os.path.exists(stop):
        for _ in range(64):
            link.send(frame)
        sent += 64
    print(sent, sent - (dropped() - before))
    """

  @Test func underTrafficNoPacketIsUncounted() throws {
    try #require(try load("one").status == 0)
    let script = try directory.write("traffic.py", Self.traffic)
    let (stop, printed) = (directory.file("stop"), directory.file("printed"))
    try Tools.run(
      "sh", "-c", "python3 '\(script)' \(sender) '\(stop)' > '\(printed)' 2>&1 & echo started")
    var replaced: [JSONValue] = []
    for round in 0..<20 {
      let result = try load("one", "--replace")
      #expect(result.status == 0, "round \(round): \(result.errors)")
      replaced.append(try result.json()["replaced"] ?? .null)
    }
    try directory.write("stop", "")
    for _ in 0..<200 where try directory.read("printed").isEmpty { try Tools.run("sleep", "0.05") }
    let words = String(decoding: try directory.read("printed"), as: UTF8.self).split { $0 == " " || $0 == "\n" }
    let numbers = words.compactMap { UInt64($0) }
    try #require(numbers.count == 2, "\(words)")
    var count = try counted()
    for _ in 0..<100 where count < numbers[1] {
      try Tools.run("sleep", "0.05")
      count = try counted()
    }
    print("--replace \(replaced.count) times: \(numbers[0]) packets sent, \(numbers[1]) arrived, \(count) counted")
    #expect(count == numbers[1] && numbers[1] > 10_000)
    for answer in replaced {
      #expect(answer["moved_links"] == ["counter"] && answer["doubled_links"] == ["starts"], "\(answer)")
      #expect(answer["ended_links"] == [] && answer["remaining"] == [])
    }
    #expect(try VerityBPFCommand.run(["unload", "--pin-path", pin]).status == 0)
    #expect(try !Directory.names(pins).contains("site"))
  }

  @Test func saysWhatItDoesAndRefuses() throws {
    try #require(try load("one").status == 0)
    // `begun` is not `started`: the data section is another.
    let refused = try load("two", "--replace")
    #expect(refused.status == 1, "\(refused.errors)")
    let error = try refused.json()["error"]
    #expect(error?["code"] == "load.map-differs")
    #expect(refused.errors.contains("begun") && refused.errors.contains("started"), "\(refused.errors)")
    let fresh = try load("two", "--replace", "--fresh-maps")
    #expect(fresh.status == 0, "\(fresh.errors)")
    let log = try directory.read("audit/audit.jsonl").split(separator: 0x0a).map { try JSONValue.parse(Array($0)) }
    let outcome = try #require(log.last)["outcome"]
    #expect(try outcome?["result"] == "loaded" && outcome?["replaced"] == fresh.json()["replaced"])
    let attempts = log.filter { $0["stage"] == "attempt" }
    #expect(attempts.last?["replace"] == true && attempts.last?["fresh_maps"] == true)
    #expect(log.contains { $0["outcome"]?["code"] == "load.map-differs" })

    let text = try VerityBPFCommand.run([
      "load", "--object", directory.file("objects/two.bpf.o"), "--policy", directory.file("any.pol"), "--audit-dir",
      directory.file("audit"), "--pin-path", pin, "--attach", "--interface", receiver, "--replace",
    ])
    #expect(text.status == 0 && text.output.contains("carried  maps: frames"), "\(text.output)\(text.errors)")
    #expect(text.output.contains("moved    links of: counter"))
    #expect(text.output.contains("doubled  links of: starts") && text.output.contains("counted twice"))
    let bare = try VerityBPFCommand.run([
      "load", "--object", directory.file("objects/two.bpf.o"), "--policy", directory.file("any.pol"), "--audit-dir",
      directory.file("audit"), "--pin-path", pin, "--replace",
    ])
    #expect(bare.status == 64 && bare.errors.contains("load.replace-attach"), "\(bare.errors)")
    #expect(try VerityBPFCommand.run(["unload", "--pin-path", pin]).status == 0)
  }
}

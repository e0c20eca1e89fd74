import Base
import Linux
import TestSupport

/// The gate as its commands install, watch, enforce and take it away. It is gone at the end.
enum GateCommandCases {
  private static let pins = "/sys/fs/bpf/verity-bpf/gate"

  nonisolated(unsafe) private static var directory: String?  // The cases run one after another.
  nonisolated(unsafe) private static var early: GateTools?  // The same.

  private static func gate(_ words: String...) throws -> Command.Result {
    try Command.run(["gate"] + words)
  }

  private static func installed() throws -> (directory: String, tools: GateTools) {
    guard let directory, let early else { throw Skipped(reason: "the gate is not in this kernel") }
    return (directory, early)
  }

  private static func json(_ result: Command.Result) throws -> JSONValue {
    guard let line = result.text.split(separator: "\n").first(where: { $0.hasPrefix("{") }) else {
      throw Failure(description: "no JSON: \(result.text)")
    }
    return try JSONValue.parse(Array(line.utf8))
  }

  private static func promise(_ name: String, _ status: JSONValue) -> JSONValue? {
    guard case .array(let promises)? = status["promises"] else { return nil }
    return promises.first { $0["name"] == .string(name) }?["holds"]
  }

  private static let stranger = Probe(path: "/images/gate_probe")

  static let cases = [
    GateCases.gateCase("command.installs-and-watches", leaves: ["early"]) {
      let directory = try Machine.temporaryDirectory()
      let tools = try GateTools(name: "early")
      let rootHash = try Machine.text("/images/gate.roothash").trimmed
      let policy = """
        policy_name=vm policy_version=1.0.0
        DEFAULT action=DENY
        op=BPF_PROG_LOAD dmverity_roothash=sha256:\(rootHash) action=ALLOW

        """
      try Machine.write("\(directory)/p.pol", Array(policy.utf8))
      let words = [
        "gate", "install", "--policy", "\(directory)/p.pol", "--mode", "loader", "--loader",
        "/images/gate-tools.raw:/judging", "--gate-image", "/images/gate.raw", "--audit-dir", directory,
      ]
      let result = try Command.run(words + ["--json"])
      guard try GateCases.hasHooks() else {
        try expectEqual(result.status, 6, result.text)
        try expect(result.text.contains("gate.no-hook"), result.text)
        tools.volume.close()
        throw Skipped(
          reason: "this kernel does not announce dm-verity's root hashes (security_bdev_setintegrity, 6.12)")
      }
      try Command.expectStatus(0, result)
      (Self.directory, early) = (directory, tools)
      guard case .array(let seeded)? = try json(result)["seeded"] else { throw Failure(description: result.text) }
      try expectEqual(seeded.count, 1, "volumes that were open before: \(result.text)")
      let again = try Command.run(words)
      try expect(again.status == 1 && again.text.contains("gate.installed"), again.text)

      let status = try gate("status", "--json")
      try Command.expectStatus(6, status)
      try expectEqual(try json(status)["standing"], "watching", "standing")
      try expectEqual(promise("volumes", try json(status)), "partly", "a seeded volume: \(status.text)")
      try stranger.expectLoad(0, "while it watches")
      try tools.judging.expectLoad(0, "the loader, while it watches")
      let watch = try gate("watch", "--json")
      try Command.expectStatus(2, watch)
      try expect(watch.text.contains("unknown-device"), "the program of the initramfs: \(watch.text)")
      try expectEqual(try json(watch)["admitted"], 1, "loads of the loader: \(watch.text)")
    },
    GateCases.gateCase("command.seals-not-what-would-lock-out") {
      let (_, tools) = try installed()
      let refused = try gate("seal", "--mode", "loader")
      try expect(refused.status == 1 && refused.text.contains("gate.would-refuse"), refused.text)
      try stranger.expectLoad(0, "after a seal that was refused")
      let digests = try gate("seal", "--mode", "digests", "--despite")
      try expect(digests.status == 3 && digests.text.contains("gate.no-rows"), digests.text)
      try Command.expectStatus(0, gate("seal", "--mode", "loader", "--despite"))
      try stranger.expectLoad(1, "a program of the initramfs")
      try tools.judging.expectLoad(0, "the loader, on a volume that was open before the gate")
      try tools.other.expectLoad(1, "another program of its volume")
      let status = try gate("status", "--json")
      try Command.expectStatus(0, status)
      try expectEqual(promise("loads", try json(status)), "yes", status.text)
      try expectEqual(promise("until-reboot", try json(status)), "no", status.text)
    },
    GateCases.gateCase("command.records-and-goes") {
      let (directory, tools) = try installed()
      let events = try gate("events", "--json", "--audit-dir", directory)
      try Command.expectStatus(0, events)
      try expect(events.text.contains("\"refused\"") && events.text.contains("row-judging"), events.text)
      let log = String(decoding: try Machine.read("\(directory)/audit.jsonl"), as: UTF8.self)
      try expect(log.contains("\"stage\":\"gate\""), "records of the gate in the log")
      try expectEqual(try gate("events", "--json", "--audit-dir", directory).text, "", "what was taken is gone")

      try Command.expectStatus(0, Command.run("unload", "--pin-path", pins))
      // A link goes a moment after its pin.
      for _ in 0..<50 where try stranger.run("load").status != 0 { Timestamp.pause(milliseconds: 100) }
      try stranger.expectLoad(0, "without the gate")
      try expect(try gate("status").text.contains("gate.not-installed"), "status without a gate")
      tools.volume.close()
      (Self.directory, early) = (nil, nil)
    },
  ]
}

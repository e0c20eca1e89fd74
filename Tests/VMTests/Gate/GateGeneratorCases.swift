import Base
import KernelABI
import Linux
import TestSupport

/// A program that makes BPF programs at run time, from a dm-verity volume: it may, and nothing that looks like it may.
enum GateGeneratorCases {
  private static let pins = "/sys/fs/bpf/verity-bpf/gate"
  private static let images = "/images/generator"

  /// With a gate of its own, as its commands install it from a rule with `x_dynamic=TRUE`.
  /// Under confidentiality the generator finds no tracefs, which lockdown refuses, and makes nothing.
  static let commandCases = [
    Case("command.generator", on: .gate) {
      try require()
      let directory = try Machine.temporaryDirectory()
      let hash = try Machine.text("\(images)/generator.roothash").trimmed
      let early = try Generator(name: "named")
      let digest = try Subprocess.run(["/bin/busybox", "sha256sum", "\(early.place)/usr/bin/bpftrace"]).text.prefix(64)
      early.close()
      let policy = """
        policy_name=vm policy_version=1.0.0
        DEFAULT action=DENY
        op=BPF_PROG_LOAD dmverity_roothash=sha256:\(try Machine.text("/images/gate.roothash").trimmed) action=ALLOW
        op=BPF_PROG_LOAD x_dynamic=TRUE x_requester_dmverity_roothash=sha256:\(hash) x_requester_object=sha256:\(digest) \
        x_prog_type=socket_filter,kprobe,tracepoint,raw_tracepoint,perf_event,tracing action=ALLOW

        """
      try Machine.write("\(directory)/p.pol", Array(policy.utf8))
      try Command.expectStatus(
        0,
        Command.run(
          "gate", "install", "--policy", "\(directory)/p.pol", "--mode", "loader", "--executable",
          "\(images)/generator.raw:/usr/bin/bpftrace", "--gate-image", "/images/gate.raw", "--audit-dir", directory,
          "--skip-unsupported"))
      defer {
        _ = try? Command.run("unload", "--pin-path", pins)
        for _ in 0..<50 where (try? Probe(path: "/images/gate_probe").run("load").status) != 0 {
          Timestamp.pause(milliseconds: 100)
        }
      }
      try Command.expectStatus(0, Command.run("gate", "seal", "--mode", "loader"))
      let generator = try Generator(name: "generator")
      defer { generator.close() }
      let traced = try generator.trace()
      try expect(traced.contains("traced 42"), "the generator: \(traced)")
      // The same bytes elsewhere, and its loader, which is another file.
      let loader = try generator.trace(by: ["/lib64/ld-linux-x86-64.so.2", "/usr/bin/bpftrace"])
      try expect(!loader.contains("traced"), "its dynamic loader: \(loader)")
      try generator.copy()
      let copy = try generator.trace(by: ["/tmp/bpftrace"])
      try expect(!copy.contains("traced"), "a copy: \(copy)")

      let events = try Command.run("gate", "events", "--json", "--audit-dir", directory)
      try Command.expectStatus(0, events)
      let lines = events.text.split(separator: "\n").compactMap { try? JSONValue.parse(Array($0.utf8)) }
      let made = lines.filter { $0["script"] == "not known" }
      try expect(!made.isEmpty, "records of what it made: \(events.text)")
      for record in made {
        try expectEqual(record["reason"], "row-scope", events.text)
        try expectEqual(record["root_hash"], .string("sha256:\(hash)"), events.text)
        try expect(record["sha256"] != .null && record["number"] != .integer(0), "digest and length: \(record)")
      }
      for reason in ["unknown-device", "unknown-executable"] {
        try expect(lines.contains { $0["reason"] == .string(reason) }, "\(reason): \(events.text)")
      }
    }
  ]

  // The cases run one after another.
  nonisolated(unsafe) private static var kept: Generator?

  /// A library that the process is made to bring along, while nothing protects listed processes.
  static let openCases = [
    GateCases.gateCase("generator-with-a-preload-before-the-seal", leaves: ["preloaded"]) {
      try GateUnderTest.require()
      try require()
      let generator = try Generator(name: "preloaded")
      let row = GateLayouts.scope(9, type: nil, attachType: nil, helpers: nil)
      try BPF.update(GateUnderTest.map("gate_scopes"), key: row.key, value: row.value)
      try GateUnderTest.setExecutable("\(generator.place)/usr/bin/bpftrace", of: generator.volume, .scope, scope: 9)
      let answer = try generator.preloaded()
      try expect(answer.contains("preload=loaded"), "the library's load: \(answer)")
      kept = generator
    }
  ]

  static let sealedCases = [
    GateCases.gateCase("generator-with-a-preload") {
      try GateUnderTest.require(sealed: true)
      guard let generator = kept else { throw Skipped(reason: noGenerator) }
      let answer = try generator.preloaded()
      try expect(!answer.contains("preload="), "the library runs: \(answer)")
      try expect(answer.contains("bpftrace v"), "a control: the generator itself: \(answer)")
      // Lockdown refuses it tracefs under confidentiality.
      if KernelFile.text(.lockdown)?.contains("[confidentiality]") != true {
        let traced = try generator.trace()
        try expect(traced.contains("traced 42"), "the generator makes programs: \(traced)")
      }
      generator.close()
      kept = nil
    }
  ]

  private static let noGenerator = "no bpftrace could be fetched"

  private static func require() throws {
    guard try GateCases.hasHooks() else { throw Skipped(reason: GateCases.noGate) }
    guard (try? FileStatus.of(path: "\(images)/generator.raw")) != nil else { throw Skipped(reason: noGenerator) }
  }
}

/// The generator's volume, as the root of processes.
private final class Generator {
  let volume: VerityVolume
  let place: String
  private var mounts: [String] = []

  init(name: String) throws {
    volume = try VerityVolume("generator/generator", name: name)
    place = try volume.mount()
    for (type, directory) in [
      ("proc", "proc"), ("sysfs", "sys"), ("tracefs", "sys/kernel/tracing"), ("devtmpfs", "dev"), ("tmpfs", "tmp"),
    ] {
      try Mount.mount(type, on: "\(place)/\(directory)", type: type)
      mounts.append("\(place)/\(directory)")
    }
    // The kernel does not make it, and the generator hands itself files by it.
    _ = try? Subprocess.run(["/bin/busybox", "ln", "-s", "/proc/self/fd", "\(place)/dev/fd"])
  }

  func close() {
    for mount in mounts.reversed() { try? Mount.unmount(mount) }
    mounts = []
    volume.close()
  }

  /// Has it make a program, and returns what it says.
  func trace(by program: [String] = ["/usr/bin/bpftrace"]) throws -> String {
    try Subprocess.run(
      ["/bin/busybox", "chroot", place] + program + ["-e", "BEGIN { printf(\"traced %d\\n\", 6 * 7); exit(); }"]
    ).text
  }

  /// Copies it to a file system that nobody vouches for.
  func copy() throws {
    try Machine.write("\(place)/tmp/bpftrace", try Machine.read("\(place)/usr/bin/bpftrace"), mode: 0o755)
  }

  /// Runs it with a library that loads a program when it is mapped.
  func preloaded() throws -> String {
    try Machine.write("\(place)/tmp/preload.so", try Machine.read("/images/generator/preload.so"), mode: 0o755)
    return try Subprocess.run(
      ["/bin/busybox", "chroot", place, "/usr/bin/bpftrace", "--version"],
      environment: ["PATH=/bin", "LC_ALL=C", "LD_PRELOAD=/tmp/preload.so"]
    ).text
  }
}

import CVMSupport
import Linux
import TestSupport

/// Which file a process runs.
enum GateExecutableCases {
  static let cases = [
    GateCases.gateCase("executable-by-any-path") {
      try GateUnderTest.require()
      let tools = try GateCases.tools()
      let other = try Machine.temporaryDirectory()
      try busybox("mount", "-o", "bind", tools.place, other)
      defer { try? Mount.unmount(other) }
      try Probe(path: "\(other)/judging").expectLoad(0, "by a bind mount")
      let apart = try Subprocess.run(["/bin/busybox", "unshare", "-m", "\(other)/judging", "load"])
      try expectEqual(apart.status, 0, "in another mount namespace: \(apart.text)")
      let open = try OwnedFD.open(tools.judging.path, .readOnly)
      let result = try Command.handingOver(open, as: 100) { try Subprocess.run(["/proc/self/fd/100", "load"]) }
      try expectEqual(result.status, 0, "by a descriptor: \(result.text)")
      _ = consume open
    },
    GateCases.gateCase("copies-are-others") {
      try GateUnderTest.require()
      let tools = try GateCases.tools()
      try Probe(path: "/images/gate_probe").expectLoad(1, "on the initramfs")
      let copy = "\(try Machine.temporaryDirectory())/judging"
      try Machine.write(copy, try Machine.read(tools.judging.path), mode: 0o755)
      try Probe(path: copy).expectLoad(1, "on tmpfs")
      let twin = try GateTools("gate-twin", name: "twin")
      try twin.judging.expectLoad(0, "a control: the twin's root hash has rows from a case before")
      try twin.other.expectLoad(1, "on another volume, without a row")
      twin.volume.close()
      try tools.judging.expectLoad(0, "the file itself")
    },
    GateCases.gateCase("other-inode") {
      try GateUnderTest.require()
      let tools = try GateCases.tools()
      try tools.other.expectLoad(1, "another file of the volume")
      // The process is what it executes last.
      let result = try tools.other.run("execute", tools.judging.path, "load")
      try expectEqual(result.status, 0, "the listed file, executed by another: \(result.text)")
      let back = try tools.judging.run("execute", tools.other.path, "load")
      try expectEqual(back.status, 1, "another file, executed by the listed one: \(back.text)")
    },
    GateCases.gateCase("through-an-overlay") {
      try GateUnderTest.require()
      let tools = try GateCases.tools()
      let base = try Machine.temporaryDirectory()
      for name in ["upper", "work", "merged"] { try Directory.create("\(base)/\(name)") }
      try busybox(
        "mount", "-t", "overlay", "-o", "lowerdir=\(tools.place),upperdir=\(base)/upper,workdir=\(base)/work",
        "overlay",
        "\(base)/merged")
      defer { try? Mount.unmount("\(base)/merged") }
      try Probe(path: "\(base)/merged/judging").expectLoad(1, "through an overlay over the volume")
      try tools.judging.expectLoad(0, "the file itself")
    },
    // What works before the seal: the sealed gate's cases try each again.
    GateCases.gateCase("attacks-work-before-the-seal") {
      try GateUnderTest.require()
      let tools = try GateCases.tools()
      let stranger = Probe(path: "/images/gate_probe")
      let become = try stranger.run("become", tools.judging.path)
      try expectEqual(become.values["load"], 0, "a load as another executable: \(become.text)")
      let detached = try stranger.run("trace", tools.judging.path, "load", "detach=1")
      try expectEqual(detached.status, 0, "a load of a program that was traced: \(detached.text)")
      for kind in mappings {
        let answer = try tools.judging.run("map", kind)
        try expectEqual(answer.status, 0, "\(kind): \(answer.text)")
      }
      try withWaiting(tools.judging) { process in
        let answer = try stranger.run("attack", "\(process)")
        for name in ["attach", "seize", "mem", "getfd"] {
          try expectEqual(answer.values[name], 0, "\(name): \(answer.text)")
        }
      }
    },
    GateCases.gateCase("traced") {
      try GateUnderTest.require()
      let tools = try GateCases.tools()
      let traced = try Probe(path: "/images/gate_probe").run("trace", tools.judging.path, "load")
      try expectEqual(traced.status, 1, "a load while traced: \(traced.text)")
      try tools.judging.expectLoad(0, "not traced")
    },
  ]

  /// Ways to code that is not the volume's, or was written.
  static let mappings = ["rwx", "rx", "rw-then-rx", "own-file-rw-then-rx", "other-file-rx"]

  static func busybox(_ words: String..., line: Int = #line) throws {
    let result = try Subprocess.run(["/bin/busybox"] + words)
    try expect(result.status == 0, "\(words): \(result.text)", line: line)
  }

  /// Runs something beside a process that waits.
  static func withWaiting(_ probe: Probe, _ body: (Int32) throws -> Void) throws {
    let process = vm_start(probe.path, "wait", nil, nil)
    try expect(process > 0, "no process")
    // It is what it executes only then.
    Timestamp.pause(milliseconds: 300)
    defer { vm_stop(process) }
    try body(process)
  }
}

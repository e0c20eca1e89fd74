import CVMSupport
import Glibc
import KernelABI
import Linux
import TestSupport

/// Attacks on a sealed gate. Each worked before (``GateExecutableCases``, ``GateForeignCases``) or has its control beside it.
enum GateSealedCases {
  static let cases = [
    GateCases.gateCase("parts-of-the-gate-are-not-given") {
      try GateUnderTest.require(sealed: true)
      let (tools, stranger) = (try GateCases.tools(), Probe(path: "/images/gate_probe"))
      // What earlier cases loaded goes a moment after them.
      Timestamp.pause(milliseconds: 1000)
      // Every program and every map of the machine is the gate's: one that no check names would be found here.
      let (programs, maps) = (try BPF.programIDs(), try BPF.mapIDs())
      try expect(programs.count >= 17 && maps.count >= GateUnderTest.mapNames.count, "\(programs), \(maps)")
      for probe in [stranger, tools.judging, tools.listed] {
        for id in programs {
          try expectEqual(try probe.run("program-id", "\(id)").status, 1, "program \(id), by \(probe.path)")
        }
        for id in maps { try expectEqual(try probe.run("map-id", "\(id)").status, 1, "map \(id), by \(probe.path)") }
        for name in GateUnderTest.mapNames {
          let path = "\(GateUnderTest.pins)/map/\(name)"
          for flags in [0, 8] {
            try expectEqual(try probe.run("get", path, "flags=\(flags)").status, 1, "\(name), by \(probe.path)")
          }
        }
      }
      for name in GateUnderTest.mapNames {
        let path = "\(GateUnderTest.pins)/map/\(name)"
        let isShared = name == "gate_events"
        try expectEqual(try tools.reader.run("get", path).status, isShared ? 0 : 1, "\(name), by a reader, to write")
        if name != "gate_tasks" {
          try expectEqual(try tools.reader.run("get", path, "flags=8").status, 0, "\(name), by a reader, to read")
        }
      }
      let own = try BPF.createMap(.init(type: .array, keySize: 4, valueSize: 4, maxEntries: 1))
      let id = try BPF.mapInfo(own).id
      try expectEqual(try stranger.run("map-id", "\(id)").status, 0, "a control: a map of somebody else")
    },
    GateCases.gateCase("maps-are-frozen") {
      try GateUnderTest.require(sealed: true)
      try expectErrno("EPERM", "a write through a descriptor from before") { try GateUnderTest.set(enforces: false) }
      let tools = try GateTools(name: "late")
      try expectErrno("EPERM", "a row, the same way") {
        try GateUnderTest.setExecutable("\(tools.place)/other", of: tools.volume, .judging)
      }
      try expectErrno("EPERM", "a device, the same way") {
        try GateUnderTest.setDevice(tools.volume, .init(rootHash: [UInt8](repeating: 0, count: 64), flags: []))
      }
      // The kernel still writes it.
      try expectEqual(try GateUnderTest.device(tools.volume)?.events, 1, "events of a new device")
      try tools.judging.expectLoad(0, "a volume that was opened after the seal")
      try tools.volume.suspend()
      try tools.volume.resume()
      try tools.judging.expectLoad(1, "the same when it is in doubt")
      tools.volume.close()
    },
    GateCases.gateCase("links-are-not-given-up") {
      try GateUnderTest.require(sealed: true)
      let (tools, stranger) = (try GateCases.tools(), Probe(path: "/images/gate_probe"))
      for name in try Directory.names("\(GateUnderTest.pins)/link") {
        let path = "\(GateUnderTest.pins)/link/\(name)"
        for (probe, what) in [(stranger, "a stranger"), (tools.judging, "a loader")] {
          try expectEqual(try probe.run("detach", path).status, 1, "detach \(name), by \(what)")
          try expectEqual(try probe.run("update", path).status, 1, "update \(name), by \(what)")
        }
      }
      let answer = try GateForeignCases.attachToCgroup()
      try expectEqual(answer.values["attach"], 1, "a cgroup's program that undoes refusals: \(answer.text)")
      try expectEqual(answer.values["link"], 1, "the same by a link: \(answer.text)")
    },
    GateCases.gateCase("pins-stay") {
      try GateUnderTest.require(sealed: true)
      let own = try BPF.createMap(.init(type: .array, keySize: 4, valueSize: 4, maxEntries: 1))
      for kind in ["map", "prog", "link"] {
        for name in try Directory.names("\(GateUnderTest.pins)/\(kind)") {
          let path = "\(GateUnderTest.pins)/\(kind)/\(name)"
          try expectErrno("EPERM", "unlink \(name)") {
            if vm_unlink(path) != 0 { throw SystemError("unlink", path: path, errno: errno) }
          }
          try expectErrno("EPERM", "rename \(name)") { try Machine.rename(path, to: "\(path)_other") }
        }
      }
      let control = "/sys/fs/bpf/control"
      try BPF.pin(own, at: control)
      try expectErrno("EPERM", "a rename over a pin") {
        try Machine.rename(control, to: "\(GateUnderTest.pins)/map/gate_state")
      }
      try Machine.rename(control, to: "\(control)_2")
      try expectEqual(vm_unlink("\(control)_2"), 0, "a control: unlink of another pin")
      try expectStillThere()
    },
    GateCases.gateCase("file-system-of-the-pins-stays") {
      try GateUnderTest.require(sealed: true)
      let stranger = Probe(path: "/images/gate_probe")
      for (path, flags) in [("/sys/fs/bpf", 0), ("/sys/fs/bpf", 2), ("/sys", 2)] {
        let answer = try stranger.run("unmount", path, "flags=\(flags)")
        try expectEqual(answer.status, 1, "unmount \(path) with \(flags)")
      }
      // A tree without the pins, and with other mounts on it.
      let place = try Machine.temporaryDirectory()
      try Mount.mount("tmpfs", on: place, type: "tmpfs")
      try Directory.create("\(place)/inner")
      try Mount.mount("tmpfs", on: "\(place)/inner", type: "tmpfs")
      try expectEqual(try stranger.run("unmount", place, "flags=2").status, 0, "a control: another tree")
      // Namespaces of others: as containers have them, and one whose events come back here.
      let apart = ["/bin/busybox", "unshare", "-m"]
      let container = try Subprocess.run(apart + [stranger.path, "unmount", "/sys", "flags=2"])
      try expectEqual(container.status, 0, "a mount namespace of its own: \(container.text)")
      try GateExecutableCases.busybox("mount", "--make-rshared", "/")
      let shared = try Subprocess.run(
        apart + ["--propagation", "unchanged", stranger.path, "unmount", "/sys", "flags=2"])
      try GateExecutableCases.busybox("mount", "--make-rprivate", "/")
      try expectEqual(shared.status, 1, "a mount namespace that shares with this one: \(shared.text)")
      Timestamp.pause(milliseconds: 4000)
      try expectStillThere()
    },
    GateCases.gateCase("executable-is-not-changed") {
      try GateUnderTest.require(sealed: true)
      let (tools, stranger) = (try GateCases.tools(), Probe(path: "/images/gate_probe"))
      let answer = try stranger.run("become", tools.judging.path)
      try expectEqual(answer.values["prctl"], 1, "PR_SET_MM_EXE_FILE: \(answer.text)")
      try expectEqual(answer.values["load"], 1, "the load after it: \(answer.text)")
      try expectEqual(try stranger.run("title").values["prctl"], 0, "a control: another use of PR_SET_MM")
    },
    GateCases.gateCase("listed-processes-are-not-traced") {
      try GateUnderTest.require(sealed: true)
      let (tools, stranger) = (try GateCases.tools(), Probe(path: "/images/gate_probe"))
      for words in [["load"], ["load", "detach=1"]] {
        let answer = try stranger.run(["trace", tools.judging.path] + words)
        try expectEqual(answer.values["execve"], 1, "\(words), executed while traced: \(answer.text)")
      }
      try GateExecutableCases.withWaiting(tools.judging) { process in
        let answer = try stranger.run("attack", "\(process)")
        for name in ["attach", "seize", "getfd", "vm_writev"] {
          try expectEqual(answer.values[name], 1, "\(name): \(answer.text)")
        }
        try expectEqual(answer.values["mem"], 13, "/proc/PID/mem: \(answer.text)")
      }
      try GateExecutableCases.withWaiting(stranger) { process in
        let start = Timestamp.now().seconds
        let answer = try stranger.run("attack", "\(process)")
        try expectEqual(answer.values["attach"], 0, "a control: another process: \(answer.text)")
        try expect(Timestamp.now().seconds - start < 5, "it took \(Timestamp.now().seconds - start) s")
      }
    },
    GateCases.gateCase("code-of-listed-processes") {
      try GateUnderTest.require(sealed: true)
      let (tools, stranger) = (try GateCases.tools(), Probe(path: "/images/gate_probe"))
      for kind in GateExecutableCases.mappings {
        try expectEqual(try tools.judging.run("map", kind).status, 1, kind)
        try expectEqual(try stranger.run("map", kind).status, 0, "a control: \(kind), by another process")
      }
      try expectEqual(try tools.judging.run("map", "own-file-rx").status, 0, "code of its own volume")
    },
    GateCases.gateCase("modules-and-kexec") {
      try GateUnderTest.require(sealed: true)
      try expectErrno("EPERM", "a module of the initramfs") { try Machine.insertModule("cuse") }
      try expectErrno("EPERM", "kexec") {
        if vm_load_no_kernel() != 0 { throw SystemError("kexec_load", path: nil, errno: errno) }
      }
      let module = try OwnedFD.open("\(try GateCases.tools().place)/cuse.ko", .readOnly)
      let result = module.withRaw { vm_insert_module($0, "") }
      try expectEqual(result, 0, "a module of a volume that may bring them (errno \(errno))")
      try Machine.removeModule("cuse")
    },
    GateCases.gateCase("still-there-and-the-kernel-is-well") {
      try GateUnderTest.require(sealed: true)
      try expectStillThere()
      for text in ["BUG:", "WARNING:", "Oops", "Call Trace", "general protection"] {
        // A machine that is emulated beside other work is told of lockups that are none; a real one does not get here.
        let lines = KernelMessages.recent(within: 100_000, containing: text).filter { !$0.contains("soft lockup") }
        try expect(lines.isEmpty, "\(lines)")
      }
    },
  ]

  private static func expectStillThere(line: Int = #line) throws {
    try Probe(path: "/images/gate_probe").expectLoad(1, "a program without a row", line: line)
    try GateCases.tools().judging.expectLoad(0, "a program with one", line: line)
  }
}

import Linux
import TestSupport

/// What managers of containers and services do while the gate is sealed: the system calls of theirs that meet the gate. systemd
/// itself cannot be the first process here, which is the one that runs these cases.
enum GateServiceCases {
  private static let probe = Probe(path: "/images/gate_probe")
  private static let group = "/sys/fs/cgroup/service"

  /// Rows for every process, as rules about `cgroup_device` and `cgroup_skb` become them (docs/gate.md).
  private static let classes = [
    GateLayouts.scope(0, type: 15, attachType: 6, helpers: [1]),
    GateLayouts.scope(0, type: 8, attachType: 0, helpers: [1, 26]),
    GateLayouts.scope(0, type: 8, attachType: 1, helpers: [1, 26]),
  ]

  static let openCases = [
    GateCases.gateCase("filters-of-services-before-the-seal") {
      try GateUnderTest.require()
      try Directory.create(group)
      for word in ["devices", "addresses"] {
        let answer = try probe.run(word, group)
        try expectEqual(answer.values["load"], 1, "\(word), without a row: \(answer.text)")
      }
      for row in classes { try BPF.update(GateUnderTest.map("gate_scopes"), key: row.key, value: row.value) }
    }
  ]

  static let sealedCases = [
    // DeviceAllow= and IPAddressDeny=.
    GateCases.gateCase("filters-of-services") {
      try GateUnderTest.require(sealed: true)
      for word in ["devices", "addresses"] {
        let answer = try probe.run(word, group)
        try expectEqual(answer.status, 0, "\(word): \(answer.text)")
        try expectEqual(answer.values["detach"], 0, "\(word): \(answer.text)")
      }
      // A control: a program of the same type that calls something else.
      try probe.expectLoad(1, "another call", "type=8", "insns=3", "call=6")
      // It goes a moment after its descriptor.
      Timestamp.pause(milliseconds: 1000)
    },
    // pivot_root, and MNT_DETACH of a tree that holds the pins in another mount namespace.
    GateCases.gateCase("container-starts") {
      try GateUnderTest.require(sealed: true)
      try expectStarts("container")
    },
    // PrivateTmp=: a namespace that is a slave of this one, whose mounts are shared.
    GateCases.gateCase("service-with-a-private-tmp-starts") {
      try GateUnderTest.require(sealed: true)
      try GateExecutableCases.busybox("mount", "--make-rshared", "/")
      defer { try? GateExecutableCases.busybox("mount", "--make-rprivate", "/") }
      try expectStarts("service")
    },
  ]

  private static func expectStarts(_ word: String) throws {
    let answer = try probe.run(word, try Machine.temporaryDirectory())
    try expectEqual(answer.status, 0, answer.text)
    try expectEqual(answer.values["detach"], 0, answer.text)
    // What was mounted here is, and links that a lost pin held would be gone in some seconds.
    try expect(try !Directory.names("\(GateUnderTest.pins)/link").isEmpty, "the pins")
    Timestamp.pause(milliseconds: 3000)
    try probe.expectLoad(1, "a program without a row")
    try GateCases.tools().judging.expectLoad(0, "a program with one")
  }
}

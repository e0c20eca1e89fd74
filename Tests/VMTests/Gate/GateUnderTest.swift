import Base
import Linux
import TestSupport

/// The gate of this machine: loaded by the command, filled and sealed here. It stays until the machine is turned off.
enum GateUnderTest {
  static let pins = "/sys/fs/bpf/gate"
  static let mapNames = [
    "gate_state", "gate_devices", "gate_executables", "gate_digests", "gate_scopes", "gate_own", "gate_counters",
    "gate_events", "gate_tasks", "gate_pending",
  ]

  // The cases run one after another.
  nonisolated(unsafe) private static var maps: [String: KernelObject] = [:]
  nonisolated(unsafe) private(set) static var state = GateLayouts.State()

  static var isInstalled: Bool { !maps.isEmpty }

  /// Skips a case on a machine in which the gate could not be installed.
  static func require(sealed: Bool = false) throws {
    guard isInstalled else { throw Skipped(reason: GateCases.noGate) }
    try expectEqual(state.isSealed, sealed, "whether the gate is sealed")
  }

  /// Loads, attaches and pins it, as anybody would.
  static func install() throws -> Command.Result {
    let directory = try Machine.temporaryDirectory()
    let rootHash = try Machine.text("/images/gate.roothash").trimmed
    let policy = """
      policy_name=vm policy_version=1.0.0
      DEFAULT action=DENY
      op=BPF_PROG_LOAD dmverity_roothash=sha256:\(rootHash) action=ALLOW

      """
    try Machine.write("\(directory)/p.pol", Array(policy.utf8))
    let sizes = [
      ("devices", 64), ("executables", GateCapacityCases.executables), ("digests", GateCapacityCases.digests),
      ("scopes", 64),
    ].flatMap { ["--map-entries", "gate_\($0)=\($1)"] }
    return try Command.run(
      [
        "load", "--image", "/images/gate.raw", "--object", "gate.bpf.o", "--policy", "\(directory)/p.pol",
        "--audit-dir",
        directory, "--pin-path", pins, "--attach",
      ] + sizes)
  }

  /// Opens its maps; from then on it enforces.
  static func fill() throws {
    for name in mapNames { maps[name] = try BPF.pinned(at: "\(pins)/map/\(name)") }
    let device = try FileStatus.of(path: pins).device
    state.pinDevice = GateLayouts.device(.init(major: device.major, minor: device.minor))
    state.mountNamespace = try FileStatus.of(path: "/proc/1/ns/mnt").inode
    try set(enforces: true)
  }

  static func map(_ name: String) throws -> KernelObject {
    guard let map = maps[name] else { throw Failure(description: "no map \(name)") }
    return map
  }

  static func set(enforces: Bool) throws {
    state.enforces = enforces
    try writeState()
  }

  /// Runs something while the gate only says what it would refuse.
  static func watching<R>(_ body: () throws -> R) throws -> R {
    try set(enforces: false)
    let result = Result { try body() }
    try set(enforces: true)
    return try result.get()
  }

  private static func writeState() throws {
    try BPF.update(map("gate_state"), key: GateLayouts.bytes(UInt32(0)), value: state.bytes)
  }

  /// Names all its parts to it and seals it. There is no way back.
  static func seal(closesModules: Bool) throws {
    func own(_ kind: GateLayouts.PartKind, _ id: UInt32, _ access: UInt32 = 0) throws {
      try BPF.update(
        map("gate_own"), key: [kind.rawValue, id].flatMap(GateLayouts.bytes), value: GateLayouts.bytes(access))
    }
    for (name, map) in maps { try own(.map, BPF.mapInfo(map).id, name == "gate_events" ? 1 : 0) }
    for (directory, kind) in [("map", nil), ("prog", GateLayouts.PartKind.program), ("link", .link)] {
      for name in try Directory.names("\(pins)/\(directory)") {
        let path = "\(pins)/\(directory)/\(name)"
        try own(.pin, UInt32(truncatingIfNeeded: FileStatus.of(path: path).inode))
        switch kind {
        case .program: try own(.program, BPF.programInfo(BPF.pinned(at: path)).id)
        case .link: try own(.link, BPF.linkInfo(BPF.pinned(at: path)).id)
        case .map, .pin, nil: break
        }
      }
    }
    state.isSealed = true
    state.closesModules = closesModules
    try writeState()
    // What the kernel alone writes may stay as it is.
    for (name, map) in maps where !["gate_events", "gate_tasks"].contains(name) { try BPF.freeze(map) }
  }

  // ---- Rows

  static func setExecutable(_ path: String, of volume: VerityVolume, _ rights: GateLayouts.Rights, scope: UInt32 = 0)
    throws
  {
    try setExecutable(inode: FileStatus.of(path: path).inode, rootHash: volume.rootHash, rights, scope: scope)
  }

  static func setExecutable(inode: UInt64, rootHash: String, _ rights: GateLayouts.Rights, scope: UInt32 = 0) throws {
    try BPF.update(
      map("gate_executables"), key: GateLayouts.rootHash(rootHash) + GateLayouts.bytes(inode),
      value: [rights.rawValue, scope].flatMap(GateLayouts.bytes))
  }

  static func device(_ volume: VerityVolume) throws -> GateLayouts.Device? {
    try BPF.lookup(map("gate_devices"), key: deviceKey(volume), valueSize: GateLayouts.Device.size)
      .map { GateLayouts.Device($0) }
  }

  static func setDevice(_ volume: VerityVolume, _ device: GateLayouts.Device) throws {
    try BPF.update(map("gate_devices"), key: deviceKey(volume), value: device.bytes)
  }

  private static func deviceKey(_ volume: VerityVolume) throws -> [UInt8] {
    let number = try volume.number
    return GateLayouts.bytes(GateLayouts.device(.init(major: number.major, minor: number.minor)))
  }

  static func setDigest(_ instructions: GateLayouts.Instructions, _ relocated: GateLayouts.Relocated = .init()) throws {
    try BPF.update(map("gate_digests"), key: instructions.key, value: relocated.bytes)
  }

  static func removeDigest(_ instructions: GateLayouts.Instructions) throws {
    try BPF.delete(map("gate_digests"), key: instructions.key)
  }

  static func counter(_ number: UInt32) throws -> UInt64 {
    let value = try BPF.lookup(map("gate_counters"), key: GateLayouts.bytes(number), valueSize: 8) ?? []
    return value.enumerated().reduce(0) { $0 | UInt64($1.element) << UInt64(8 * $1.offset) }
  }
}

/// The program of images/vm/gate_probe.c, by one of its names.
struct Probe {
  let path: String

  struct Answer {
    let status: Int
    let text: String
    /// The errno of each thing that it tried.
    let values: [String: Int]
  }

  func run(_ words: String...) throws -> Answer { try run(words) }

  func run(_ words: [String]) throws -> Answer {
    let result = try Subprocess.run([path] + words)
    return Self.answer(status: result.status, text: result.text)
  }

  static func answer(status: Int, text: String) -> Answer {
    var values: [String: Int] = [:]
    for line in text.split(separator: "\n") {
      let parts = line.split(separator: "=")
      if parts.count == 2, let value = Int(parts[1]) { values[String(parts[0])] = value }
    }
    return Answer(status: status, text: text, values: values)
  }

  /// Fails the case unless a load ends with that errno; 0 for one that works.
  func expectLoad(_ errno: Int, _ what: String, _ words: String..., line: Int = #line) throws {
    let answer = try run(["load"] + words)
    try expect(
      answer.status == errno, "\(what): expected errno \(errno), found \(answer.status): \(answer.text)", line: line)
  }

  /// The instructions that it submits: `insns` of them, all but the last `r0 = seed`.
  static func instructions(_ count: Int = 2, seed: UInt8 = 0) -> [UInt8] {
    var bytes: [UInt8] = []
    for _ in 0..<(count - 1) { bytes += [0xb7, 0, 0, 0, seed, 0, 0, 0] }
    return bytes + [0x95, 0, 0, 0, 0, 0, 0, 0]
  }
}

/// The volume with the programs that have rows, mounted until the machine is turned off.
final class GateTools {
  let volume: VerityVolume
  let place: String

  init(_ image: String = "gate-tools", name: String, options: [String] = []) throws {
    volume = try VerityVolume(image, name: name, options: options)
    place = try volume.mount()
  }

  func probe(_ name: String) -> Probe { Probe(path: "\(place)/\(name)") }

  var judging: Probe { probe("judging") }
  var listed: Probe { probe("listed") }
  var scoped: Probe { probe("scoped") }
  /// It has no row.
  var other: Probe { probe("other") }
  var reader: Probe { probe("reader") }

  /// Gives the programs their rows, by the root hash that the volume was opened with.
  func setRows() throws {
    try GateUnderTest.setExecutable("\(place)/judging", of: volume, .judging)
    try GateUnderTest.setExecutable("\(place)/listed", of: volume, .listed)
    try GateUnderTest.setExecutable("\(place)/scoped", of: volume, .scope, scope: 5)
    try GateUnderTest.setExecutable("\(place)/reader", of: volume, [.reader, .listed])
  }
}

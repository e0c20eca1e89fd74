public import Base

/// The one entry of the gate's state (`struct gate_state` in gate.h).
///
/// It is written last when the gate is installed: with a version of 0 every load counts as one that no row admits, and as the
/// mode is 0 too, it passes and makes a record.
public struct GateState: Equatable, Sendable {
  /// ``GateLayout/version`` of who wrote it; 0 while the installation is not complete.
  public var version: UInt32
  /// Whether loads are refused; otherwise they are recorded.
  public var enforces: Bool
  /// Whether the gate protects itself, for good.
  public var isSealed: Bool
  /// Whether the gate, when sealed, keeps the kernel's modules and other kernels out.
  public var closesModules: Bool
  /// The inode number of the mount namespace in which unmounting the gate's pins is refused; 0 where it is not known.
  public var mountNamespace: UInt64
  /// The number of the file system that the gate's parts are pinned in, as the kernel has it.
  public var pinDevice: UInt32

  public init(
    version: UInt32 = GateLayout.version, enforces: Bool = false, isSealed: Bool = false, closesModules: Bool = false,
    mountNamespace: UInt64 = 0, pinDevice: UInt32 = 0
  ) {
    self.version = version
    self.enforces = enforces
    self.isSealed = isSealed
    self.closesModules = closesModules
    self.mountNamespace = mountNamespace
    self.pinDevice = pinDevice
  }

  /// Whether the installation came to its end.
  public var isComplete: Bool { version == GateLayout.version }

  public var standing: GateStanding { !enforces ? .watching : isSealed ? .sealed : .enforcing }

  /// The key of the only entry.
  public static let key: [UInt8] = [0, 0, 0, 0]

  public var value: [UInt8] {
    var bytes: [UInt8] = []
    bytes.appendLittleEndian(version)
    bytes.appendLittleEndian(UInt32(enforces ? 1 : 0))
    bytes.appendLittleEndian(UInt32(isSealed ? 1 : 0))
    bytes.appendLittleEndian(UInt32(closesModules ? 1 : 0))
    bytes.appendLittleEndian(mountNamespace)
    bytes.appendLittleEndian(pinDevice)
    bytes += [UInt8](repeating: 0, count: GateMap.state.valueSize - bytes.count)
    return bytes
  }

  /// Nil for a value of another size.
  public init?(value: [UInt8]) {
    guard value.count == GateMap.state.valueSize, let state = try? Self.read(value.rawSpan) else { return nil }
    self = state
  }

  private static func read(_ bytes: RawSpan) throws(ByteError) -> GateState {
    GateState(
      version: try bytes.u32(at: 0), enforces: try bytes.u32(at: 4) != 0, isSealed: try bytes.u32(at: 8) != 0,
      closesModules: try bytes.u32(at: 12) & 1 != 0, mountNamespace: try bytes.u64(at: 16),
      pinDevice: try bytes.u32(at: 24))
  }

  /// A device number in the kernel's own form, which has 20 bits for the minor (include/linux/kdev_t.h).
  public static func deviceNumber(major: UInt64, minor: UInt64) -> UInt32 {
    UInt32(truncatingIfNeeded: major << 20 | minor & 0xfffff)
  }
}

/// What the gate counts, by the index in its map (`enum gate_counter` in gate.h).
public enum GateCounter: UInt32, CaseIterable, Sendable {
  /// Records that found no place in the ring buffer.
  case lost = 0
  case refused = 1
  case passed = 2

  /// The word for it in JSON.
  public var word: String {
    switch self {
    case .lost: "lost_events"
    case .refused: "refused"
    case .passed: "passed"
    }
  }
}

/// A volume that the gate knows (`struct gate_device` in gate.h).
public struct GateDevice: Equatable, Sendable {
  public var major: UInt64
  public var minor: UInt64
  public var rootHash: Digest
  /// How often its root hash was announced.
  public var events: UInt32
  /// Whether user space vouched for it, because it was there before the gate.
  public var isSeeded: Bool
  /// Whether it was announced more than once, so that pages of another table may be cached.
  public var isTainted: Bool
  /// Whether its table does not fail on every corrupted block, or that is not known.
  public var isLenient: Bool

  /// A volume that our own verification vouches for.
  public init(seeding rootHash: Digest, major: UInt64, minor: UInt64) {
    self.major = major
    self.minor = minor
    self.rootHash = rootHash
    events = 0
    isSeeded = true
    isTainted = false
    isLenient = false
  }

  /// Whether what is on it counts.
  public var counts: Bool { !isTainted && !isLenient }

  /// Its row.
  public var entry: GateTables.Entry {
    var key: [UInt8] = []
    key.appendLittleEndian(GateState.deviceNumber(major: major, minor: minor))
    var value = GateTables.rootHash(rootHash)
    value.appendLittleEndian(UInt32(rootHash.bytes.count))
    value.appendLittleEndian(events)
    var flags: UInt32 = isSeeded ? GateLayout.DeviceFlag.seeded : 0
    if isTainted { flags |= GateLayout.DeviceFlag.tainted }
    if isLenient { flags |= GateLayout.DeviceFlag.lenient }
    value.appendLittleEndian(flags)
    value += [UInt8](repeating: 0, count: GateMap.devices.valueSize - value.count)
    return GateTables.Entry(key: key, value: value)
  }

  /// Reads a row; nil for one that is no device's.
  public init?(_ entry: GateTables.Entry) {
    let (key, value) = (entry.key.rawSpan, entry.value.rawSpan)
    guard let number = try? key.u32(at: 0), let size = try? value.u32(at: 64), let events = try? value.u32(at: 68),
      let flags = try? value.u32(at: 72),
      let algorithm = HashAlgorithm.allCases.first(where: { $0.digestSize == Int(size) }),
      let rootHash = Digest(algorithm, bytes: Array(entry.value.prefix(algorithm.digestSize)))
    else { return nil }
    self.init(seeding: rootHash, major: UInt64(number >> 20), minor: UInt64(number & 0xfffff))
    self.events = events
    isSeeded = flags & GateLayout.DeviceFlag.seeded != 0
    isTainted = flags & GateLayout.DeviceFlag.tainted != 0
    isLenient = flags & GateLayout.DeviceFlag.lenient != 0
  }
}

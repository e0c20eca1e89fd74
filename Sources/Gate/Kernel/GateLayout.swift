internal import Base
internal import KernelABI

/// The maps of the gate's object by name, and the sizes of their keys and values in bytes.
///
/// images/gate/include/gate.h has the same structures in C. A test reads the types of the compiled object and compares.
public enum GateMap: String, CaseIterable, Sendable {
  case devices = "gate_devices"
  case executables = "gate_executables"
  case digests = "gate_digests"
  case scopes = "gate_scopes"
  case own = "gate_own"
  case state = "gate_state"
  case counters = "gate_counters"
  case events = "gate_events"

  /// Bytes of a key; 0 for the ring buffer.
  public var keySize: Int {
    switch self {
    case .devices, .state, .counters: 4
    case .executables: GateLayout.rootHashSize + 8
    case .digests: 32 + 5 * 4
    case .scopes: 4 * 4
    case .own: 2 * 4
    case .events: 0
    }
  }

  /// Bytes of a value; 0 for the ring buffer.
  public var valueSize: Int {
    switch self {
    case .devices: GateLayout.rootHashSize + 4 * 4 + 8
    case .executables: 2 * 4
    case .digests: 32 + 32 + 2 * 4
    case .scopes: 32 + 2 * 4
    case .own: 4
    case .state: 40
    case .counters: 8
    case .events: 0
    }
  }

  /// Whether the object leaves the number of entries open, so that the plan says it.
  public var isSizedByPlan: Bool {
    switch self {
    case .devices, .executables, .digests, .scopes: true
    case .own, .state, .counters, .events: false
    }
  }

}

/// What user space and the gate's programs agree on besides the maps.
public enum GateLayout {
  /// The version of the structures (GATE_VERSION); a gate of another one is not spoken to.
  public static let version: UInt32 = 1
  /// The gate's object in its image.
  public static let object = "gate.bpf.o"
  /// Where its parts are pinned.
  public static let pinPath = "\(PinPlace.root)/verity-bpf/gate"
  /// The modules of the kernel whose types the gate has to find when it is loaded, so that it can read the mode of a table.
  public static let modules = ["dm_mod", "dm_verity"]
  /// Bytes of a root hash in keys and values: the hash from the left, then zeros.
  static let rootHashSize = 64
  /// Bytes of a record of the ring buffer.
  public static let eventSize = 184
  /// In a scope's key: every type, or every attach type (GATE_ANY).
  static let any = UInt32.max
  /// The inode in the row of a whole volume (GATE_WHOLE_VOLUME).
  static let wholeVolume = UInt64.max
  /// Rows that differ in nothing that their keys can say (GATE_ALTERNATIVES).
  static let alternatives = 4

  /// What a row of an executable lets it do (`enum gate_rights`); a bit each.
  enum Right {
    static let judging: UInt32 = 1
    static let listed: UInt32 = 2
    static let scope: UInt32 = 4
    /// It may open the gate's maps, also when the gate is sealed.
    static let reader: UInt32 = 8
    /// Kernel modules of the volume may be inserted; in a row of the whole volume (GATE_WHOLE_VOLUME) alone.
    static let modules: UInt32 = 16
  }

  /// Bits of a row of a digest (`enum gate_relocated_flag`).
  enum DigestFlag {
    static let afterCore: UInt32 = 1
    static let types: UInt32 = 2
    /// Of the digest after CO-RE its first eight bytes, as kernels before 6.18 have them in a program's tag.
    static let tag: UInt32 = 4
  }

  /// Bits of a row of a device (`enum gate_device_flag`).
  enum DeviceFlag {
    static let seeded: UInt32 = 1
    static let tainted: UInt32 = 2
    static let lenient: UInt32 = 4
  }

  /// What is in `gate_own` (`enum gate_part_kind`).
  public enum Part: UInt32, Sendable {
    case map = 1
    case program = 2
    case link = 3
    case pin = 4

    /// The key of a part.
    ///
    /// - Parameter id: the kernel's number for it, of a pin its inode's.
    public func key(_ id: UInt32) -> [UInt8] {
      var key: [UInt8] = []
      key.appendLittleEndian(rawValue)
      key.appendLittleEndian(id)
      return key
    }
  }
}

import Base

/// The rows of the gate's maps as bytes: what images/gate/include/gate.h lays out.
enum GateLayouts {
  /// The kernel's dev_t: 20 bits of minor number.
  static func device(_ number: DeviceNumberParts) -> UInt32 {
    UInt32(truncatingIfNeeded: number.major << 20 | number.minor)
  }

  struct DeviceNumberParts {
    let major: UInt64
    let minor: UInt64
  }

  static func bytes(_ value: UInt32) -> [UInt8] { (0..<4).map { UInt8(truncatingIfNeeded: value >> (8 * $0)) } }
  static func bytes(_ value: UInt64) -> [UInt8] { (0..<8).map { UInt8(truncatingIfNeeded: value >> (8 * $0)) } }

  /// A root hash with zeros behind it.
  static func rootHash(_ hex: String) throws -> [UInt8] {
    guard let digest = Digest(.sha256, hex: hex) else { throw Failure(description: "no root hash: \(hex)") }
    return padded(digest.bytes, 64)
  }

  static func padded(_ bytes: [UInt8], _ size: Int) -> [UInt8] {
    bytes + [UInt8](repeating: 0, count: size - bytes.count)
  }

  /// `struct gate_state`.
  struct State {
    var version: UInt32 = 1
    var enforces = false
    var isSealed = false
    var closesModules = false
    var mountNamespace: UInt64 = 0
    var pinDevice: UInt32 = 0

    var bytes: [UInt8] {
      let words: [UInt32] = [version, enforces ? 1 : 0, isSealed ? 1 : 0, closesModules ? 1 : 0]
      let rest = GateLayouts.bytes(mountNamespace) + GateLayouts.bytes(pinDevice)
      return GateLayouts.padded(words.flatMap(GateLayouts.bytes) + rest, 40)
    }
  }

  /// `enum gate_device_flag`.
  struct DeviceFlags: OptionSet {
    let rawValue: UInt32
    static let seeded = DeviceFlags(rawValue: 1)
    static let tainted = DeviceFlags(rawValue: 2)
    static let lenient = DeviceFlags(rawValue: 4)
  }

  /// `struct gate_device`.
  struct Device {
    var rootHash: [UInt8]
    var hashSize: UInt32 = 32
    var events: UInt32 = 0
    var flags: DeviceFlags
    var owner: UInt64 = 0

    static let size = 88

    init(rootHash: [UInt8], flags: DeviceFlags) {
      self.rootHash = rootHash
      self.flags = flags
    }

    init(_ bytes: [UInt8]) {
      rootHash = Array(bytes[..<64])
      hashSize = Self.word(bytes, 64)
      events = Self.word(bytes, 68)
      flags = DeviceFlags(rawValue: Self.word(bytes, 72))
      owner = UInt64(Self.word(bytes, 80)) | UInt64(Self.word(bytes, 84)) << 32
    }

    private static func word(_ bytes: [UInt8], _ place: Int) -> UInt32 {
      (0..<4).reduce(0) { $0 | UInt32(bytes[place + $1]) << UInt32(8 * $1) }
    }

    var bytes: [UInt8] {
      rootHash + [hashSize, events, flags.rawValue, 0].flatMap(GateLayouts.bytes) + GateLayouts.bytes(owner)
    }
  }

  /// `enum gate_rights`.
  struct Rights: OptionSet {
    let rawValue: UInt32
    static let judging = Rights(rawValue: 1)
    static let listed = Rights(rawValue: 2)
    static let scope = Rights(rawValue: 4)
    static let reader = Rights(rawValue: 8)
    static let modules = Rights(rawValue: 16)
  }

  static let wholeVolume = UInt64.max

  /// Instructions as a row of `gate_digests` names them (`struct gate_digest`).
  struct Instructions {
    var sha256: [UInt8]
    var type: UInt32
    var attachType: UInt32 = 0
    var records: UInt32 = 0
    var attachID: UInt32 = 0
    var alternative: UInt32 = 0

    init(_ instructions: [UInt8], type: UInt32 = 1) throws {
      sha256 = try Digest.of(instructions.span.bytes).bytes
      self.type = type
    }

    var key: [UInt8] { sha256 + [type, attachType, records, attachID, alternative].flatMap(GateLayouts.bytes) }
  }

  /// What CO-RE has to make of them (`struct gate_relocated`).
  struct Relocated {
    /// 32 bytes, or 8 of a kernel that has no more.
    var afterCORE: [UInt8]?
    var types: [UInt8]?

    var bytes: [UInt8] {
      var flags: UInt32 = 0
      if let afterCORE { flags |= afterCORE.count == 8 ? 5 : 1 }
      if types != nil { flags |= 2 }
      return GateLayouts.padded(afterCORE ?? [], 32) + GateLayouts.padded(types ?? [], 32)
        + [flags, 7].flatMap(GateLayouts.bytes)
    }
  }

  /// A row of `gate_scopes`: its key and value.
  static func scope(
    _ scope: UInt32, type: UInt32?, attachType: UInt32?, alternative: UInt32 = 0, helpers: [UInt32]?
  ) -> (key: [UInt8], value: [UInt8]) {
    var words = [UInt32](repeating: 0, count: 8)
    for helper in helpers ?? [] { words[Int(helper / 32)] |= 1 << (helper % 32) }
    let key = [scope, type ?? .max, attachType ?? .max, alternative]
    return (key.flatMap(bytes), (words + [helpers == nil ? 1 : 0, 9]).flatMap(bytes))
  }

  /// `enum gate_part_kind`.
  enum PartKind: UInt32 {
    case map = 1
    case program = 2
    case link = 3
    case pin = 4
  }
}

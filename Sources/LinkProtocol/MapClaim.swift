internal import Base

/// What the helper has read of a declared map's definition, which is a chain of types.
public struct MapClaim: Equatable, Sendable {
  /// Where the map's variable begins, in bytes from the start of its section.
  public var start: UInt32
  /// The number of `enum bpf_map_type`.
  public var type: UInt32
  /// Bytes.
  public var keySize: UInt32
  /// Bytes.
  public var valueSize: UInt32
  public var maxEntries: UInt32
  /// `BPF_F_*` of BPF_MAP_CREATE.
  public var flags: UInt32
  /// `map_extra` of BPF_MAP_CREATE.
  public var extra: UInt64
  /// The NUMA node that the object names, if it does.
  public var numaNode: UInt32?
  /// Numbers of types; 0 for none.
  public var keyType: UInt32
  public var valueType: UInt32
  /// LIBBPF_PIN_BY_NAME.
  public var pinsByName: Bool

  public init(start: UInt32, type: UInt32) {
    self.start = start
    self.type = type
    keySize = 0
    valueSize = 0
    maxEntries = 0
    flags = 0
    extra = 0
    numaNode = nil
    keyType = 0
    valueType = 0
    pinsByName = false
  }

  /// Bytes of one.
  public static let size = 48

  private enum Option {
    static let hasNode: UInt32 = 1
    static let pinsByName: UInt32 = 2
  }

  func append(to bytes: inout [UInt8]) {
    let options = (numaNode == nil ? 0 : Option.hasNode) | (pinsByName ? Option.pinsByName : 0)
    for number in [start, type, keySize, valueSize, maxEntries, flags, numaNode ?? 0, keyType, valueType, options] {
      bytes.appendLittleEndian(number)
    }
    bytes.appendLittleEndian(extra)
  }

  init(_ bytes: RawSpan, at place: Int) throws(LinkViolation) {
    start = try LinkFrame.u32(bytes, place)
    type = try LinkFrame.u32(bytes, place + 4)
    keySize = try LinkFrame.u32(bytes, place + 8)
    valueSize = try LinkFrame.u32(bytes, place + 12)
    maxEntries = try LinkFrame.u32(bytes, place + 16)
    flags = try LinkFrame.u32(bytes, place + 20)
    let node = try LinkFrame.u32(bytes, place + 24)
    keyType = try LinkFrame.u32(bytes, place + 28)
    valueType = try LinkFrame.u32(bytes, place + 32)
    let options = try LinkFrame.u32(bytes, place + 36)
    extra = try LinkFrame.u64(bytes, place + 40)
    try LinkFrame.requireZero(options & ~(Option.hasNode | Option.pinsByName), "a map")
    if options & Option.hasNode == 0 { try LinkFrame.requireZero(node, "a map without a node") }
    numaNode = options & Option.hasNode == 0 ? nil : node
    pinsByName = options & Option.pinsByName != 0
  }
}

internal import KernelABI
internal import Linux

/// What two maps must have in common to be taken for each other: the attributes that libbpf compares before it uses a
/// pinned map (map_is_reuse_compat).
struct MapShape: Equatable, CustomStringConvertible {
  var type: UInt32
  var keySize: UInt32
  var valueSize: UInt32
  var maxEntries: UInt32
  var flags: UInt32
  var extra: UInt64

  init(_ attributes: BPF.MapAttributes) {
    type = attributes.typeNumber
    keySize = attributes.keySize
    valueSize = attributes.valueSize
    maxEntries = attributes.maxEntries
    flags = attributes.flags
    extra = attributes.extra
  }

  init(_ info: BPF.MapInfo) {
    type = info.type
    keySize = info.keySize
    valueSize = info.valueSize
    maxEntries = info.maxEntries
    flags = info.flags
    extra = info.extra
  }

  /// Whether a map that exists is one of this shape.
  func isSatisfied(by existing: MapShape) -> Bool {
    var existing = existing
    // The kernel adds this flag to such maps by itself (kernel/bpf/devmap.c, dev_map_init_map).
    if [.devmap, .devmapHash].contains(MapType(rawValue: existing.type)) {
      existing.flags = existing.flags & ~Self.readOnlyProgram | flags & Self.readOnlyProgram
    }
    return self == existing
  }

  /// In bpftool's words.
  var description: String {
    let text =
      "type \(type), key \(keySize)B, value \(valueSize)B, max_entries \(maxEntries), "
      + "flags 0x\(String(flags, radix: 16))"
    return extra == 0 ? text : text + ", map_extra 0x\(String(extra, radix: 16))"
  }

  private static let readOnlyProgram = MapFlag.readOnlyProgram.rawValue
}

internal import BPFObject
internal import KernelABI

/// The kinds of an object's maps, found once: looking at all maps again for each program would take the programs times the maps.
struct MapKinds {
  /// Each once, in the order of their numbers.
  let types: [MapType]
  /// The flags of all of them together.
  let flags: UInt32

  init(_ maps: [LinkedMap]) {
    types = Set(maps.map(\.type)).sorted { $0.rawValue < $1.rawValue }
    flags = maps.reduce(0) { $0 | $1.flags }
  }
}

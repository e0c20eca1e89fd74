internal import BPFObject

/// How many entries a map gets whose size its object leaves to the loader (`max_entries` 0).
///
/// Authors do so where the size follows from the machine, as the number of processors does; their own loaders say it
/// with libbpf's `bpf_map__set_max_entries`. The size is an attribute of BPF_MAP_CREATE, so no proven byte changes.
public struct MapEntries: Equatable, Sendable {
  /// The map's name in the object.
  public let map: String
  /// `max_entries`, at least 1.
  public let entries: UInt32

  /// Reads `NAME=N`; nil when it is nothing of that form.
  public init?(_ text: String) {
    let parts = text.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
    guard parts.count == 2, !parts[0].isEmpty, parts[1].utf8.first != UInt8(ascii: "+"), let entries = UInt32(parts[1]),
      entries > 0
    else { return nil }
    self.init(map: String(parts[0]), entries: entries)
  }

  /// Gives a map of this name so many entries.
  public init(map: String, entries: UInt32) {
    self.map = map
    self.entries = entries
  }
}

extension LinkedObject {
  /// Sizes maps. What the object itself says of a size is proven or signed with it, and stays.
  ///
  /// - Throws: ``BPFLoadError/noMapToSize(map:open:)``, ``BPFLoadError/mapHasSize(map:entries:)``.
  mutating func size(_ sizes: [MapEntries]) throws(BPFLoadError) {
    let open = mapsWithoutSize
    for size in sizes {
      guard let own = self.size(map: size.map, entries: size.entries) else {
        throw .noMapToSize(map: size.map, open: open)
      }
      guard own == 0 else { throw .mapHasSize(map: size.map, entries: own) }
    }
  }
}

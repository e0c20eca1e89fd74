/// Maps whose size the object leaves to the loader.
extension LinkedObject {
  /// The declared maps with `max_entries` 0. There may be some of types that want 0 among them.
  public var mapsWithoutSize: [String] {
    maps.filter { $0.origin == .declared && $0.maxEntries == 0 }.map(\.name)
  }

  /// Gives a map its size, unless it has one.
  ///
  /// - Returns: the map's own size before, in entries; nil when there is no declared map of this name.
  public mutating func size(map name: String, entries: UInt32) -> UInt32? {
    guard let index = maps.firstIndex(where: { $0.name == name && $0.origin == .declared }) else { return nil }
    let own = maps[index].maxEntries
    if own == 0 { maps[index].maxEntries = entries }
    return own
  }
}

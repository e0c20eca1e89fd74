internal import BPFObject
internal import KernelABI
internal import Linux

/// Taking the place of an object that is pinned.
extension LoadSteps {
  /// Takes away what killed runs have left that were to take the same place.
  ///
  /// - Returns: where that was.
  func collectInterrupted(_ layout: PinLayout) -> [String] {
    guard options.replaces, let directory = layout.directory else { return [] }
    return InterruptedReplacement.ended(beside: directory).filter { $0.collect() }.map(\.staging)
  }

  /// The object whose place is taken; nil where none is, or none is to be.
  ///
  /// - Throws: ``BPFLoadError/notReplaceable(path:found:)`` where taking its place would end something without a word.
  func replacedObject(_ layout: PinLayout) throws(BPFLoadError) -> PinnedObject? {
    guard options.replaces, let directory = layout.directory, let old = try PinnedObject.read(directory) else {
      return nil
    }
    if !options.attaches, let link = old.links.first {
      throw .replacedIsAttached(path: directory, link: link.name)
    }
    let registered = old.maps.first { map in
      MapType(rawValue: map.info.type) == .structOps && map.info.flags & MapFlag.link.rawValue == 0
    }
    if let registered {
      throw .notReplaceable(
        path: directory, found: "struct_ops map `\(registered.name)`, which is registered by no link")
    }
    return old
  }

  /// The objects that go when this one is there, which may be on its places.
  func endedObjects() throws(BPFLoadError) -> [PinnedObject] {
    guard options.replaces, options.attaches else { return [] }
    var ended: [PinnedObject] = []
    for directory in options.endedObjects {
      if let object = try PinnedObject.read(directory) { ended.append(object) }
    }
    return ended
  }

  /// Where the links of programs and structures are pinned that are attached; those of a program with several have other names.
  func attachedPins(_ layout: PinLayout) -> Set<String> {
    Set((programs.map(\.name).filter { options.attaches($0) } + linked.structOps.map(\.name)).compactMap(layout.link))
  }

  /// What becomes of the old object, and of what killed runs have left beside it; nil where there is neither.
  func replaced(
    _ old: PinnedObject?, _ collected: [String], maps: [LoadedMap], links: [MadeLink], moves: [LinkMove],
    _ layout: PinLayout
  ) -> ReplacedObject? {
    guard old != nil || !collected.isEmpty || !moves.isEmpty else { return nil }
    var replaced = ReplacedObject()
    replaced.collected = collected
    replaced.movedLinks = moves.map(\.program)
    guard let old else { return replaced }
    for map in maps {
      if old.maps.contains(where: { $0.info.id == map.id }) {
        replaced.carriedMaps.append(map.name)
      } else if old.maps.contains(where: { $0.path == map.pin }) {
        replaced.freshMaps.append(map.name)
      }
    }
    let moved = Set(moves.map(\.link.path))
    let made = Dictionary(
      links.compactMap { link in layout.link(link.pinName).map { ($0, link) } }, uniquingKeysWith: { first, _ in first }
    )
    for link in old.links where !moved.contains(link.path) {
      guard let successor = made[link.path] else {
        replaced.endedLinks.append(link.name)
        continue
      }
      // An iterator is read by who asks for it, and sees no events.
      if link.info.kind != .iter, replaced.doubledLinks.last != successor.program {
        replaced.doubledLinks.append(successor.program)
      }
    }
    return replaced
  }
}

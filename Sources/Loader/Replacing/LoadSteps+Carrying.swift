internal import BPFObject
internal import Base
internal import KernelABI
internal import Linux

/// Maps that stay when another object takes the place of theirs.
extension LoadSteps {
  /// The pinned map that the new object goes on with; nil where it gets one of its own.
  ///
  /// Constants and maps whose contents the object states are parts of the object, and go with it. Everything else is state, and
  /// is never lost without a word: a map of another kind is refused unless the caller asks for fresh maps.
  func carriedMap(_ index: Int, from old: PinnedObject, _ layout: PinLayout) throws(BPFLoadError) -> KernelObject? {
    let map = linked.maps[index]
    guard !options.freshMaps, !map.isFrozen, map.initialSlots.isEmpty,
      let pinned = old.maps.first(where: { $0.path == layout.maps[index] })
    else { return nil }
    func differs(_ expected: String, _ found: String) -> BPFLoadError {
      .mapDiffers(map: map.name, path: pinned.path, expected: expected, found: found)
    }
    guard signing?.exclusiveProgram.isEmpty != false else {
      throw differs("a map of its own for a program that is signed with its maps", "\(MapShape(pinned.info))")
    }
    let wanted = MapShape(attributes(of: map))
    guard wanted.isSatisfied(by: MapShape(pinned.info)) else {
      throw differs("\(wanted)", "\(MapShape(pinned.info))")
    }
    if let (expected, found) = try typeDifference(map, from: pinned.info) { throw differs(expected, found) }
    return pinned.object
  }

  /// What the types of key and value say of a map, in the object and in the kernel, where they differ.
  private func typeDifference(
    _ map: LinkedMap, from info: BPF.MapInfo
  ) throws(BPFLoadError) -> (expected: String, found: String)? {
    let pairs = [("key", map.btfKeyTypeID, info.keyTypeID), ("value", map.btfValueTypeID, info.valueTypeID)]
    for (name, mine, theirs) in pairs where (mine == 0) != (theirs == 0) {
      return (mine == 0 ? "a \(name) without a type" : "a \(name) with a type", theirs == 0 ? "none" : "one")
    }
    guard map.btfKeyTypeID != 0 || map.btfValueTypeID != 0 else { return nil }
    let there: [UInt8]
    do throws(SystemError) {
      there = try BPF.btfBytes(BPF.btf(id: info.btfID))
    } catch {
      throw refusedEntry(error, "the types of map `\(map.name)`") ?? .system(error)
    }
    do throws(BPFObjectError) {
      let (own, others) = (try BTF(linked.btf.rawSpan), try BTF(there.rawSpan))
      for (name, mine, theirs) in pairs where mine != 0 {
        guard let found = try own.difference(mine, from: others, theirs) else { continue }
        return ("\(name)\(found.place): \(found.mine)", "\(name)\(found.place): \(found.others)")
      }
      return nil
    } catch {
      // What cannot be compared is not the same.
      return ("types that can be compared", error.message)
    }
  }
}

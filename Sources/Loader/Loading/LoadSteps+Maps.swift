internal import KernelABI
internal import Base
internal import BPFObject
internal import Linux

/// Making maps and filling them.
extension LoadSteps {
  /// The object's maps in the order of `fd_array`; data maps filled, `.rodata` frozen.
  ///
  /// - Parameter old: the object whose place is taken, and with it maps; nil where none is.
  func createMaps(
    btf: KernelObject?, _ layout: PinLayout, replacing old: PinnedObject?
  ) throws(BPFLoadError) -> [KernelObject] {
    var created: [KernelObject] = []
    for (index, map) in linked.maps.enumerated() {
      if map.pinsByName {
        guard layout.directory != nil else { throw .pinByNameWithoutPath(map: map.name) }
        if old == nil, let shared = try sharedMap(map, at: layout.maps[index]) {
          created.append(shared)
          continue
        }
      }
      if let old, let carried = try carriedMap(index, from: old, layout) {
        created.append(carried)
        continue
      }
      let object = try create(map, btf: btf)
      do throws(SystemError) {
        if map.type == .arena {
          // The verifier wants an arena to have its place in some process before a program uses it.
          try BPF.fillArena(object, pages: map.maxEntries, at: map.mapExtra, map.initialValue)
        } else if !map.jumpTargets.isEmpty {
          try fill(object, map.jumpTargets)
        } else if !map.initialValue.isEmpty {
          let flag: MapUpdateFlag = map.type == .percpuArray ? .allCPUs : .any
          try BPF.update(object, key: [0, 0, 0, 0], value: map.initialValue, flag)
        }
        // The verifier takes the contents of a frozen, program-read-only map for constants; and nobody changes
        // afterwards what was proven.
        // What is signed with the program must not change either, until the kernel has read it.
        if map.isFrozen || signing?.exclusiveProgram.isEmpty == false { try BPF.freeze(object) }
      } catch {
        if error.code == .einval, map.type == .percpuArray, let running = KernelReports.runningRelease(),
          running < MapUpdateFlag.allCPUs.since
        {
          let needs =
            "a first value for the variables of each processor (Linux \(MapUpdateFlag.allCPUs.since); this is \(running))"
          throw .notKnownToKernel(subject: "map `\(map.name)`", needs: needs, error: error)
        }
        throw refusedEntry(error, "map `\(map.name)`")
          ?? .mapRefused(map: map.name, shape: shape(of: map), error: error)
      }
      created.append(object)
    }
    return created
  }

  /// Writes the targets of a jump table.
  private func fill(_ table: KernelObject, _ targets: [UInt32]) throws(SystemError) {
    for (index, target) in targets.enumerated() {
      var value = [UInt8](repeating: 0, count: Int(LinkedMap.jumpTargetSize))
      value.storeLittleEndian(target, at: 0)
      var key = [UInt8](repeating: 0, count: 4)
      key.storeLittleEndian(UInt32(truncatingIfNeeded: index), at: 0)
      try BPF.update(table, key: key, value: value)
    }
  }

  /// The map that is pinned under this name already, when it is of the same kind; nil when there is none.
  func sharedMap(_ map: LinkedMap, at path: String) throws(BPFLoadError) -> KernelObject? {
    let info: BPF.MapInfo
    let pinned: KernelObject
    do throws(SystemError) {
      pinned = try BPF.pinned(at: path)
      info = try BPF.mapInfo(pinned)
    } catch  where error.code == .enoent {
      return nil
    } catch {
      throw refusedEntry(error, "map `\(map.name)`") ?? .pinRefused(path: path, error: error)
    }
    let wanted = MapShape(attributes(of: map))
    guard wanted.isSatisfied(by: MapShape(info)) else {
      throw .sharedMapDiffers(
        map: map.name, path: path, wanted: wanted.description, found: MapShape(info).description)
    }
    return pinned
  }

  func attributes(of map: LinkedMap) -> BPF.MapAttributes {
    var attributes = BPF.MapAttributes(
      type: map.type, keySize: map.keySize, valueSize: map.valueSize, maxEntries: map.maxEntries)
    if map.type == .perfEventArray, map.maxEntries == 0 {
      attributes.maxEntries = UInt32(clamping: KernelSettings.possibleProcessors() ?? 1)
    }
    if map.type == .stackTrace, map.valueSize == 0 { attributes.valueSize = StackTrace.valueSize(flags: map.flags) }
    attributes.unknownType = map.unknownType
    attributes.flags = map.flags
    // It counts only where the object's flags say so (BPF_F_NUMA_NODE), as with libbpf.
    attributes.numaNode = map.numaNode ?? 0
    attributes.extra = map.mapExtra
    attributes.exclusiveProgram = signing?.exclusiveProgram ?? []
    return attributes
  }

  /// What BPF_MAP_CREATE is asked for, in words.
  func shape(of map: LinkedMap) -> String { MapShape(attributes(of: map)).description }

  private func create(_ map: LinkedMap, btf: KernelObject?) throws(BPFLoadError) -> KernelObject {
    var inner: KernelObject?
    if let template = map.inner.first { inner = try create(template, btf: btf) }
    var attributes = attributes(of: map)
    attributes.name = map.kernelName
    if btf != nil {
      attributes.keyTypeID = map.btfKeyTypeID
      attributes.valueTypeID = map.btfValueTypeID
    }
    do throws(SystemError) {
      return try BPF.createMap(attributes, btf: attributes.valueTypeID == 0 ? nil : btf, inner: inner)
    } catch {
      if let refusal = refusedEntry(error, "map `\(map.name)`") { throw refusal }
      // Whether a type takes BTF, which is not known of this one; libbpf tries again without it too.
      if map.unknownType != nil, attributes.valueTypeID != 0 {
        (attributes.keyTypeID, attributes.valueTypeID) = (0, 0)
        if let created = try? BPF.createMap(attributes, inner: inner) { return created }
      }
      if error.code == .einval, let needs = KernelMapTypes.missing(map) {
        throw .notKnownToKernel(subject: "map `\(map.name)`", needs: needs, error: error)
      }
      guard error.code != .e2big || map.mapExtra == 0 else {
        throw .notKnownToKernel(subject: "map `\(map.name)`", needs: "map_extra (Linux 5.16)", error: error)
      }
      // Inner maps are templates, which are sized by their author alone.
      guard map.maxEntries != 0 || !linked.mapsWithoutSize.contains(map.name) else {
        throw .mapWithoutSize(map: map.name, shape: shape(of: map), error: error)
      }
      throw .mapRefused(map: map.name, shape: shape(of: map), error: error)
    }
  }

  /// Puts programs and maps into the slots of the maps that hold them from the start.
  func fillSlots(maps: [KernelObject], programs objects: [KernelObject], btf: KernelObject?) throws(BPFLoadError) {
    guard linked.maps.contains(where: { !$0.initialSlots.isEmpty }) else { return }
    var targets: [String: KernelObject] = [:]
    for (map, object) in zip(linked.maps, maps) { targets[map.name] = targets[map.name] ?? object }
    // A program goes before a map of its name.
    for (program, object) in zip(programs, objects).reversed() { targets[program.name] = object }
    for (map, object) in zip(linked.maps, maps) {
      for slot in map.initialSlots {
        guard let held = targets[slot.target] else {
          throw .noSuchSlotTarget(map: map.name, target: slot.target)
        }
        do throws(SystemError) {
          try BPF.update(object, index: slot.index, object: held)
        } catch {
          throw refusedEntry(error, "map `\(map.name)`")
            ?? .mapRefused(map: map.name, shape: shape(of: map), error: error)
        }
      }
    }
  }
}

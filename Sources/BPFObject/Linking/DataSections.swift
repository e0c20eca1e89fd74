internal import KernelABI

/// The sections that hold global variables, each of which becomes a one-entry array.
enum DataSections {
  static func isReadOnly(_ name: String) -> Bool { name == ".rodata" || name.hasPrefix(".rodata.") }
  static func isZero(_ name: String) -> Bool { name == ".bss" || name.hasPrefix(".bss.") }
  /// Variables of which each processor has its own (libbpf 1.8, PERCPU_SEC).
  static func isPerCPU(_ name: String) -> Bool { name == ".percpu" || name.hasPrefix(".percpu.") }

  private static func isData(_ section: ELFSection) -> Bool {
    let name = section.name
    switch section.type {
    case ELFSection.Constant.progbits:
      return isReadOnly(name) || isPerCPU(name) || name == ".data" || name.hasPrefix(".data.")
    case ELFSection.Constant.nobits: return isZero(name)
    default: return false
    }
  }

  /// The maps for all data sections that are not empty, in the sections' order.
  ///
  /// - Parameter pointers: gets the addresses in them.
  static func maps(
    _ elf: ELFFile, _ btf: BTF, objectName: String, pointers: inout DataPointerSearch
  ) throws(BPFObjectError) -> [(section: Int, map: LinkedMap)] {
    var types: [String: BTFType] = [:]
    for type in btf.types where type.kind == .dataSection { types[try btf.name(of: type)] = type }
    var maps: [(section: Int, map: LinkedMap)] = []
    for section in elf.sections where isData(section) && section.size > 0 {
      _ = try elf.section(named: section.name)
      try pointers.look(into: section, of: elf, btf, type: types[section.name])
      guard let size = UInt32(exactly: section.size) else { continue }
      var map = LinkedMap(
        origin: .data(section: section.name), name: name(of: section.name, objectName: objectName),
        type: isPerCPU(section.name) ? .percpuArray : .array)
      map.keySize = 4
      map.valueSize = size
      map.maxEntries = 1
      if isReadOnly(section.name) {
        map.flags |= MapFlag.readOnlyProgram.rawValue
        map.isFrozen = true
      }
      if let type = types[section.name] {
        map.btfValueTypeID = type.id
        // Sections with static variables only have no users outside the object (libbpf, map_is_mmapable), and the kernel
        // maps no per-CPU array.
        for variable in try btf.variables(of: type) where map.type == .array {
          guard try btf.linkage(ofVariable: btf.type(variable.type)) != .static else { continue }
          map.flags |= MapFlag.mmapable.rawValue
          break
        }
      }
      if section.type != ELFSection.Constant.nobits {
        let bytes = try elf.contents(of: section).bytes
        // What is all zero is so already; a read-only section is written even then, to be frozen as filled.
        if map.isFrozen || bytes.contains(where: { $0 != 0 }) { map.initialValue = bytes }
      }
      maps.append((section.index, map))
    }
    return maps
  }

  /// The map for configuration values, filled with zeros until they are known.
  static func configurationMap(_ externs: Externs, _ btf: BTF, objectName: String) -> LinkedMap? {
    guard externs.configurationSize > 0 else { return nil }
    let section = Externs.configurationSection
    var map = LinkedMap(
      origin: .data(section: section), name: name(of: section, objectName: objectName), type: .array)
    map.keySize = 4
    map.valueSize = UInt32(truncatingIfNeeded: externs.configurationSize)
    map.maxEntries = 1
    map.flags = MapFlag.readOnlyProgram.rawValue | MapFlag.mmapable.rawValue
    map.isFrozen = true
    map.btfValueTypeID = btf.typeID(named: section, kind: .dataSection) ?? 0
    map.initialValue = [UInt8](repeating: 0, count: externs.configurationSize)
    return map
  }

  /// The map's name as libbpf makes it (internal_map_name): the first eight bytes of the object's name before
  /// `.data`, `.rodata` and `.bss`, and the section's name alone when that has two dots or is `.percpu`.
  static func name(of section: String, objectName: String) -> String {
    if section.dropFirst().contains(".") || isPerCPU(section) { return section }
    let suffix = max(7, section.utf8.count)
    let prefix = Array(objectName.utf8.prefix(max(0, 15 - suffix)))
    return String(decoding: prefix, as: UTF8.self) + section
  }
}

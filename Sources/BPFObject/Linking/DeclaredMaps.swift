internal import KernelABI

/// The maps that an object declares in `.maps`.
struct DeclaredMaps: Sendable {
  /// In the order of their offsets.
  private(set) var maps: [LinkedMap] = []
  /// Where each begins, in bytes from the section's start.
  private var offsets: [(start: Int, values: Int?, size: Int)] = []
  private var byStart: [Int: Int] = [:]
  /// Index of the section; nil when there is none.
  let section: Int?

  init(_ elf: ELFFile, _ btf: BTF) throws(BPFObjectError) {
    for section in elf.sections where section.name == "maps" || section.name.hasPrefix("maps/") {
      throw BPFObjectError(
        .legacyMaps, "section `\(section.name)` holds legacy map definitions",
        expected: "maps defined by BTF types in section `.maps`", found: "struct bpf_map_def",
        why: "the layout of bpf_map_def was never fixed, and libbpf 1.0 dropped it",
        next: "define each map as struct { __uint(type, …); __type(key, …); __type(value, …); } NAME SEC(\".maps\")")
    }
    guard let section = try elf.section(named: ".maps"), section.size > 0 else {
      self.section = nil
      return
    }
    self.section = section.index
    guard let id = btf.typeID(named: ".maps", kind: .dataSection) else {
      throw BPFObjectError(
        .badMap, "`.BTF` does not describe section `.maps`", next: "compile the object with -g, and keep its .BTF")
    }
    var names: Set<String> = []
    for variable in try btf.variables(of: btf.type(id)) {
      let declaration = try btf.type(variable.type)
      let name = try btf.name(of: declaration)
      guard try btf.linkage(ofVariable: declaration) == .global else {
        throw BPFObjectError(
          .badMap, "map `\(name)` is static", expected: "a global variable", next: "drop the word `static`")
      }
      guard !name.isEmpty, names.insert(name).inserted else {
        throw BPFObjectError(.badMap, "two maps are called `\(name)`", expected: "one")
      }
      let definition = try MapDefinition(declaration.sizeOrType, map: name, isInner: false, btf: btf)
      maps.append(try Self.map(definition, name: name, btf: btf))
      guard byStart.updateValue(maps.count - 1, forKey: Int(variable.offset)) == nil else {
        throw BPFObjectError(.badMap, "map `\(name)` begins where another map does")
      }
      offsets.append((Int(variable.offset), definition.valuesOffset, Int(variable.size)))
    }
  }

  private static func map(
    _ definition: MapDefinition, name: String, btf: BTF
  ) throws(BPFObjectError) -> LinkedMap {
    // An image is made for kernels that may be newer than this build; the one that loads it decides about the map.
    let known = MapType(rawValue: definition.type)
    guard known?.canBeDeclared ?? true else {
      throw BPFObjectError(
        .badMap, "map `\(name)` has a type that cannot be declared",
        expected: "a type that objects declare (not struct_ops)", found: TypeNames.map(definition.type))
    }
    let type = known ?? .unspec
    var map = LinkedMap(origin: .declared, name: name, type: type)
    if known == nil { map.unknownType = definition.type }
    map.keySize = definition.keySize ?? 0
    map.valueSize = definition.valueSize ?? 0
    map.maxEntries = definition.maxEntries
    map.flags = definition.flags
    map.mapExtra = definition.mapExtra
    map.numaNode = definition.numaNode
    map.pinsByName = definition.pinsByName
    if type == .ringbuf || type == .userRingbuf {
      map.maxEntries = ringSize(definition.maxEntries)
      // The kernel takes no sizes here (kernel/bpf/ringbuf.c, ringbuf_map_alloc). Objects name the type of their records
      // all the same, for the generators of code that reads them.
      map.keySize = 0
      map.valueSize = 0
    }
    if try takesBTF(definition, type, btf) {
      map.btfKeyTypeID = definition.keyType
      map.btfValueTypeID = definition.valueType
    }
    if let inner = definition.innerType {
      let innerDefinition = try MapDefinition(inner, map: "\(name).inner", isInner: true, btf: btf)
      map.inner = [try Self.map(innerDefinition, name: "\(name).inner", btf: btf)]
    }
    return map
  }

  /// Whether BPF_MAP_CREATE takes the type ids. Where it would refuse them the map works without, and is only shown
  /// without types (libbpf tries with them, and again without).
  private static func takesBTF(
    _ definition: MapDefinition, _ type: MapType, _ btf: BTF
  ) throws(BPFObjectError) -> Bool {
    // Of a type that is not known here the kernel says whether it does.
    guard definition.valueType != 0, type.takesBTF || type == .unspec else { return false }
    switch type.keyTypes {
    case .int32:
      let key = try btf.resolved(definition.keyType)
      return key.kind == .int && key.sizeOrType == 4
    case .structure: return try btf.resolved(definition.keyType).kind == .structure
    case .any: return definition.keyType != 0 || definition.keySize == nil
    }
  }

  /// A ring's size must be a power of two in whole pages; libbpf rounds up in the same way. The page is the smallest
  /// that kernels have.
  static func ringSize(_ bytes: UInt32) -> UInt32 {
    guard bytes > 0 else { return 0 }
    var size: UInt32 = 4096
    while size < bytes, size < 1 << 31 { size <<= 1 }
    return max(size, bytes)
  }

  /// The index of the map that begins at this byte of `.maps`.
  func map(startingAt offset: Int) -> Int? { byStart[offset] }

  /// The index of the map that holds this byte of `.maps`. Starts ascend, as the variables of a DATASEC do.
  private func map(holding offset: Int) -> Int? {
    var low = 0
    var high = offsets.count
    while low < high {
      let middle = (low + high) / 2
      if offsets[middle].start <= offset { low = middle + 1 } else { high = middle }
    }
    guard low > 0, offset - offsets[low - 1].start < offsets[low - 1].size else { return nil }
    return low - 1
  }

  /// Reads the initial contents of program arrays and maps of maps from the section's relocations.
  mutating func readInitialSlots(_ elf: ELFFile, functions: FunctionTable) throws(BPFObjectError) {
    guard let section else { return }
    var used: [Int: Set<UInt32>] = [:]
    let contents = try elf.contents(of: elf.sections[section])
    for relocation in try elf.relocations(of: elf.sections[section]) {
      guard
        let index = map(holding: relocation.offset),
        let values = offsets[index].values, relocation.offset - offsets[index].start >= values,
        (relocation.offset - offsets[index].start - values).isMultiple(of: 8)
      else {
        throw BPFObjectError(
          .badRelocation, "a relocation at offset \(relocation.offset) of section `.maps` fills no slot of a map",
          expected: "a pointer in a `values` array")
      }
      let slot = UInt32((relocation.offset - offsets[index].start - values) / 8)
      guard used[index, default: []].insert(slot).inserted else {
        throw BPFObjectError(.badMap, "slot \(slot) of map `\(maps[index].name)` is filled twice", expected: "once")
      }
      let addend = try contents.u64(at: relocation.offset)
      let target = try target(
        of: elf.symbols[relocation.symbol], plus: addend, in: maps[index], slot: slot, functions)
      maps[index].initialSlots.append(LinkedMap.InitialSlot(index: slot, target: target))
    }
    for index in maps.indices { maps[index].initialSlots.sort { $0.index < $1.index } }
  }

  private func target(
    of symbol: ELFSymbol, plus addend: UInt64, in map: LinkedMap, slot: UInt32, _ functions: FunctionTable
  ) throws(BPFObjectError) -> String {
    guard let offset = Int(exactly: symbol.value &+ addend) else {
      throw BPFObjectError(.badRelocation, "symbol `\(symbol.name)` has a value that is no offset")
    }
    let holdsPrograms = map.type == .progArray
    if holdsPrograms {
      if let index = functions.function(startingAt: offset, of: symbol.section), functions.functions[index].isProgram {
        return functions.functions[index].name
      }
    } else if symbol.section == section, let index = self.map(startingAt: offset) {
      return maps[index].name
    }
    throw BPFObjectError(
      .badMap, "slot \(slot) of map `\(map.name)` refers to `\(symbol.name)`, which does not belong there",
      expected: holdsPrograms ? "a program of this object" : "a map of this object")
  }
}

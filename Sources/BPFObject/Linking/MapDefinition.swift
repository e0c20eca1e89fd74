internal import KernelABI

/// The fields of one BTF-defined map, read from the type of a variable in `.maps`.
///
/// A number is written as the length of an array behind a pointer (`__uint`), a type as what a pointer points to
/// (`__type`), initial contents as an array without length (`__array`); Documentation/bpf/map_hash.rst and libbpf's
/// bpf_helpers.h show the macros.
struct MapDefinition {
  var type: UInt32 = 0
  var maxEntries: UInt32 = 0
  var flags: UInt32 = 0
  var numaNode: UInt32?
  var mapExtra: UInt64 = 0
  var keySize: UInt32?
  var keyType: UInt32 = 0
  var valueSize: UInt32?
  var valueType: UInt32 = 0
  var pinsByName = false
  /// Bytes from the variable's start to the first slot of `values`.
  var valuesOffset: Int?
  /// The structure type of the inner map, for a map of maps.
  var innerType: UInt32?
  /// Whether `values` holds programs.
  var holdsPrograms = false

  private let btf: BTF
  private let map: String
  private let isInner: Bool

  /// - Parameter structure: the type id of the map's structure.
  init(_ structure: UInt32, map: String, isInner: Bool, btf: BTF) throws(BPFObjectError) {
    self.btf = btf
    self.map = map
    self.isInner = isInner
    let type = try btf.resolved(structure)
    guard type.kind == .structure, type.vlen > 0, type.vlen <= Limits.mapFields else {
      throw BPFObjectError(
        .badMap, "map `\(map)` is not defined by a structure of map fields",
        expected: "1 to \(Limits.mapFields) fields", found: "\(type.kind), \(type.vlen) fields")
    }
    let members = try btf.members(of: type)
    // So few that looking through them costs less than a set.
    var seen: [String] = []
    seen.reserveCapacity(members.count)
    // `values` means something else in each type of map, so the type is read first.
    for (index, member) in members.enumerated() {
      let field = try btf.string(at: member.nameOffset)
      guard !seen.contains(field) else {
        throw BPFObjectError(.badMap, "map `\(map)` has field `\(field)` twice")
      }
      seen.append(field)
      if field != "values" {
        try read(field, member)
      } else if index != members.count - 1 {
        throw BPFObjectError(.badMap, "field `values` of map `\(map)` is not its last")
      }
    }
    guard self.type != 0 else {
      throw BPFObjectError(
        .badMap, "map `\(map)` has no type", next: "add __uint(type, BPF_MAP_TYPE_…) to its definition")
    }
    if let last = members.last, try btf.string(at: last.nameOffset) == "values" { try readValues(last) }
  }

  private mutating func read(_ field: String, _ member: BTFMember) throws(BPFObjectError) {
    switch field {
    case "type": type = try number(field, member)
    case "max_entries": maxEntries = try number(field, member)
    case "map_flags": flags = try number(field, member)
    case "numa_node": numaNode = try number(field, member)
    case "map_extra": mapExtra = try wideNumber(field, member)
    case "key_size": keySize = try agree(keySize, try number(field, member), field)
    case "value_size": valueSize = try agree(valueSize, try number(field, member), field)
    case "key":
      keyType = try pointee(field, member)
      keySize = try agree(keySize, try size(field, keyType), field)
    case "value":
      valueType = try pointee(field, member)
      valueSize = try agree(valueSize, try size(field, valueType), field)
    case "pinning":
      let value = try number(field, member)
      guard value <= 1, !isInner else {
        throw BPFObjectError(
          .badMap, "field `pinning` of map `\(map)` is not allowed",
          expected: isInner ? "no pinning of an inner map" : "0 (none) or 1 (LIBBPF_PIN_BY_NAME)", found: "\(value)")
      }
      pinsByName = value == 1
    default:
      throw BPFObjectError(
        .badMap, "map `\(map)` has a field `\(field)` that means nothing",
        expected: "type, key, key_size, value, value_size, max_entries, map_flags, map_extra, numa_node, pinning or "
          + "values",
        next: "correct the field's name, or compile for a loader that knows it")
    }
  }

  private mutating func readValues(_ member: BTFMember) throws(BPFObjectError) {
    guard !isInner else {
      throw BPFObjectError(.badMap, "inner map `\(map)` has a field `values`", expected: "maps nested once")
    }
    let array = try btf.resolved(member.type)
    guard array.kind == .array, try btf.array(array).count == 0 else {
      throw BPFObjectError(
        .badMap, "field `values` of map `\(map)` is not an array without length", next: "write __array(values, …)")
    }
    let pointer = try btf.resolved(try btf.array(array).element)
    guard pointer.kind == .pointer else {
      throw BPFObjectError(.badMap, "field `values` of map `\(map)` is not an array of pointers")
    }
    let target = try btf.resolved(pointer.sizeOrType)
    let mapType = MapType(rawValue: type)
    if mapType == .progArray, target.kind == .functionPrototype {
      holdsPrograms = true
    } else if mapType == .arrayOfMaps || mapType == .hashOfMaps, target.kind == .structure {
      innerType = target.id
    } else {
      throw BPFObjectError(
        .badMap, "field `values` of map `\(map)` does not fit its type",
        expected: "functions in a PROG_ARRAY, maps in an ARRAY_OF_MAPS or HASH_OF_MAPS",
        found: "\(target.kind) in a map of type \(TypeNames.map(type))")
    }
    // A slot holds a file descriptor (or its index), whatever the object calls it.
    valueSize = try agree(valueSize, 4, "values")
    guard member.bitOffset.isMultiple(of: 8) else {
      throw BPFObjectError(.badMap, "field `values` of map `\(map)` is a bitfield")
    }
    valuesOffset = Int(member.bitOffset / 8)
  }

  // MARK: - The encodings

  private func number(_ field: String, _ member: BTFMember) throws(BPFObjectError) -> UInt32 {
    let pointer = try btf.resolved(member.type)
    if pointer.kind == .pointer {
      let array = try btf.type(pointer.sizeOrType)
      if array.kind == .array { return try btf.array(array).count }
    }
    throw BPFObjectError(
      .badMap, "field `\(field)` of map `\(map)` is not a number", expected: "int (*\(field))[N]",
      next: "write __uint(\(field), N)")
  }

  private func wideNumber(_ field: String, _ member: BTFMember) throws(BPFObjectError) -> UInt64 {
    let type = try btf.resolved(member.type)
    if let enumerator = try btf.enumerator(0, of: type), type.vlen == 1 { return enumerator.value }
    return UInt64(try number(field, member))
  }

  private func pointee(_ field: String, _ member: BTFMember) throws(BPFObjectError) -> UInt32 {
    let pointer = try btf.resolved(member.type)
    guard pointer.kind == .pointer else {
      throw BPFObjectError(
        .badMap, "field `\(field)` of map `\(map)` is not a type", expected: "a pointer to it",
        next: "write __type(\(field), T)")
    }
    return pointer.sizeOrType
  }

  private func size(_ field: String, _ type: UInt32) throws(BPFObjectError) -> UInt32 {
    guard let size = try btf.size(of: type) else {
      throw BPFObjectError(.badMap, "the type of field `\(field)` of map `\(map)` has no size")
    }
    return size
  }

  private func agree(_ known: UInt32?, _ size: UInt32, _ field: String) throws(BPFObjectError) -> UInt32 {
    guard known == nil || known == size else {
      throw BPFObjectError(
        .badMap, "field `\(field)` of map `\(map)` contradicts another", expected: "\(known ?? 0) bytes",
        found: "\(size) bytes")
    }
    return size
  }
}

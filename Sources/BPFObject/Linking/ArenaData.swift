internal import KernelABI

/// Global variables in an arena (BPF_MAP_TYPE_ARENA): clang puts them into a section of their own, and they become the
/// first bytes of the object's one arena (libbpf, init_arena_map_data).
struct ArenaData {
  /// clang's name for address space 1.
  static let sectionName = ".addr_space.1"

  /// The section's index.
  let section: Int
  /// The arena's index among the maps.
  let map: Int
  /// Bytes.
  let size: UInt32

  /// Finds the section, and gives its contents to the arena; nil when the object has no such variables.
  ///
  /// - Parameter pointers: gets the addresses among the variables.
  init?(
    _ elf: ELFFile, _ btf: BTF, maps: inout [LinkedMap], pointers: inout DataPointerSearch
  ) throws(BPFObjectError) {
    guard let section = try elf.section(named: Self.sectionName), section.size > 0 else { return nil }
    let arenas = maps.indices.filter { maps[$0].type == .arena }
    guard let index = arenas.first, arenas.count == 1 else {
      throw BPFObjectError(
        .badMap, "section `\(section.name)` holds variables of an arena", expected: "one map of type arena",
        found: "\(arenas.count)", next: "declare the arena: __uint(type, BPF_MAP_TYPE_ARENA) in SEC(\".maps\")")
    }
    let type = btf.typeID(named: section.name, kind: .dataSection).map { btf.types[Int($0)] }
    try pointers.look(into: section, of: elf, btf, type: type)
    // An arena is so many pages; the page is the smallest that kernels have.
    let room = UInt64(maps[index].maxEntries) * 4096
    guard UInt64(section.size) <= room, let size = UInt32(exactly: section.size) else {
      throw BPFObjectError(
        .badMap, "arena `\(maps[index].name)` is too small for the variables in it",
        expected: "at least \(section.size) bytes", found: "\(room) bytes (max_entries pages)")
    }
    guard maps[index].flags & MapFlag.segvOnFault.rawValue == 0 else {
      throw BPFObjectError(
        .badMap, "arena `\(maps[index].name)` has variables and BPF_F_SEGV_ON_FAULT", expected: "one of the two",
        why: "a loader that writes the variables' first values would be killed by the flag")
    }
    maps[index].initialValue = try elf.contents(of: section).bytes
    self.section = section.index
    map = index
    self.size = size
  }
}

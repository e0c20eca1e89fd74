internal import KernelABI

/// Jump tables: the targets of a program's indirect jumps, which compilers put into a section of their own as 64-bit
/// numbers, in bytes from the start of the section that the jumps are in (libbpf 1.7, create_jt_map).
///
/// Each becomes a map of one program (BPF_MAP_TYPE_INSN_ARRAY): the kernel moves the targets along when it changes the program.
struct JumpTables: Sendable {
  static let sectionName = ".jumptables"

  /// The section's index.
  let section: Int
  private let part: ObjectPart

  /// Finds the section; nil when the object has none.
  init?(_ elf: ELFFile) throws(BPFObjectError) {
    guard let section = try elf.section(named: Self.sectionName), section.size > 0 else { return nil }
    guard try elf.relocations(of: section).isEmpty else {
      throw BPFObjectError(
        .badRelocation, "section `\(section.name)` has relocations", expected: "offsets in one section",
        next: "compile the object with the clang that writes jump tables as libbpf reads them")
    }
    self.section = section.index
    part = try elf.contents(of: section)
  }

  /// The targets of one table, as instructions from the start of a linked program.
  ///
  /// - Parameters:
  ///   - table: the table's place in the section, in bytes.
  ///   - function: the function that the jump is in.
  ///   - place: the byte of the linked program where the function begins.
  func targets(
    of table: Range<Int>, in function: ObjectFunction, at place: Int
  ) throws(BPFObjectError) -> [UInt32] {
    var targets: [UInt32] = []
    targets.reserveCapacity(table.count / 8)
    for offset in stride(from: table.lowerBound, to: table.upperBound, by: 8) {
      let target = try part.u64(at: offset)
      guard let start = Int(exactly: target), function.range.contains(start), start.isMultiple(of: Instruction.size)
      else {
        throw BPFObjectError(
          .badRelocation, "the jump table at offset \(table.lowerBound) leads out of function `\(function.name)`",
          expected:
            "the start of an instruction from offset \(function.range.lowerBound) to \(function.range.upperBound)",
          found: "\(target)")
      }
      targets.append(UInt32(truncatingIfNeeded: (place + start - function.range.lowerBound) / Instruction.size))
    }
    return targets
  }

  /// The map for a table.
  static func map(_ targets: [UInt32], of program: String, number: Int) -> LinkedMap {
    var map = LinkedMap(
      origin: .jumpTable, name: "\(Self.sectionName).\(program).\(number)", type: .insnArray)
    map.keySize = 4
    map.valueSize = LinkedMap.jumpTargetSize
    map.maxEntries = UInt32(truncatingIfNeeded: targets.count)
    map.jumpTargets = targets
    map.isFrozen = true
    return map
  }
}

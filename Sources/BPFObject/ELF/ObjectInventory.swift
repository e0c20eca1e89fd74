internal import Base

/// Everything an object says, apart from where in the file it says it.
///
/// Dropping debugging sections moves and renumbers what is left: sections, symbols, and with them the targets of
/// relocations. So sections are numbered here without those tables and without what may go, symbols name their section
/// by that number, and relocations hold the symbol itself instead of its number. Two objects with equal inventories
/// load as the same programs and maps.
public struct ObjectInventory: Equatable, Sendable {
  /// One thing the object says.
  public struct Entry: Equatable, Sendable {
    /// What it is about.
    public enum Kind: String, Sendable, CaseIterable {
      /// The file header, without what only says where things lie.
      case header
      /// A section, with its name, type, flags and bytes.
      case section
      /// The relocations of a section.
      case relocations
      /// The symbol table.
      case symbols
    }

    public let kind: Kind
    /// The section's name, or of the section that is relocated; empty for header and symbols.
    public let name: String
    /// Type, flags, size, alignment, entry size and address of a section, as numbers; empty for the rest.
    public let attributes: [UInt64]
    /// The bytes that stand for it: a section's own, or a canonical form.
    public let contents: [UInt8]
    /// Whether stripping debugging data may take it away: DWARF, its relocations, names of source files, hints for
    /// linkers. Nothing of it is ever loaded.
    public let isRemovable: Bool
    /// Whether it holds instructions.
    public let holdsInstructions: Bool
  }

  /// The header, the sections in their order, each followed by its relocations, then the symbols; what may go comes
  /// with the rest, each in its place.
  public let entries: [Entry]
}

extension BPFObject {
  /// Takes an object's inventory.
  ///
  /// - Parameter excluded: the name of sections to leave out.
  /// - Throws: ``BPFObjectError`` when a table cannot be read, or when bytes lie between the sections that belong to
  ///   none and are not zero: nobody could say what those are for.
  public static func inventory(
    _ bytes: RawSpan, excluding excluded: String? = nil
  ) throws(BPFObjectError) -> ObjectInventory {
    try InventoryTaker(ELFFile(bytes), excluding: excluded).take()
  }

  /// The contents of every section with a name, in the file's order.
  public static func sections(named name: String, in bytes: RawSpan) throws(BPFObjectError) -> [[UInt8]] {
    let elf = try ELFFile(bytes)
    var found: [[UInt8]] = []
    for section in elf.sections.dropFirst() where section.name == name {
      found.append(try elf.contents(of: section).bytes)
    }
    return found
  }

  /// The object with one section of that name, at its end; any that were there go.
  ///
  /// The section has type SHT_PROGBITS and no flags: libbpf and bpftool say that they skip it,
  /// and go on.
  public static func settingSection(
    named name: String, to contents: [UInt8], in bytes: RawSpan
  ) throws(BPFObjectError) -> [UInt8] {
    let rewriter = try ELFRewriter(ELFFile(bytes)) { $0.name == name }
    return try rewriter.write(adding: .init(name: name, contents: contents, alignment: 8))
  }

  /// The object without any section of that name.
  public static func removingSections(named name: String, from bytes: RawSpan) throws(BPFObjectError) -> [UInt8] {
    try ELFRewriter(ELFFile(bytes)) { $0.name == name }.write()
  }
}

private struct InventoryTaker {
  private let elf: ELFFile
  private let file: ObjectPart
  /// The number each section has in the inventory; nil for tables and for what may go.
  private let numbers: [Int?]
  private let excluded: String?
  /// Where the symbol table begins in the file; nil when there is none.
  private let symbolTable: Int?

  init(_ elf: ELFFile, excluding excluded: String?) {
    self.elf = elf
    self.excluded = excluded
    symbolTable = elf.sections.first { $0.type == ELFSection.Constant.symtab }?.offset
    file = ObjectPart(name: "the file", bytes: elf.bytes, check: .truncated)
    var next = 0
    numbers = elf.sections.map { section in
      guard section.index > 0, !Self.isTable(section), !Self.isRemovable(section), section.name != excluded else {
        return nil
      }
      next += 1
      return next - 1
    }
  }

  /// What is stood for by names, symbols and relocations.
  private static func isTable(_ section: ELFSection) -> Bool {
    switch section.type {
    case 0, ELFSection.Constant.symtab, ELFSection.Constant.strtab, ELFSection.Constant.rel: true
    default: false
    }
  }

  private static func isRemovable(_ section: ELFSection) -> Bool {
    // SHF_WRITE, SHF_ALLOC, SHF_EXECINSTR: such a section is more than debugging data, whatever its name.
    if section.type == ELFSection.Constant.addressSignificance { return true }
    return section.isDebugging && section.flags & 7 == 0
  }

  func take() throws(BPFObjectError) -> ObjectInventory {
    try refuseHiddenBytes()
    var entries = [try header()]
    for section in elf.sections.dropFirst() where !Self.isTable(section) && section.name != excluded {
      let isRemovable = Self.isRemovable(section)
      let contents = section.type == ELFSection.Constant.nobits ? [] : try elf.contents(of: section).bytes
      entries.append(
        .init(
          kind: .section, name: section.name, attributes: try attributes(of: section), contents: contents,
          isRemovable: isRemovable, holdsInstructions: section.holdsInstructions))
      let relocations = try elf.relocations(of: section)
      guard !relocations.isEmpty else { continue }
      entries.append(
        .init(
          kind: .relocations, name: section.name, attributes: [], contents: try canonical(relocations),
          isRemovable: isRemovable, holdsInstructions: false))
    }
    // Section symbols say nothing that their sections do not, and source files' names may go.
    for isRemovable in [false, true] {
      var contents: [UInt8] = []
      for symbol in elf.symbols where symbol.type != ELFSymbol.Constant.section {
        let mayGo = symbol.type == 4 || symbol.section < elf.sections.count && isInRemovable(symbol)
        if mayGo == isRemovable { contents += try canonical(symbol) }
      }
      if contents.isEmpty && isRemovable { continue }
      entries.append(
        .init(
          kind: .symbols, name: "", attributes: [], contents: contents, isRemovable: isRemovable,
          holdsInstructions: false))
    }
    return ObjectInventory(entries: entries)
  }

  private func isInRemovable(_ symbol: ELFSymbol) -> Bool {
    symbol.section > 0 && Self.isRemovable(elf.sections[symbol.section])
  }

  /// Without the section table's place and size, and the number of the names' section.
  private func header() throws(BPFObjectError) -> ObjectInventory.Entry {
    let contents = try file.slice(at: 0, count: 40) + file.slice(at: 48, count: 12)
    return .init(
      kind: .header, name: "", attributes: [], contents: contents, isRemovable: false, holdsInstructions: false)
  }

  private func attributes(of section: ELFSection) throws(BPFObjectError) -> [UInt64] {
    let table = Int(try file.u64(at: 40))
    let address = try file.u64(at: table + section.index * ELFFile.sectionHeaderSize + 16)
    return [
      UInt64(section.type), section.flags, UInt64(section.size), section.alignment, section.entrySize, address,
    ]
  }

  // MARK: - Canonical forms

  /// Name, NUL, `st_info`, `st_other`, then section, value and size as 64-bit numbers. The section is its number in
  /// the inventory plus one; 0 is none, all ones less `n` a removable section or a special number.
  private func canonical(_ symbol: ELFSymbol) throws(BPFObjectError) -> [UInt8] {
    var bytes = Array(symbol.name.utf8) + [0, symbol.binding << 4 | symbol.type, try otherByte(of: symbol)]
    var section = UInt64(symbol.section) | 1 << 63
    if symbol.section == 0 { section = 0 }
    if symbol.section > 0, symbol.section < numbers.count {
      // A removable section's number is not stable, and neither it nor its symbols are ever loaded.
      section = numbers[symbol.section].map { UInt64($0 + 1) } ?? .max
    }
    for number in [section, symbol.value, symbol.size] { bytes.appendLittleEndian(number) }
    return bytes
  }

  private func otherByte(of symbol: ELFSymbol) throws(BPFObjectError) -> UInt8 {
    guard let symbolTable else { return 0 }
    return try file.u8(at: symbolTable + symbol.index * ELFFile.symbolSize + 5)
  }

  /// Offset and type as 64-bit numbers, then the symbol.
  private func canonical(_ relocations: [ELFRelocation]) throws(BPFObjectError) -> [UInt8] {
    var bytes: [UInt8] = []
    for relocation in relocations {
      bytes.appendLittleEndian(UInt64(relocation.offset))
      bytes.appendLittleEndian(UInt64(relocation.type))
      bytes += try canonical(elf.symbols[relocation.symbol])
    }
    return bytes
  }

  // MARK: - Hidden bytes

  private func refuseHiddenBytes() throws(BPFObjectError) {
    let table = try ELFFile.tableRange(file)
    var ranges = [(start: 0, end: ELFFile.headerSize)]
    ranges.append((table.offset, table.offset + table.count * ELFFile.sectionHeaderSize))
    for section in elf.sections where section.isStored {
      ranges.append((section.offset, section.offset + section.size))
    }
    ranges.append((file.count, file.count))
    ranges.sort { $0.start < $1.start }
    for (left, right) in zip(ranges, ranges.dropFirst()) where left.end < right.start {
      guard try file.slice(at: left.end, count: right.start - left.end).allSatisfy({ $0 == 0 }) else {
        throw BPFObjectError(
          .hiddenBytes, "bytes of the object belong to no section", expected: "zeros between the sections",
          found: "something else from byte \(left.end) to \(right.start)",
          next: "write the object anew: llvm-objcopy FILE CLEAN")
      }
    }
    for section in elf.sections where section.type == ELFSection.Constant.strtab && section.size > 0 {
      guard try file.u8(at: section.offset) == 0 else {
        throw BPFObjectError(
          .malformedELF, "the string table `\(section.name)` does not begin with a NUL", expected: "0",
          found: "\(try file.u8(at: section.offset))")
      }
    }
  }
}

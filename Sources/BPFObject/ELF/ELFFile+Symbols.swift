/// The symbol table and the relocations against it.
extension ELFFile {
  static func readSymbols(
    _ file: ObjectPart, _ sections: [ELFSection]
  ) throws(BPFObjectError) -> [ELFSymbol] {
    let tables = sections.filter { $0.type == ELFSection.Constant.symtab }
    guard let table = tables.first, tables.count == 1 else {
      throw BPFObjectError(
        .malformedELF, "the number of symbol tables is not one", expected: "1", found: "\(tables.count)",
        next: "keep the symbol table: strip with llvm-objcopy --strip-debug only")
    }
    guard table.entrySize == UInt64(symbolSize), table.size.isMultiple(of: symbolSize) else {
      throw BPFObjectError(
        .malformedELF, "the symbol table is not a list of symbols", expected: "entries of \(symbolSize) bytes",
        found: "\(table.size) bytes in entries of \(table.entrySize)")
    }
    guard Int(table.link) < sections.count, sections[Int(table.link)].type == ELFSection.Constant.strtab else {
      throw BPFObjectError(
        .malformedELF, "the symbol table's names are not in a string table", found: "section \(table.link)")
    }
    let strings = sections[Int(table.link)]
    let names = ObjectPart(
      name: "symbol names", bytes: try file.slice(at: strings.offset, count: strings.size), check: .malformedELF)
    guard table.size / symbolSize <= Limits.symbols else {
      throw BPFObjectError(
        .tooLarge, "the object has too many symbols", expected: "at most \(Limits.symbols)",
        found: "\(table.size / symbolSize)")
    }
    var symbols: [ELFSymbol] = []
    symbols.reserveCapacity(table.size / symbolSize)
    for index in 0..<(table.size / symbolSize) {
      let entry = table.offset + index * symbolSize
      let section = Int(try file.u16(at: entry + 6))
      guard
        section < sections.count || section == ELFSymbol.Constant.absolute || section == ELFSymbol.Constant.common
      else {
        throw BPFObjectError(
          .malformedELF, "symbol \(index) is in a section that does not exist",
          expected: "at most \(sections.count - 1)", found: "\(section)")
      }
      let info = try file.u8(at: entry + 4)
      let nameOffset = Int(try file.u32(at: entry))
      symbols.append(
        ELFSymbol(
          index: index, name: nameOffset == 0 ? "" : try names.name(at: nameOffset), type: info & 15,
          binding: info >> 4, visibility: try file.u8(at: entry + 5) & 3, section: section,
          value: try file.u64(at: entry + 8), size: try file.u64(at: entry + 16)))
    }
    return symbols
  }

  /// The relocations of a section, in the file's order; each names a symbol that exists.
  func relocations(of section: ELFSection) throws(BPFObjectError) -> [ELFRelocation] {
    var relocations: [ELFRelocation] = []
    let file = ObjectPart(name: "the file", bytes: bytes, check: .truncated)
    for index in tablesByTarget[UInt32(truncatingIfNeeded: section.index)] ?? [] {
      let table = sections[index]
      guard table.type != ELFSection.Constant.rela else {
        throw BPFObjectError(
          .malformedELF, "section `\(section.name)` has relocations with addends", expected: "SHT_REL",
          found: "SHT_RELA")
      }
      guard table.type == ELFSection.Constant.rel else { continue }
      guard table.entrySize == UInt64(Self.relocationSize), table.size.isMultiple(of: Self.relocationSize) else {
        throw BPFObjectError(
          .malformedELF, "section `\(table.name)` is not a list of relocations",
          expected: "entries of \(Self.relocationSize) bytes",
          found: "\(table.size) bytes in entries of \(table.entrySize)")
      }
      for entry in stride(from: table.offset, to: table.offset + table.size, by: Self.relocationSize) {
        let offset = try file.u64(at: entry)
        let info = try file.u64(at: entry + 8)
        let symbol = Int(info >> 32)
        guard offset < UInt64(section.size), symbol < symbols.count else {
          throw BPFObjectError(
            .badRelocation, "a relocation in `\(table.name)` points nowhere",
            expected: "an offset below \(section.size) and a symbol below \(symbols.count)",
            found: "offset \(offset), symbol \(symbol)")
        }
        relocations.append(
          ELFRelocation(offset: Int(offset), symbol: symbol, type: UInt32(truncatingIfNeeded: info)))
      }
    }
    return relocations
  }
}

internal import ByteKit

extension BPFObject {
  /// Drops the debugging sections (`.debug_*` and their relocations) and what only they needed.
  ///
  /// Everything else keeps its bytes and its order: programs, maps, data, `.BTF`, `.BTF.ext`, symbols and their
  /// relocations. Section numbers close ranks, and symbols, links and relocation targets follow. The result depends
  /// on the object alone, so that stripping is reproducible; an object without such sections only loses the gaps
  /// between its sections.
  ///
  /// - Throws: ``BPFObjectError`` when the object's tables cannot be read, or something that stays needs something
  ///   that goes.
  public static func strip(_ bytes: RawSpan) throws(BPFObjectError) -> [UInt8] {
    try Stripper(ELFFile(bytes)).strip()
  }
}

private struct Stripper {
  private let elf: ELFFile
  /// Old section number to new; 0 for what is dropped.
  private let renumbered: [Int]
  private let kept: [ELFSection]

  private static let group: UInt32 = 17
  private static let addressSignificance: UInt32 = 0x6fff_4c03

  init(_ elf: ELFFile) throws(BPFObjectError) {
    self.elf = elf
    var kept: [ELFSection] = []
    var renumbered = [Int](repeating: 0, count: elf.sections.count)
    for section in elf.sections.dropFirst() where !Self.isDropped(section, elf) {
      kept.append(section)
      renumbered[section.index] = kept.count
    }
    self.kept = kept
    self.renumbered = renumbered
    for section in kept where section.type == Self.group {
      throw BPFObjectError(
        .malformedELF, "section `\(section.name)` is a section group", expected: "none in an object to strip",
        next: "strip the object with llvm-objcopy --strip-debug")
    }
  }

  private static func isDropped(_ section: ELFSection, _ elf: ELFFile) -> Bool {
    if section.isDebugging { return true }
    // A hint for linkers, by symbol number.
    if section.type == addressSignificance { return true }
    guard section.type == ELFSection.Constant.rel || section.type == ELFSection.Constant.rela,
      Int(section.info) < elf.sections.count
    else { return false }
    return elf.sections[Int(section.info)].isDebugging
  }

  func strip() throws(BPFObjectError) -> [UInt8] {
    let symbols = keptSymbols()
    var output = Array(elf.bytes.prefix(64))
    var headers = [UInt8](repeating: 0, count: 64)
    let file = ObjectPart(name: "the file", bytes: elf.bytes, check: .truncated)
    let table = Int(try file.u64(at: 40))
    for section in kept {
      var header = try file.slice(at: table + section.index * 64, count: 64)
      let contents = try contents(of: section, symbols: symbols)
      // Alignments are those of the types inside; more than a page would only make holes.
      let alignment = max(1, min(4096, Int(clamping: section.alignment)))
      let padding = (alignment - output.count % alignment) % alignment
      output += [UInt8](repeating: 0, count: padding)
      header.storeLittleEndian(UInt64(output.count), at: 24)
      if section.type != ELFSection.Constant.nobits { header.storeLittleEndian(UInt64(contents.count), at: 32) }
      output += contents
      try relink(section, &header, symbols)
      headers += header
    }
    output += [UInt8](repeating: 0, count: (8 - output.count % 8) % 8)
    output.storeLittleEndian(UInt64(output.count), at: 40)
    output.storeLittleEndian(UInt16(truncatingIfNeeded: kept.count + 1), at: 60)
    output.storeLittleEndian(UInt16(truncatingIfNeeded: renumbered[Int(try file.u16(at: 62))]), at: 62)
    return output + headers
  }

  // MARK: - Symbols

  /// Old symbol number to new; nil for those of dropped sections.
  private func keptSymbols() -> [Int?] {
    var next = 0
    return elf.symbols.map { symbol in
      if symbol.section > 0, symbol.section < elf.sections.count, renumbered[symbol.section] == 0 { return nil }
      next += 1
      return next - 1
    }
  }

  private func contents(of section: ELFSection, symbols: [Int?]) throws(BPFObjectError) -> [UInt8] {
    if section.type == ELFSection.Constant.nobits || section.size == 0 { return [] }
    let file = ObjectPart(name: "the file", bytes: elf.bytes, check: .truncated)
    switch section.type {
    case ELFSection.Constant.symtab:
      var output: [UInt8] = []
      for (old, new) in symbols.enumerated() where new != nil {
        var entry = try file.slice(at: section.offset + old * 24, count: 24)
        let target = elf.symbols[old].section
        if target < elf.sections.count {
          entry.storeLittleEndian(UInt16(truncatingIfNeeded: renumbered[target]), at: 6)
        }
        output += entry
      }
      return output
    case ELFSection.Constant.rel, ELFSection.Constant.rela:
      let size = section.type == ELFSection.Constant.rel ? 16 : 24
      guard section.entrySize == UInt64(size), section.size.isMultiple(of: size) else {
        throw BPFObjectError(.malformedELF, "section `\(section.name)` is not a list of relocations")
      }
      var output = try file.slice(at: section.offset, count: section.size)
      for entry in stride(from: 0, to: section.size, by: size) {
        let old = Int(try file.u32(at: section.offset + entry + 12))
        guard old < symbols.count, let new = symbols[old] else {
          throw BPFObjectError(
            .badRelocation, "section `\(section.name)` refers to a symbol of a debugging section, or to none",
            found: "symbol \(old)")
        }
        output.storeLittleEndian(UInt32(truncatingIfNeeded: new), at: entry + 12)
      }
      return output
    default: return try file.slice(at: section.offset, count: section.size)
    }
  }

  // MARK: - Section headers

  private func relink(_ section: ELFSection, _ header: inout [UInt8], _ symbols: [Int?]) throws(BPFObjectError) {
    header.storeLittleEndian(try number(section.link, of: section), at: 40)
    switch section.type {
    case ELFSection.Constant.rel, ELFSection.Constant.rela:
      header.storeLittleEndian(try number(section.info, of: section), at: 44)
    case ELFSection.Constant.symtab:
      // One more than the last local symbol.
      let locals = symbols.prefix(Int(section.info)).reduce(0) { $0 + ($1 == nil ? 0 : 1) }
      header.storeLittleEndian(UInt32(truncatingIfNeeded: locals), at: 44)
    default: break
    }
  }

  private func number(_ old: UInt32, of section: ELFSection) throws(BPFObjectError) -> UInt32 {
    guard old != 0 else { return 0 }
    guard Int(old) < renumbered.count, renumbered[Int(old)] != 0 else {
      throw BPFObjectError(
        .malformedELF, "section `\(section.name)` belongs to a section that is dropped or does not exist",
        found: "section \(old)")
    }
    return UInt32(renumbered[Int(old)])
  }
}

internal import Base

/// Writes an object anew without some of its sections, and with one more where that is wanted.
///
/// The sections lie behind one another in their order, zeros between them where alignment asks for it, and the section
/// header table comes last; the result depends on the object alone.
struct ELFRewriter {
  private let elf: ELFFile
  /// Old section number to new; 0 for what is dropped.
  private let renumbered: [Int]
  private let kept: [ELFSection]

  /// - Throws: ``BPFObjectError/Check/malformedELF`` for an object with section groups, which hold section numbers,
  ///   when those numbers would change.
  init(_ elf: ELFFile, dropping isDropped: (ELFSection) -> Bool) throws(BPFObjectError) {
    self.elf = elf
    var kept: [ELFSection] = []
    var renumbered = [Int](repeating: 0, count: elf.sections.count)
    for section in elf.sections.dropFirst() where !isDropped(section) {
      kept.append(section)
      renumbered[section.index] = kept.count
    }
    self.kept = kept
    self.renumbered = renumbered
    let numbersChange = kept.contains { renumbered[$0.index] != $0.index }
    for section in kept where numbersChange && section.type == ELFSection.Constant.group {
      throw BPFObjectError(
        .malformedELF, "section `\(section.name)` is a section group", expected: "none in an object to strip",
        next: "strip the object with llvm-objcopy --strip-debug")
    }
  }

  /// A section to add at the end: of type SHT_PROGBITS, without flags, so that loaders and linkers that do not know
  /// its name pass it over.
  struct Addition {
    let name: String
    let contents: [UInt8]
    /// A power of two.
    let alignment: Int
  }

  func write(adding addition: Addition? = nil) throws(BPFObjectError) -> [UInt8] {
    let symbols = keptSymbols()
    var output = Array(elf.bytes.prefix(64))
    var headers = [UInt8](repeating: 0, count: 64)
    let file = ObjectPart(name: "the file", bytes: elf.bytes, check: .truncated)
    let table = Int(try file.u64(at: 40))
    let namesIndex = Int(try file.u16(at: 62))
    var additionName = 0
    for section in kept {
      var header = try file.slice(at: table + section.index * 64, count: 64)
      var contents = try contents(of: section, symbols: symbols)
      if let addition, section.index == namesIndex { additionName = Self.offset(of: addition.name, in: &contents) }
      // Alignments are those of the types inside; more than a page would only make holes.
      let alignment = max(1, min(4096, Int(clamping: section.alignment)))
      place(contents, alignment: alignment, in: &output, header: &header)
      if section.type != ELFSection.Constant.nobits { header.storeLittleEndian(UInt64(contents.count), at: 32) }
      try relink(section, &header, symbols)
      headers += header
    }
    if let addition {
      var header = [UInt8](repeating: 0, count: 64)
      header.storeLittleEndian(UInt32(truncatingIfNeeded: additionName), at: 0)
      header.storeLittleEndian(ELFSection.Constant.progbits, at: 4)
      header.storeLittleEndian(UInt64(addition.contents.count), at: 32)
      header.storeLittleEndian(UInt64(addition.alignment), at: 48)
      place(addition.contents, alignment: addition.alignment, in: &output, header: &header)
      headers += header
    }
    guard headers.count / 64 <= Limits.sections, output.count + headers.count <= Limits.objectBytes else {
      throw BPFObjectError(
        .tooLarge, "the object would get too large", expected: "at most \(Limits.objectBytes) bytes",
        found: "\(output.count + headers.count) bytes")
    }
    output += [UInt8](repeating: 0, count: (8 - output.count % 8) % 8)
    output.storeLittleEndian(UInt64(output.count), at: 40)
    output.storeLittleEndian(UInt16(truncatingIfNeeded: headers.count / 64), at: 60)
    output.storeLittleEndian(UInt16(truncatingIfNeeded: renumbered[namesIndex]), at: 62)
    return output + headers
  }

  /// Puts a section's bytes at the end, and says so in its header.
  private func place(_ contents: [UInt8], alignment: Int, in output: inout [UInt8], header: inout [UInt8]) {
    output += [UInt8](repeating: 0, count: (alignment - output.count % alignment) % alignment)
    header.storeLittleEndian(UInt64(output.count), at: 24)
    output += contents
  }

  /// Where a string table holds a name; it gets the name when it has not.
  private static func offset(of name: String, in table: inout [UInt8]) -> Int {
    let wanted = [0] + Array(name.utf8) + [0]
    if table.count >= wanted.count {
      for start in 0...(table.count - wanted.count) where table[start..<(start + wanted.count)].elementsEqual(wanted) {
        return start + 1
      }
    }
    let start = table.count
    table += wanted.dropFirst()
    return start
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

internal import ByteKit

/// A relocatable ELF object for the BPF machine, its tables checked before anything in it is used.
///
/// Format: System V gABI, chapter 4; `e_machine` 247 is EM_BPF. Only what clang and `bpftool gen object` write is
/// accepted: ELF64, little-endian, ET_REL, a bounded number of sections, none of them overlapping another.
struct ELFFile: Sendable {
  let bytes: [UInt8]
  let sections: [ELFSection]
  let symbols: [ELFSymbol]
  private let indexesByName: [String: [Int]]

  private static let headerSize = 64
  private static let sectionHeaderSize = 64
  private static let symbolSize = 24
  private static let relocationSize = 16

  init(_ span: RawSpan) throws(BPFObjectError) {
    guard span.byteCount <= Limits.objectBytes else {
      throw BPFObjectError(
        .tooLarge, "the object is too large", expected: "at most \(Limits.objectBytes) bytes",
        found: "\(span.byteCount) bytes", next: "drop the debugging sections: llvm-objcopy --strip-debug FILE")
    }
    let file = ObjectPart(name: "the file", bytes: span.copyBytes(), check: .truncated)
    try Self.checkIdentity(file)
    bytes = file.bytes
    sections = try Self.readSections(file)
    try Self.checkOverlaps(sections, file: file)
    symbols = try Self.readSymbols(file, sections)
    indexesByName = Dictionary(grouping: sections.indices.dropFirst()) { [sections] in sections[$0].name }
  }

  // MARK: - Header

  private static func checkIdentity(_ file: ObjectPart) throws(BPFObjectError) {
    guard file.count >= 4, file.bytes.starts(with: [0x7f, 0x45, 0x4c, 0x46]) else {
      throw BPFObjectError(
        .notELF, "the object is not an ELF file", expected: "the bytes 7f 45 4c 46 at its start",
        found: file.count == 0 ? "an empty file" : Hex.encode(Array(file.bytes.prefix(4))),
        next: "compile one: clang -target bpf -O2 -g -c program.bpf.c -o program.o")
    }
    guard try file.u8(at: 4) == 2 else {
      throw BPFObjectError(
        .not64Bit, "the object is not a 64-bit ELF file", expected: "ELFCLASS64",
        found: try file.u8(at: 4) == 1 ? "ELFCLASS32" : "class \(try file.u8(at: 4))",
        next: "compile it with clang -target bpf")
    }
    switch try file.u8(at: 5) {
    case 1: break
    case 2:
      throw BPFObjectError(
        .bigEndian, "the object is big-endian", expected: "ELFDATA2LSB", found: "ELFDATA2MSB",
        next: "compile it with clang -target bpfel")
    case let other:
      throw BPFObjectError(.malformedELF, "the object's byte order is unknown", expected: "1", found: "\(other)")
    }
    guard try file.u8(at: 6) == 1, try file.u32(at: 20) == 1 else {
      throw BPFObjectError(
        .malformedELF, "the object's ELF version is unknown", expected: "1", found: "\(try file.u32(at: 20))")
    }
    let machine = try file.u16(at: 18)
    guard machine == 247 else {
      throw BPFObjectError(
        .otherMachine, "the object is not for the BPF machine", expected: "e_machine 247 (EM_BPF)",
        found: "e_machine \(machine)\(machineName(machine))", next: "compile it with clang -target bpf")
    }
    let type = try file.u16(at: 16)
    guard type == 1 else {
      throw BPFObjectError(
        .notRelocatable, "the object is not relocatable", expected: "e_type 1 (ET_REL)", found: "e_type \(type)",
        next: "pass the output of clang -c or of `bpftool gen object`, not that of a linker")
    }
  }

  private static func machineName(_ machine: UInt16) -> String {
    switch machine {
    case 3: " (i386)"
    case 62: " (x86-64)"
    case 183: " (AArch64)"
    case 243: " (RISC-V)"
    default: ""
    }
  }

  // MARK: - Sections

  private static func readSections(_ file: ObjectPart) throws(BPFObjectError) -> [ELFSection] {
    let table = try tableRange(file)
    let namesIndex = Int(try file.u16(at: 62))
    guard namesIndex > 0, namesIndex < table.count else {
      throw BPFObjectError(
        .malformedELF, "the index of the section names' table is not that of a section",
        expected: "1 to \(table.count - 1)", found: "\(namesIndex)")
    }
    let namesHeader = table.offset + namesIndex * sectionHeaderSize
    guard try file.u32(at: namesHeader + 4) == ELFSection.Constant.strtab else {
      throw BPFObjectError(
        .malformedELF, "the section names' table is not a string table", expected: "SHT_STRTAB",
        found: "type \(try file.u32(at: namesHeader + 4))")
    }
    let namesRange = try extent(file, header: namesHeader, described: "the section names' table")
    let names = ObjectPart(
      name: "section names",
      bytes: try file.slice(at: namesRange.offset, count: namesRange.size), check: .malformedELF)

    var sections: [ELFSection] = []
    sections.reserveCapacity(table.count)
    for index in 0..<table.count {
      let header = table.offset + index * sectionHeaderSize
      let type = try file.u32(at: header + 4)
      let name = index == 0 ? "" : try names.name(at: Int(try file.u32(at: header)))
      let range: (offset: Int, size: Int)
      if type == ELFSection.Constant.nobits {
        let size = try file.u64(at: header + 32)
        guard size <= UInt64(Limits.objectBytes) else {
          throw BPFObjectError(
            .tooLarge, "section `\(name)` is too large", expected: "at most \(Limits.objectBytes) bytes",
            found: "\(size) bytes")
        }
        range = (0, Int(size))
      } else if type == 0 {
        range = (0, 0)
      } else {
        range = try extent(file, header: header, described: "section `\(name)`")
      }
      sections.append(
        ELFSection(
          index: index, name: name, type: type, flags: try file.u64(at: header + 8), offset: range.offset,
          size: range.size, link: try file.u32(at: header + 40), info: try file.u32(at: header + 44),
          alignment: try file.u64(at: header + 48), entrySize: try file.u64(at: header + 56)))
    }
    return sections
  }

  /// Where the section header table is; its bytes are all inside the file.
  private static func tableRange(_ file: ObjectPart) throws(BPFObjectError) -> (offset: Int, count: Int) {
    let offset = try file.u64(at: 40)
    let entrySize = Int(try file.u16(at: 58))
    let count = Int(try file.u16(at: 60))
    guard entrySize == sectionHeaderSize else {
      throw BPFObjectError(
        .malformedELF, "the section headers have an unknown size", expected: "\(sectionHeaderSize) bytes",
        found: "\(entrySize) bytes")
    }
    guard count > 1, count <= Limits.sections else {
      throw BPFObjectError(
        .malformedELF, "the number of sections is not one a BPF object has", expected: "2 to \(Limits.sections)",
        found: "\(count)", why: "extended section numbering (e_shnum 0) is for files with more than 65279 sections")
    }
    let size = UInt64(count * sectionHeaderSize)
    guard offset >= UInt64(headerSize), offset <= UInt64(file.count), size <= UInt64(file.count) - offset else {
      throw BPFObjectError(
        .truncated, "the section header table is outside the file",
        expected: "\(size) bytes at offset \(offset)", found: "a file of \(file.count) bytes",
        next: "compile the object again, or compare it with its original")
    }
    return (Int(offset), count)
  }

  private static func extent(
    _ file: ObjectPart, header: Int, described name: String
  ) throws(BPFObjectError) -> (offset: Int, size: Int) {
    let offset = try file.u64(at: header + 24)
    let size = try file.u64(at: header + 32)
    if size == 0 { return (0, 0) }
    guard offset <= UInt64(file.count), size <= UInt64(file.count) - offset else {
      throw BPFObjectError(
        .sectionOutsideFile, "\(name) is not inside the file", expected: "at most \(file.count) bytes in all",
        found: "\(size) bytes at offset \(offset)", next: "compile the object again, or compare it with its original")
    }
    return (Int(offset), Int(size))
  }

  /// Refuses two sections that share a byte: each byte of the object then means one thing only.
  private static func checkOverlaps(_ sections: [ELFSection], file: ObjectPart) throws(BPFObjectError) {
    let table = try tableRange(file)
    var ranges: [(start: Int, end: Int, name: String)] = [
      (0, headerSize, "the ELF header"),
      (table.offset, table.offset + table.count * sectionHeaderSize, "the section header table"),
    ]
    for section in sections where section.isStored {
      ranges.append((section.offset, section.offset + section.size, "section `\(section.name)`"))
    }
    ranges.sort { ($0.start, $0.end) < ($1.start, $1.end) }
    for (left, right) in zip(ranges, ranges.dropFirst()) where right.start < left.end {
      throw BPFObjectError(
        .overlappingSections, "\(left.name) and \(right.name) overlap",
        expected: "\(right.name) at or after offset \(left.end)", found: "offset \(right.start)",
        next: "compile the object again, or compare it with its original")
    }
  }

  /// A section's bytes; zeros for one that the file does not store.
  func contents(of section: ELFSection, check: BPFObjectError.Check = .malformedELF) throws(BPFObjectError)
    -> ObjectPart
  {
    guard section.flags & ELFSection.Constant.compressedFlag == 0 else {
      throw BPFObjectError(
        .malformedELF, "section `\(section.name)` is compressed", expected: "plain bytes", found: "SHF_COMPRESSED",
        next: "compile the object without -gz")
    }
    if section.type == ELFSection.Constant.nobits {
      return ObjectPart(name: section.name, bytes: [UInt8](repeating: 0, count: section.size), check: check)
    }
    let file = ObjectPart(name: "the file", bytes: bytes, check: .truncated)
    return ObjectPart(
      name: section.name, bytes: try file.slice(at: section.offset, count: section.size), check: check)
  }

  /// The one section with this name, or nil.
  func section(named name: String) throws(BPFObjectError) -> ELFSection? {
    guard let indexes = indexesByName[name], let index = indexes.first else { return nil }
    guard indexes.count == 1 else {
      throw BPFObjectError(
        .duplicateSection, "\(indexes.count) sections are called `\(name)`", expected: "one",
        found: "sections \(indexes.map(String.init).joined(separator: ", "))",
        next: "compile the object again, or compare it with its original")
    }
    return sections[index]
  }

  // MARK: - Symbols and relocations

  private static func readSymbols(
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
    for table in sections where Int(table.info) == section.index {
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

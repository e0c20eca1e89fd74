/// The section header table, and where its sections may lie.
extension ELFFile {
  static func readSections(_ file: ObjectPart) throws(BPFObjectError) -> [ELFSection] {
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
  static func tableRange(_ file: ObjectPart) throws(BPFObjectError) -> (offset: Int, count: Int) {
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

  static func extent(
    _ file: ObjectPart, header: Int, described name: @autoclosure () -> String
  ) throws(BPFObjectError) -> (offset: Int, size: Int) {
    let offset = try file.u64(at: header + 24)
    let size = try file.u64(at: header + 32)
    if size == 0 { return (0, 0) }
    guard offset <= UInt64(file.count), size <= UInt64(file.count) - offset else {
      throw BPFObjectError(
        .sectionOutsideFile, "\(name()) is not inside the file", expected: "at most \(file.count) bytes in all",
        found: "\(size) bytes at offset \(offset)", next: "compile the object again, or compare it with its original")
    }
    return (Int(offset), Int(size))
  }

  /// Whose bytes a range of the file holds.
  private enum Owner {
    case header
    case sectionTable
    /// By its place among the sections.
    case section(Int)

    func text(_ sections: [ELFSection]) -> String {
      switch self {
      case .header: "the ELF header"
      case .sectionTable: "the section header table"
      case .section(let place): "section `\(sections[place].name)`"
      }
    }
  }

  /// Refuses two sections that share a byte: each byte of the object then means one thing only.
  static func checkOverlaps(_ sections: [ELFSection], file: ObjectPart) throws(BPFObjectError) {
    let table = try tableRange(file)
    var ranges: [(start: Int, end: Int, owner: Owner)] = [
      (0, headerSize, .header), (table.offset, table.offset + table.count * sectionHeaderSize, .sectionTable),
    ]
    ranges.reserveCapacity(sections.count + 2)
    for place in sections.indices where sections[place].isStored {
      ranges.append((sections[place].offset, sections[place].offset + sections[place].size, .section(place)))
    }
    ranges.sort { ($0.start, $0.end) < ($1.start, $1.end) }
    for (left, right) in zip(ranges, ranges.dropFirst()) where right.start < left.end {
      throw BPFObjectError(
        .overlappingSections, "\(left.owner.text(sections)) and \(right.owner.text(sections)) overlap",
        expected: "\(right.owner.text(sections)) at or after offset \(left.end)", found: "offset \(right.start)",
        next: "compile the object again, or compare it with its original")
    }
  }
}

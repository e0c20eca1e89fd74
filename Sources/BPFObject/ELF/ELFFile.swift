internal import Base

/// A relocatable ELF object for the BPF machine, its tables checked before anything in it is used.
///
/// Format: System V gABI, chapter 4; `e_machine` 247 is EM_BPF. Only what clang and `bpftool gen object` write is
/// accepted: ELF64, little-endian, ET_REL, a bounded number of sections, none of them overlapping another.
package struct ELFFile: Sendable {
  let bytes: [UInt8]
  package let sections: [ELFSection]
  let symbols: [ELFSymbol]
  /// The first section of each name.
  private let indexByName: [String: Int]
  /// Names that several sections have.
  private let repeatedNames: Set<String>
  /// Section index to the indexes of the sections whose `sh_info` names it, those with its relocations among them.
  let tablesByTarget: [UInt32: [Int]]

  static let headerSize = 64
  static let sectionHeaderSize = 64
  static let symbolSize = 24
  static let relocationSize = 16

  init(_ span: RawSpan) throws(BPFObjectError) {
    try BPFObject.requireSize(UInt64(span.byteCount))
    let file = ObjectPart(name: "the file", bytes: span.copyBytes(), check: .truncated)
    try Self.checkIdentity(file)
    bytes = file.bytes
    sections = try Self.readSections(file)
    try Self.checkOverlaps(sections, file: file)
    symbols = try Self.readSymbols(file, sections)
    var indexByName: [String: Int] = [:]
    indexByName.reserveCapacity(sections.count)
    var repeatedNames: Set<String> = []
    var tablesByTarget: [UInt32: [Int]] = [:]
    for section in sections where section.info != 0 { tablesByTarget[section.info, default: []].append(section.index) }
    for section in sections.dropFirst() {
      guard let first = indexByName.updateValue(section.index, forKey: section.name) else { continue }
      indexByName[section.name] = first
      repeatedNames.insert(section.name)
    }
    self.indexByName = indexByName
    self.repeatedNames = repeatedNames
    self.tablesByTarget = tablesByTarget
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
    guard let index = indexByName[name] else { return nil }
    guard repeatedNames.isEmpty || !repeatedNames.contains(name) else {
      let indexes = sections.dropFirst().filter { $0.name == name }.map(\.index)
      throw BPFObjectError(
        .duplicateSection, "\(indexes.count) sections are called `\(name)`", expected: "one",
        found: "sections \(indexes.map(String.init).joined(separator: ", "))",
        next: "compile the object again, or compare it with its original")
    }
    return sections[index]
  }
}

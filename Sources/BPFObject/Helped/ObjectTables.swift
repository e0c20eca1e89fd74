internal import Base
internal import KernelABI
public import LinkProtocol

/// What a loader reads of an object by itself when a helper links it: tables, each a list of entries of its own size.
///
/// These are the sections, the symbols, where each type begins, and the records about instructions. What one entry says of
/// another is followed nowhere but from a section to its variables: maps' definitions, the kernel's symbols, structures
/// of functions and all that relocations lead to are the helper's work.
public struct ObjectTables: Sendable {
  let elf: ELFFile
  let license: String
  /// Completed, see ``BTF/complete(with:)``.
  let btf: BTF
  let ext: BTFExt
  let functions: FunctionTable
  /// The maps for data sections.
  let data: [(section: Int, map: LinkedMap)]
  /// The declared maps' variables, in the order of their offsets.
  let mapVariables: [(name: String, offset: Int)]
  /// Where the object's parts are.
  public let layout: ObjectLayout
  /// What of it no edit stands for, as far as the tables show; nil when nothing is.
  public let outside: LinkFeature?

  /// Reads the tables.
  ///
  /// - Parameter objectName: see ``BPFObject/link(bytes:objectName:allowsExterns:)``.
  /// - Throws: ``BPFObjectError`` for tables that are damaged.
  public init(_ bytes: RawSpan, objectName: String) throws(BPFObjectError) {
    elf = try ELFFile(bytes)
    if let feature = try Self.featureOfSections(elf) {
      // Such an object is not linked here, and nothing more is read of it.
      outside = feature
      license = ""
      btf = .none
      ext = .none
      functions = FunctionTable.none
      data = []
      mapVariables = []
      layout = ObjectLayout(sections: [], functions: [], mapStarts: [])
      return
    }
    try ObjectParts.refuseUnsupported(elf)
    license = try ObjectParts.readLicense(elf)
    let extSection = try elf.section(named: ".BTF.ext")
    if let section = try elf.section(named: ".BTF"), section.size > 0 {
      var btf = try BTF(part: elf.contents(of: section, check: .malformedBTF))
      try btf.complete(with: elf)
      self.btf = btf
      if let extSection, extSection.size > 0 {
        ext = try BTFExt(part: elf.contents(of: extSection, check: .malformedBTFExt), btf: btf)
      } else {
        ext = .none
      }
    } else {
      try ObjectParts.refuseNeedOfTypes(elf, extSection)
      btf = .none
      ext = .none
    }
    functions = try FunctionTable(elf)
    mapVariables = try Self.mapVariables(elf, btf)
    var pointers = DataPointerSearch(isAsked: false)
    data = try DataSections.maps(
      elf, btf, objectName: BPFObject.shortName(objectName), pointers: &pointers)
    outside = btf.declarationTags.isEmpty ? nil : .declarationTags
    layout = try Self.layout(elf, functions, data: data, mapStarts: mapVariables.map(\.offset))
  }

  private static func featureOfSections(_ elf: ELFFile) throws(BPFObjectError) -> LinkFeature? {
    if elf.symbols.dropFirst().contains(where: { $0.isUndefined && !$0.name.isEmpty }) { return .kernelSymbols }
    for section in elf.sections where section.size > 0 {
      if StructOpsMaps.isStructOps(section.name) { return .structOps }
      if section.name == JumpTables.sectionName { return .jumpTables }
      if section.name == ArenaData.sectionName { return .arenaVariables }
      if section.name == Annotation.sectionName { return .annotations }
      if section.name == ".maps", try !elf.relocations(of: section).isEmpty { return .mapContents }
    }
    return nil
  }

  private static func mapVariables(
    _ elf: ELFFile, _ btf: BTF
  ) throws(BPFObjectError) -> [(name: String, offset: Int)] {
    guard let section = try elf.section(named: ".maps"), section.size > 0 else { return [] }
    guard let id = btf.typeID(named: section.name, kind: .dataSection) else {
      throw BPFObjectError(
        .badMap, "`.BTF` does not describe section `.maps`", next: "compile the object with -g, and keep its .BTF")
    }
    var variables: [(name: String, offset: Int)] = []
    var names: Set<String> = []
    for variable in try btf.variables(of: btf.type(id)) {
      let declaration = try btf.type(variable.type)
      let name = try btf.name(of: declaration)
      guard !name.isEmpty, names.insert(name).inserted else {
        throw BPFObjectError(.badMap, "two maps are called `\(name)`", expected: "one")
      }
      variables.append((name, Int(variable.offset)))
    }
    return variables
  }

  private static func layout(
    _ elf: ELFFile, _ functions: FunctionTable, data: [(section: Int, map: LinkedMap)], mapStarts: [Int]
  ) throws(BPFObjectError) -> ObjectLayout {
    let dataSections = Set(data.map(\.section))
    let maps = try elf.section(named: ".maps")?.index
    var sections: [ObjectLayout.Section] = []
    for section in elf.sections {
      let role: ObjectLayout.Role
      if section.holdsInstructions {
        // Refuses tables of other kinds and sizes.
        _ = try elf.relocations(of: section)
        role = .code
      } else if section.type == ELFSection.Constant.rel {
        role = .relocations(of: Int(section.info))
      } else if section.type == ELFSection.Constant.symtab {
        role = .symbols
      } else if section.index == maps {
        role = .maps
      } else {
        role = dataSections.contains(section.index) ? .data : .other
      }
      let bytes = section.isStored ? section.offset..<section.offset + section.size : 0..<0
      sections.append(ObjectLayout.Section(bytes: bytes, size: section.size, role: role))
    }
    return ObjectLayout(
      sections: sections,
      functions: functions.functions.map { ObjectLayout.Place(section: $0.section, offset: $0.range.lowerBound) },
      mapStarts: mapStarts)
  }
}

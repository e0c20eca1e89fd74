/// The tables of an object, read and checked: what both linking and analysis start from.
package struct ObjectParts: Sendable {
  package let elf: ELFFile
  /// Completed, see ``BTF/complete(with:)``; ``BTF/none`` where the object has no types.
  package let btf: BTF
  /// The same as the kernel takes it, by the same numbers of types; see ``BTFMender``.
  package let submittedTypes: BTF
  /// What is different in it.
  let typeEdits: [TypeEdit]
  let ext: BTFExt
  let externs: Externs
  let license: String

  package init(_ bytes: RawSpan) throws(BPFObjectError) {
    elf = try ELFFile(bytes)
    try Self.refuseUnsupported(elf)
    license = try Self.readLicense(elf)
    let section = try elf.section(named: ".BTF")
    let extSection = try elf.section(named: ".BTF.ext")
    guard let section, section.size > 0 else {
      try Self.refuseNeedOfTypes(elf, extSection)
      var btf = BTF.none
      externs = try Externs(elf, &btf)
      (self.btf, submittedTypes, typeEdits, ext) = (btf, btf, [], .none)
      return
    }
    var btf = try BTF(part: elf.contents(of: section, check: .malformedBTF))
    externs = try Externs(elf, &btf)
    try btf.complete(with: elf)
    self.btf = btf
    if let extSection, extSection.size > 0 {
      ext = try BTFExt(part: elf.contents(of: extSection, check: .malformedBTFExt), btf: btf)
    } else {
      ext = .none
    }
    var mender = BTFMender(btf)
    submittedTypes = try mender.mend(keepsOrder: !ext.relocations.all.isEmpty)
    typeEdits = mender.edits
  }

  /// Refuses an object without types whose parts are described by them.
  static func refuseNeedOfTypes(_ elf: ELFFile, _ ext: ELFSection?) throws(BPFObjectError) {
    var need: String?
    if let maps = elf.sections.first(where: { $0.size > 0 && $0.name == ".maps" }) {
      need = "section `\(maps.name)`: the types of its variables define the maps"
    } else if let structures = elf.sections.first(where: { $0.size > 0 && StructOpsMaps.isStructOps($0.name) }) {
      need = "section `\(structures.name)`: the types of its variables say which structures of the kernel these are"
    } else if let symbol = elf.symbols.dropFirst().first(where: { $0.isUndefined && !$0.name.isEmpty }) {
      need = "symbol `\(symbol.name)`, which is not defined in the object: its type says what of the kernel it is"
    } else if let ext, try BTFExt.hasCoreRelocations(elf.contents(of: ext, check: .malformedBTFExt)) {
      need = "section `.BTF.ext`: its CO-RE relocations are about types"
    }
    guard let need else { return }
    throw BPFObjectError(
      .noBTF, "the object has no type information, and parts of it need it", expected: "a section `.BTF`",
      found: "sections \(listed(elf))", why: need,
      next: "compile it with -g: clang -target bpf -O2 -g -c program.bpf.c -o program.o")
  }

  static func refuseUnsupported(_ elf: ELFFile) throws(BPFObjectError) {
    for section in elf.sections
    where section.size > 0 && section.name.hasPrefix(".addr_space.") && section.name != ArenaData.sectionName {
      throw BPFObjectError(
        .unsupportedSection, "section `\(section.name)` cannot be loaded yet",
        expected: "programs, maps and global variables", found: "variables of another address space than an arena's",
        next: "load the object with bpftool, if you may")
    }
  }

  /// Refuses an object that needs the running kernel's help before it can be loaded.
  package func refuseKernelNeeds() throws(BPFObjectError) {
    try externs.refuse()
    for section in elf.sections where section.size > 0 && StructOpsMaps.isStructOps(section.name) {
      throw BPFObjectError(
        .unsupportedSection, "section `\(section.name)` cannot be loaded yet",
        expected: "programs, maps and global variables", found: "a struct_ops map",
        next: "load the object with bpftool, if you may")
    }
  }

  static func readLicense(_ elf: ELFFile) throws(BPFObjectError) -> String {
    guard let section = try elf.section(named: "license"), section.size > 0 else { return "" }
    guard section.size <= Limits.licenseBytes + 1 else {
      throw BPFObjectError(
        .badLicense, "section `license` is too long", expected: "at most \(Limits.licenseBytes) characters",
        found: "\(section.size) bytes")
    }
    let bytes = try elf.contents(of: section, check: .badLicense).bytes
    let text = bytes.prefix { $0 != 0 }
    guard text.allSatisfy({ (0x20...0x7e).contains($0) }), bytes.dropFirst(text.count).allSatisfy({ $0 == 0 }) else {
      throw BPFObjectError(
        .badLicense, "section `license` is no text", expected: "printable ASCII, then a NUL",
        next: "write char LICENSE[] SEC(\"license\") = \"GPL\";")
    }
    return String(decoding: text, as: UTF8.self)
  }

  private static func listed(_ elf: ELFFile) -> String {
    let names = elf.sections.map(\.name).filter { !$0.isEmpty && !$0.hasPrefix(".rel") }
    return names.prefix(12).map { "`\($0)`" }.joined(separator: ", ") + (names.count > 12 ? ", …" : "")
  }
}

/// The tables of an object, read and checked: what both linking and analysis start from.
package struct ObjectParts: Sendable {
  package let elf: ELFFile
  /// Completed, see ``BTF/complete(with:)``.
  package let btf: BTF
  let ext: BTFExt
  let externs: Externs
  let license: String

  package init(_ bytes: RawSpan) throws(BPFObjectError) {
    elf = try ELFFile(bytes)
    try Self.refuseUnsupported(elf)
    guard let section = try elf.section(named: ".BTF"), section.size > 0 else {
      throw BPFObjectError(
        .noBTF, "the object has no type information", expected: "a section `.BTF`",
        found: "sections \(Self.listed(elf))",
        why: "maps and CO-RE relocations are described by it",
        next: "compile it with -g: clang -target bpf -O2 -g -c program.bpf.c -o program.o")
    }
    var btf = try BTF(part: elf.contents(of: section, check: .malformedBTF))
    externs = try Externs(elf, &btf)
    try btf.complete(with: elf)
    self.btf = btf
    guard let extSection = try elf.section(named: ".BTF.ext"), extSection.size > 0 else {
      throw BPFObjectError(
        .noBTFExt, "the object does not say which instruction belongs to which function",
        expected: "a section `.BTF.ext`", found: "sections \(Self.listed(elf))",
        why: "without it the kernel would silently ignore CO-RE relocations",
        next: "compile it with -g, and strip it with llvm-objcopy --strip-debug only")
    }
    ext = try BTFExt(part: elf.contents(of: extSection, check: .malformedBTFExt), btf: btf)
    license = try Self.readLicense(elf)
  }

  private static func refuseUnsupported(_ elf: ELFFile) throws(BPFObjectError) {
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

  private static func readLicense(_ elf: ELFFile) throws(BPFObjectError) -> String {
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

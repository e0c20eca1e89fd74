internal import Base

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
    let elf = try ELFFile(bytes)
    return try ELFRewriter(elf) { isDropped($0, elf) }.write()
  }

  private static func isDropped(_ section: ELFSection, _ elf: ELFFile) -> Bool {
    if section.isDebugging { return true }
    // A hint for linkers, by symbol number.
    if section.type == ELFSection.Constant.addressSignificance { return true }
    guard section.type == ELFSection.Constant.rel || section.type == ELFSection.Constant.rela,
      Int(section.info) < elf.sections.count
    else { return false }
    return elf.sections[Int(section.info)].isDebugging
  }
}

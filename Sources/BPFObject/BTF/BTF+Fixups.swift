internal import KernelABI
internal import Base

/// What compilers leave for a loader to complete, so that BPF_BTF_LOAD takes the section.
///
/// clang writes DATASECs without size and their global variables without offset, because only the assembler knows
/// both; the kernel refuses such types (kernel/bpf/btf.c, btf_datasec_check_meta).
extension BTF {
  mutating func complete(with elf: ELFFile) throws(BPFObjectError) {
    var globals = [[ELFSymbol]](repeating: [], count: elf.sections.count)
    for symbol in elf.symbols where !symbol.isLocal && !symbol.name.isEmpty && symbol.section < globals.count {
      globals[symbol.section].append(symbol)
    }
    var seen: Set<String> = []
    for type in types where type.kind == .dataSection {
      let name = try name(of: type)
      guard seen.insert(name).inserted else {
        throw BPFObjectError(
          .malformedBTF, "`.BTF` describes section `\(name)` twice", expected: "one DATASEC a section")
      }
      if Externs.sectionNames.contains(name) { continue }
      guard let section = try elf.section(named: name) else {
        throw BPFObjectError(
          .malformedBTF, "`.BTF` describes a section that the object does not have",
          expected: "a section `\(name)`", next: "compile the object again, or compare it with its original")
      }
      try complete(type, from: section, symbols: globals[section.index])
    }
    try makeHiddenFunctionsStatic(elf)
  }

  private mutating func complete(
    _ type: BTFType, from section: ELFSection, symbols: [ELFSymbol]
  ) throws(BPFObjectError) {
    guard section.size > 0, section.size <= Int(UInt32.max) else {
      throw BPFObjectError(
        .malformedBTF, "`.BTF` describes variables in section `\(section.name)`, which is empty")
    }
    // A table costs more than looking through a few. Of several symbols of one name the last counts.
    let table =
      symbols.count > 8
      ? Dictionary(symbols.map { ($0.name, $0) }, uniquingKeysWith: { _, last in last }) : nil
    var variables: [BTFVariableInfo] = []
    for variable in try self.variables(of: type) {
      let declaration = try self.type(variable.type)
      guard declaration.kind == .variable else {
        throw BPFObjectError(
          .malformedBTF, "`.BTF` lists something in section `\(section.name)` that is no variable",
          found: "type \(declaration.id)")
      }
      let name = try self.name(of: declaration)
      var offset = variable.offset
      // The offsets of static variables are final: their relocations are against the section.
      if try linkage(ofVariable: declaration) == .global {
        guard let symbol = table.map({ $0[name] }) ?? symbols.last(where: { $0.name == name }) else {
          throw BPFObjectError(
            .malformedBTF, "variable `\(name)` of section `\(section.name)` has no symbol",
            next: "keep the symbol table: strip with llvm-objcopy --strip-debug only")
        }
        guard let value = UInt32(exactly: symbol.value) else { throw Self.outside(name, section) }
        offset = value
        // The verifier may treat a variable as private once no other object can refer to it.
        if symbol.isHidden { storeLinkage(.static, ofVariable: declaration) }
      }
      guard Int(offset) <= section.size, Int(variable.size) <= section.size - Int(offset) else {
        throw Self.outside(name, section)
      }
      variables.append(BTFVariableInfo(type: variable.type, offset: offset, size: variable.size))
    }
    variables.sort { ($0.offset, $0.type) < ($1.offset, $1.type) }
    store(variables, size: UInt32(section.size), of: type)
  }

  /// A global function of hidden visibility is verified as part of its callers, as libbpf arranges it.
  private mutating func makeHiddenFunctionsStatic(_ elf: ELFFile) throws(BPFObjectError) {
    var hidden: Set<String> = []
    for symbol in elf.symbols
    where symbol.type == ELFSymbol.Constant.function && !symbol.isLocal && symbol.isHidden {
      hidden.insert(symbol.name)
    }
    guard !hidden.isEmpty else { return }
    for type in types where type.kind == .function && type.vlen == Int(BTFFunctionLinkage.global.rawValue) {
      if hidden.contains(try name(of: type)) { storeLinkage(.static, ofFunction: type) }
    }
  }

  private static func outside(_ name: String, _ section: ELFSection) -> BPFObjectError {
    BPFObjectError(
      .malformedBTF, "variable `\(name)` is not inside section `\(section.name)`",
      expected: "at most \(section.size) bytes")
  }

  // MARK: - Writing. The positions were checked when the type was read.

  mutating func store(_ variables: [BTFVariableInfo], size: UInt32, of type: BTFType) {
    part.bytes.storeLittleEndian(size, at: type.offset + 8)
    for (index, variable) in variables.enumerated() {
      let entry = type.offset + 12 + index * 12
      part.bytes.storeLittleEndian(variable.type, at: entry)
      part.bytes.storeLittleEndian(variable.offset, at: entry + 4)
      part.bytes.storeLittleEndian(variable.size, at: entry + 8)
    }
    types[Int(type.id)] = BTFType(
      id: type.id, kind: type.kind, nameOffset: type.nameOffset, vlen: type.vlen, flag: type.flag, sizeOrType: size,
      offset: type.offset)
  }

  mutating func storeLinkage(_ linkage: BTFVariableLinkage, ofVariable type: BTFType) {
    part.bytes.storeLittleEndian(linkage.rawValue, at: type.offset + 12)
  }

  mutating func storeType(_ id: UInt32, ofVariable type: BTFType) {
    part.bytes.storeLittleEndian(id, at: type.offset + 8)
    types[Int(type.id)] = BTFType(
      id: type.id, kind: type.kind, nameOffset: type.nameOffset, vlen: type.vlen, flag: type.flag, sizeOrType: id,
      offset: type.offset)
  }

  /// Gives parameters without a name that of another type; the kernel wants global functions to name them.
  mutating func nameParameters(of prototype: UInt32, like other: UInt32) throws(BPFObjectError) {
    let prototype = try type(prototype)
    let name = try type(other).nameOffset
    guard prototype.kind == .functionPrototype else { return }
    for index in 0..<prototype.vlen {
      let entry = prototype.offset + 12 + index * 8
      let isUnnamed = try part.u32(at: entry) == 0
      let isEllipsis = try part.u32(at: entry + 4) == 0
      if isUnnamed, !isEllipsis { part.bytes.storeLittleEndian(name, at: entry) }
    }
  }

  mutating func storeLinkage(_ linkage: BTFFunctionLinkage, ofFunction type: BTFType) {
    part.bytes.storeLittleEndian(UInt16(truncatingIfNeeded: linkage.rawValue), at: type.offset + 4)
    types[Int(type.id)] = BTFType(
      id: type.id, kind: type.kind, nameOffset: type.nameOffset, vlen: Int(linkage.rawValue), flag: type.flag,
      sizeOrType: type.sizeOrType, offset: type.offset)
  }
}

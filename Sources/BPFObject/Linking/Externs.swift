/// What an object expects from the kernel it is loaded into: kernel functions, kernel variables, configuration.
///
/// Each is an undefined symbol and a variable or function in one of two DATASECs that no ELF section stands behind.
struct Externs: Sendable {
  static let sectionNames: Set<String> = [".ksyms", ".kconfig"]

  /// Refuses an object that needs any of them.
  static func refuse(in elf: ELFFile, _ btf: BTF) throws(BPFObjectError) {
    for symbol in elf.symbols.dropFirst() where symbol.isUndefined && !symbol.name.isEmpty {
      throw unsupported(symbol, try kind(of: symbol.name, btf))
    }
    for type in btf.types where type.kind == .dataSection {
      guard sectionNames.contains(try btf.name(of: type)) else { continue }
      throw BPFObjectError(
        .unsupportedExtern, "the object declares externs in `\(try btf.name(of: type))`",
        expected: "an object that needs nothing from the running kernel but CO-RE types")
    }
  }

  static func unsupported(_ symbol: ELFSymbol, _ kind: String) -> BPFObjectError {
    BPFObjectError(
      .unsupportedExtern, "the object needs \(kind), `\(symbol.name)`, from the running kernel",
      expected: "helpers, maps, data and CO-RE relocations only",
      why: "its address or BTF id is known only when the object is loaded, and linking here is final",
      next: "use a helper in its place (man 7 bpf-helpers)")
  }

  private static func kind(of name: String, _ btf: BTF) throws(BPFObjectError) -> String {
    for type in btf.types where type.kind == .function && type.vlen == 2 {
      if try btf.name(of: type) == name { return "a kernel function" }
    }
    for type in btf.types where type.kind == .dataSection {
      let section = try btf.name(of: type)
      guard sectionNames.contains(section) else { continue }
      for variable in try btf.variables(of: type) {
        let declaration = try btf.type(variable.type)
        guard try btf.name(of: declaration) == name else { continue }
        return section == ".kconfig" ? "a kernel configuration value" : "a kernel variable"
      }
    }
    return "an undefined symbol"
  }
}

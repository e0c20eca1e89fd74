internal import KernelABI

/// What an object expects from the kernel it is loaded into: kernel functions, kernel variables, configuration.
///
/// Each is an undefined symbol, and a variable or function in one of two DATASECs that no ELF section stands behind.
struct Externs: Sendable {
  static let symbolsSection = ".ksyms"
  static let configurationSection = ".kconfig"
  static let sectionNames: Set<String> = [symbolsSection, configurationSection]

  /// Kernel symbols, in the order of `.ksyms`.
  private(set) var symbols: [KernelExtern] = []
  /// Configuration values, in the order of their offsets.
  var configuration: [ConfigurationField] = []
  /// Bytes of the configuration's map.
  var configurationSize = 0
  private var symbolIndexes: [String: Int] = [:]
  var fieldIndexes: [String: Int] = [:]

  var isEmpty: Bool { symbols.isEmpty && configuration.isEmpty }

  /// Collects the externs, and rewrites their types so that the kernel takes them (libbpf,
  /// bpf_object__collect_externs): no DATASEC holds functions or externs.
  init(_ elf: ELFFile, _ btf: inout BTF) throws(BPFObjectError) {
    var undefined: [String: ELFSymbol] = [:]
    for symbol in elf.symbols.dropFirst() where symbol.isUndefined && !symbol.name.isEmpty {
      undefined[symbol.name] = symbol
    }
    if let section = try Self.section(Self.symbolsSection, btf) {
      try readSymbols(section, &btf, undefined)
    }
    if let section = try Self.section(Self.configurationSection, btf) {
      try readConfiguration(section, &btf, undefined)
    }
    for symbol in elf.symbols.dropFirst() where symbol.isUndefined && !symbol.name.isEmpty {
      guard symbolIndexes[symbol.name] == nil, fieldIndexes[symbol.name] == nil else { continue }
      throw BPFObjectError(
        .unsupportedExtern, "symbol `\(symbol.name)` is not defined in the object",
        expected: "a definition, or a declaration with __ksym or __kconfig",
        next: "link the objects together first: bpftool gen object all.o one.o two.o")
    }
  }

  /// Refuses an object that needs any of them.
  func refuse() throws(BPFObjectError) {
    if let symbol = symbols.first {
      let kind =
        switch symbol.kind {
        case .function: "a kernel function"
        case .variable, .address: "a kernel variable"
        }
      throw Self.unsupported(symbol.name, kind)
    }
    if let field = configuration.first { throw Self.unsupported(field.name, "a kernel configuration value") }
  }

  private static func unsupported(_ name: String, _ kind: String) -> BPFObjectError {
    BPFObjectError(
      .unsupportedExtern, "the object needs \(kind), `\(name)`, from the running kernel",
      expected: "helpers, maps, data and CO-RE relocations only",
      why: "its address or BTF id is known only when the object is loaded",
      next: "use a helper in its place (man 7 bpf-helpers), or a .rodata variable for a configuration value")
  }

  func symbol(named name: String) -> Int? { symbolIndexes[name] }

  func field(named name: String) -> ConfigurationField? { fieldIndexes[name].map { configuration[$0] } }

  /// The DATASEC of that name; two would leave open which one is meant.
  private static func section(_ name: String, _ btf: BTF) throws(BPFObjectError) -> BTFType? {
    btf.typeID(named: name, kind: .dataSection).map { btf.types[Int($0)] }
  }

  static func undeclared(_ name: String, _ section: String) -> BPFObjectError {
    BPFObjectError(
      .unsupportedExtern, "`.BTF` lists `\(name)` in `\(section)`, but the object has no such undefined symbol",
      next: "compile the object again, or compare it with its original")
  }

  // MARK: - Kernel symbols

  private mutating func readSymbols(
    _ section: BTFType, _ btf: inout BTF, _ undefined: [String: ELFSymbol]
  ) throws(BPFObjectError) {
    var variables: [BTFVariableInfo] = []
    var holdsFunctions = false
    for variable in try btf.variables(of: section) {
      let declaration = try btf.type(variable.type)
      let name = try btf.name(of: declaration)
      guard let symbol = undefined[name] else { throw Self.undeclared(name, Self.symbolsSection) }
      let kind: KernelExtern.Kind
      switch declaration.kind {
      case .function where try btf.type(declaration.sizeOrType).kind == .functionPrototype:
        kind = .function(prototype: declaration.sizeOrType)
        holdsFunctions = true
      case .variable:
        let type = try btf.resolved(declaration.sizeOrType)
        kind = type.kind == .void ? .address : .variable(type: declaration.sizeOrType)
      case .void, .int, .pointer, .array, .structure, .union, .enumeration, .forward, .typedef, .volatile, .const,
        .restrict, .function, .functionPrototype, .dataSection, .float, .declarationTag, .typeTag, .enumeration64:
        throw Self.undeclared(name, Self.symbolsSection)
      }
      guard symbolIndexes.updateValue(symbols.count, forKey: name) == nil else {
        throw BPFObjectError(.malformedBTF, "`.BTF` lists `\(name)` in `\(Self.symbolsSection)` twice")
      }
      symbols.append(KernelExtern(name: name, kind: kind, isWeak: symbol.isWeak))
      variables.append(variable)
    }
    let (int, placeholder) = try Self.addTypes(&btf, holdsFunctions: holdsFunctions)
    // Many functions may have one prototype, and a prototype many parameters.
    var named: Set<UInt32> = []
    for (index, variable) in variables.enumerated() {
      let declaration = try btf.type(variable.type)
      var type = variable.type
      if declaration.kind == .function {
        if named.insert(declaration.sizeOrType).inserted {
          try btf.nameParameters(of: declaration.sizeOrType, like: placeholder)
        }
        btf.storeLinkage(.global, ofFunction: declaration)
        type = placeholder
      } else {
        btf.storeLinkage(.global, ofVariable: declaration)
        btf.storeType(int, ofVariable: declaration)
      }
      variables[index] = BTFVariableInfo(type: type, offset: UInt32(index * 4), size: 4)
    }
    btf.store(variables, size: UInt32(variables.count * 4), of: section)
  }

  /// An `int` and, for functions, a variable of that type that stands in their place: added where the object has none.
  private static func addTypes(
    _ btf: inout BTF, holdsFunctions: Bool
  ) throws(BPFObjectError) -> (int: UInt32, placeholder: UInt32) {
    var int: UInt32?
    for type in btf.types where type.kind == .int && type.sizeOrType == 4 {
      // The bits are the encoding's last byte.
      guard try btf.part.u32(at: type.offset + 12) & 0xff == 32 else { continue }
      int = type.id
      break
    }
    if int == nil { (btf, int) = try btf.addingInt() }
    guard holdsFunctions else { return (int ?? 0, 0) }
    let grown = try btf.adding(variable: "dummy_ksym", type: int ?? 0)
    btf = grown.btf
    return (int ?? 0, grown.id)
  }
}

internal import KernelABI

/// Configuration values: the layout of the `.kconfig` map.
extension Externs {
  mutating func readConfiguration(
    _ section: BTFType, _ btf: inout BTF, _ undefined: [String: ELFSymbol]
  ) throws(BPFObjectError) {
    var fields: [(variable: BTFVariableInfo, name: String, alignment: Int, kind: ConfigurationField.Kind)] = []
    var seen: Set<String> = []
    for variable in try btf.variables(of: section) {
      let declaration = try btf.type(variable.type)
      let name = try btf.name(of: declaration)
      guard declaration.kind == .variable, undefined[name] != nil, seen.insert(name).inserted else {
        throw Self.undeclared(name, Self.configurationSection)
      }
      guard let kind = try Self.kind(of: declaration.sizeOrType, btf), let size = try btf.size(of: variable.type),
        size > 0, size <= 4096
      else {
        throw BPFObjectError(
          .unsupportedExtern, "configuration value `\(name)` has a type that configurations do not have",
          expected: "bool, char, an integer, enum libbpf_tristate or an array of char")
      }
      let alignment = kind == .text ? 1 : Int(size)
      fields.append((BTFVariableInfo(type: variable.type, offset: 0, size: size), name, alignment, kind))
    }
    // The order of libbpf (cmp_externs): no holes but before the first.
    fields.sort {
      ($1.alignment, $0.variable.size, $0.name) < ($0.alignment, $1.variable.size, $1.name)
    }
    var variables: [BTFVariableInfo] = []
    for field in fields {
      let offset = (configurationSize + field.alignment - 1) / field.alignment * field.alignment
      let size = Int(field.variable.size)
      fieldIndexes[field.name] = configuration.count
      configuration.append(
        ConfigurationField(
          name: field.name, kind: field.kind, offset: offset, size: size,
          isWeak: undefined[field.name]?.isWeak ?? false))
      variables.append(BTFVariableInfo(type: field.variable.type, offset: UInt32(offset), size: field.variable.size))
      btf.storeLinkage(.global, ofVariable: try btf.type(field.variable.type))
      configurationSize = offset + size
    }
    btf.store(variables, size: UInt32(configurationSize), of: section)
  }

  private static func kind(of id: UInt32, _ btf: BTF) throws(BPFObjectError) -> ConfigurationField.Kind? {
    let type = try btf.resolved(id)
    switch type.kind {
    case .int:
      // The encoding is in the upper byte of the word behind the type.
      let encoding = try btf.part.u32(at: type.offset + 12) >> 24 & 15
      if encoding & BTFIntegerEncoding.boolean.rawValue != 0 { return type.sizeOrType == 1 ? .bool : nil }
      if type.sizeOrType == 1 { return .character }
      return [2, 4, 8].contains(type.sizeOrType)
        ? .integer(isSigned: encoding & BTFIntegerEncoding.signed.rawValue != 0) : nil
    case .enumeration:
      let name = try btf.name(of: type)
      return type.sizeOrType == 4 && name == "libbpf_tristate" ? .tristate : nil
    case .array:
      let array = try btf.array(type)
      guard array.count > 0, try kind(of: array.element, depthOneOf: btf) == .character else { return nil }
      return .text
    case .void, .pointer, .structure, .union, .forward, .typedef, .volatile, .const, .restrict, .function,
      .functionPrototype, .variable, .dataSection, .float, .declarationTag, .typeTag, .enumeration64:
      return nil
    }
  }

  /// The kind of an array's element: a character or nothing, so that arrays do not nest.
  private static func kind(of id: UInt32, depthOneOf btf: BTF) throws(BPFObjectError) -> ConfigurationField.Kind? {
    let type = try btf.resolved(id)
    return type.kind == .int && type.sizeOrType == 1 ? .character : nil
  }
}

public import KernelABI
internal import Base

extension BTF {
  /// The type with this number.
  package func type(_ id: UInt32) throws(BPFObjectError) -> BTFType {
    guard Int(id) < types.count else {
      throw BPFObjectError(
        .malformedBTF, "`\(part.name)` has no type \(id)", expected: "at most \(types.count - 1)", found: "\(id)")
    }
    return types[Int(id)]
  }

  /// The string at an offset of the string section.
  public func string(at offset: UInt32) throws(BPFObjectError) -> String {
    guard Int(offset) < strings.count else {
      throw BPFObjectError(
        .malformedBTF, "a name is outside the string section of `\(part.name)`",
        expected: "an offset below \(strings.count)", found: "\(offset)")
    }
    return try part.name(at: strings.lowerBound + Int(offset))
  }

  package func name(of type: BTFType) throws(BPFObjectError) -> String { try string(at: type.nameOffset) }

  /// Whether what stands in the place of a type's name begins with a text, whatever comes behind it.
  func nameBegins(with prefix: String, of type: BTFType) throws(BPFObjectError) -> Bool {
    let start = Int(type.nameOffset)
    guard start <= strings.count, prefix.utf8.count <= strings.count - start else { return false }
    let bytes = try part.slice(at: strings.lowerBound + start, count: prefix.utf8.count)
    return bytes.elementsEqual(prefix.utf8)
  }

  /// The number of the first type with this name and kind, or nil. Takes time proportional to the section.
  public func typeID(named name: String, kind: BTFKind) -> UInt32? { typeIDs(named: name, kind: kind, limit: 1).first }

  /// The numbers of the types with this name and kind, at most `limit`.
  package func typeIDs(named name: String, kind: BTFKind, limit: Int = .max) -> [UInt32] {
    let wanted = Array(name.utf8) + [0]
    let bytes = part.bytes.rawSpan
    var found: [UInt32] = []
    for type in types where type.kind == kind && type.nameOffset != 0 {
      let start = strings.lowerBound + Int(type.nameOffset)
      guard wanted.count <= strings.upperBound - start else { continue }
      if let text = try? bytes.slice(at: start, count: wanted.count), text.hasSameBytes(as: wanted.rawSpan) {
        found.append(type.id)
        if found.count >= limit { break }
      }
    }
    return found
  }

  /// The members of a structure or union.
  package func members(of type: BTFType) throws(BPFObjectError) -> [BTFMember] {
    guard type.kind == .structure || type.kind == .union else { return [] }
    var members: [BTFMember] = []
    members.reserveCapacity(type.vlen)
    for index in 0..<type.vlen {
      if let member = try member(index, of: type) { members.append(member) }
    }
    return members
  }

  /// One member of a structure or union; nil when it has no such member.
  func member(_ index: Int, of type: BTFType) throws(BPFObjectError) -> BTFMember? {
    guard type.kind == .structure || type.kind == .union, index >= 0, index < type.vlen else { return nil }
    let entry = type.offset + 12 + index * 12
    // With kind_flag, the upper byte of the offset is a bitfield's width.
    let offset = try part.u32(at: entry + 8)
    return BTFMember(
      nameOffset: try part.u32(at: entry), type: try part.u32(at: entry + 4),
      bitOffset: type.flag ? offset & 0xff_ffff : offset, bitfieldSize: type.flag ? offset >> 24 : 0)
  }

  /// The variables of a DATASEC, in the section's order.
  func variables(of section: BTFType) throws(BPFObjectError) -> [BTFVariableInfo] {
    guard section.kind == .dataSection else { return [] }
    var variables: [BTFVariableInfo] = []
    variables.reserveCapacity(section.vlen)
    for index in 0..<section.vlen {
      let entry = section.offset + 12 + index * 12
      variables.append(
        BTFVariableInfo(
          type: try part.u32(at: entry), offset: try part.u32(at: entry + 4), size: try part.u32(at: entry + 8)))
    }
    return variables
  }

  /// The linkage of a variable; nil for one that is not known here.
  func linkage(ofVariable type: BTFType) throws(BPFObjectError) -> BTFVariableLinkage? {
    BTFVariableLinkage(rawValue: try part.u32(at: type.offset + 12))
  }

  /// The type of a prototype's parameter; nil when it has no such parameter.
  package func parameter(_ index: Int, of type: BTFType) -> UInt32? {
    guard type.kind == .functionPrototype, index >= 0, index < type.vlen else { return nil }
    return try? part.u32(at: type.offset + 12 + index * 8 + 4)
  }

  /// Whether an integer is signed.
  package func isSigned(_ type: BTFType) -> Bool {
    guard type.kind == .int, let word = try? part.u32(at: type.offset + 12) else { return false }
    return word >> 24 & BTFIntegerEncoding.signed.rawValue != 0
  }

  /// What an array has: its elements' type and their number.
  package func array(_ type: BTFType) throws(BPFObjectError) -> (element: UInt32, count: UInt32) {
    (try part.u32(at: type.offset + 12), try part.u32(at: type.offset + 20))
  }

  /// The name and value of one enumerator, sign-extended to 64 bits.
  package func enumerator(_ index: Int, of type: BTFType) throws(BPFObjectError) -> (name: String, value: UInt64)? {
    guard index >= 0, index < type.vlen else { return nil }
    switch type.kind {
    case .enumeration:
      let entry = type.offset + 12 + index * 8
      let value = Int64(Int32(bitPattern: try part.u32(at: entry + 4)))
      return (try string(at: try part.u32(at: entry)), UInt64(bitPattern: value))
    case .enumeration64:
      let entry = type.offset + 12 + index * 12
      let value = UInt64(try part.u32(at: entry + 4)) | UInt64(try part.u32(at: entry + 8)) << 32
      return (try string(at: try part.u32(at: entry)), value)
    case .void, .int, .pointer, .array, .structure, .union, .forward, .typedef, .volatile, .const, .restrict, .function,
      .functionPrototype, .variable, .dataSection, .float, .declarationTag, .typeTag:
      return nil
    }
  }

  /// The type behind typedefs, `const`, `volatile`, `restrict` and type tags.
  package func resolved(_ id: UInt32) throws(BPFObjectError) -> BTFType {
    var current = try type(id)
    for _ in 0..<Limits.typeDepth {
      guard current.kind.isModifier else { return current }
      current = try type(current.sizeOrType)
    }
    throw Self.tooDeep(id)
  }

  /// Bytes that a value of the type takes; nil for a type without values (void, a function, a declaration).
  package func size(of id: UInt32) throws(BPFObjectError) -> UInt32? {
    var current = try type(id)
    var count: UInt32 = 1
    for _ in 0..<Limits.typeDepth {
      let size: UInt32
      switch current.kind {
      case .int, .structure, .union, .enumeration, .enumeration64, .float, .dataSection: size = current.sizeOrType
      case .pointer: size = 8
      case .array:
        let array = try array(current)
        let (product, overflow) = count.multipliedReportingOverflow(by: array.count)
        guard !overflow else { throw Self.tooDeep(id) }
        count = product
        current = try type(array.element)
        continue
      case .typedef, .volatile, .const, .restrict, .typeTag, .variable:
        current = try type(current.sizeOrType)
        continue
      case .void, .forward, .function, .functionPrototype, .declarationTag: return nil
      }
      let (total, overflow) = count.multipliedReportingOverflow(by: size)
      guard !overflow else { throw Self.tooDeep(id) }
      return total
    }
    throw Self.tooDeep(id)
  }

  private static func tooDeep(_ id: UInt32) -> BPFObjectError {
    BPFObjectError(
      .malformedBTF, "type \(id) of `.BTF` does not resolve",
      expected: "at most \(Limits.typeDepth) typedefs and array dimensions, and fewer than 2^32 bytes",
      next: "compile the object again, or compare it with its original")
  }
}

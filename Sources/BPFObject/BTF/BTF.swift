internal import KernelABI
internal import Base

/// A BTF section, every record of which lies inside it and refers only to types and names that exist.
///
/// Format: Documentation/bpf/btf.rst in the kernel's tree. The checks here are those that reading needs; the kernel
/// repeats its own on BPF_BTF_LOAD. Nothing recurses, so that no input decides how deep the stack grows.
public struct BTF: Sendable {
  /// The whole section, header included.
  var part: ObjectPart
  /// Indexed by type id; the first is void.
  public internal(set) var types: [BTFType]
  /// The declaration tags among the types, by their ids: what asks for them for each program does not go through all types.
  package let declarationTags: [UInt32]
  /// Whether there is a type tag among the types.
  package let hasTypeTags: Bool
  /// Where the string section begins in the bytes, and how long it is.
  let strings: Range<Int>
  /// Where the type section begins.
  let typesStart: Int

  /// Reads a BTF section, or `/sys/kernel/btf/vmlinux`, which has the same format.
  ///
  /// - Throws: ``BPFObjectError`` with the check `malformedBTF`.
  public init(_ bytes: RawSpan) throws(BPFObjectError) {
    try self.init(part: ObjectPart(name: ".BTF", bytes: bytes.copyBytes(), check: .malformedBTF))
  }

  /// No types at all: what an object without the section has. Nothing but `void` is in it.
  static var none: BTF { BTF() }

  private init() {
    var bytes: [UInt8] = []
    bytes.appendLittleEndian(BTFFormat.magic)
    bytes += [BTFFormat.version, 0]
    // The header's length, then where types and strings begin and how long they are.
    for number: UInt32 in [24, 0, 0, 0, 1] { bytes.appendLittleEndian(number) }
    part = ObjectPart(name: ".BTF", bytes: bytes + [0], check: .malformedBTF)
    types = [Self.void]
    declarationTags = []
    hasTypeTags = false
    typesStart = 24
    strings = 24..<25
  }

  private static let void = BTFType(
    id: 0, kind: .void, nameOffset: 0, vlen: 0, flag: false, sizeOrType: 0, offset: 0)

  init(part: ObjectPart) throws(BPFObjectError) {
    let layout = try Self.readHeader(part)
    self.part = part
    strings = layout.strings
    typesStart = layout.types.lowerBound
    types = try Self.readTypes(part, layout.types)
    declarationTags = types.filter { $0.kind == .declarationTag }.map(\.id)
    hasTypeTags = types.contains { $0.kind == .typeTag }
    try checkReferences()
  }

  // MARK: - Reading

  private static func readHeader(
    _ part: ObjectPart
  ) throws(BPFObjectError) -> (types: Range<Int>, strings: Range<Int>) {
    guard try part.u16(at: 0) == BTFFormat.magic, try part.u8(at: 2) == BTFFormat.version else {
      throw BPFObjectError(
        .malformedBTF, "`\(part.name)` is not BTF of version 1",
        expected: "magic 0x\(String(BTFFormat.magic, radix: 16)), version \(BTFFormat.version)",
        found: "magic 0x\(String(try part.u16(at: 0), radix: 16)), version \(try part.u8(at: 2))")
    }
    let headerLength = Int(try part.u32(at: 4))
    guard headerLength >= 24, headerLength <= part.count else {
      throw BPFObjectError(
        .malformedBTF, "the header of `\(part.name)` has a wrong length", expected: "24 to \(part.count) bytes",
        found: "\(headerLength)")
    }
    let types = try range(part, after: headerLength, at: 8, what: "type")
    let strings = try range(part, after: headerLength, at: 16, what: "string")
    guard types.lowerBound.isMultiple(of: 4), !types.overlaps(strings) else {
      throw BPFObjectError(
        .malformedBTF, "the type and string sections of `\(part.name)` are misplaced",
        expected: "aligned to 4 bytes and apart", found: "types at \(types), strings at \(strings)")
    }
    // An empty string stands first, and the last is terminated: so every offset below the length names something.
    guard !strings.isEmpty, try part.u8(at: strings.lowerBound) == 0, try part.u8(at: strings.upperBound - 1) == 0
    else {
      throw BPFObjectError(
        .malformedBTF, "the string section of `\(part.name)` is not one", expected: "NUL at its start and its end")
    }
    return (types, strings)
  }

  private static func range(
    _ part: ObjectPart, after headerLength: Int, at field: Int, what: String
  ) throws(BPFObjectError) -> Range<Int> {
    let start = headerLength + Int(try part.u32(at: field))
    let length = Int(try part.u32(at: field + 4))
    guard start <= part.count, length <= part.count - start else {
      throw BPFObjectError(
        .malformedBTF, "the \(what) section is not inside `\(part.name)`", expected: "at most \(part.count) bytes",
        found: "\(length) bytes at offset \(start)")
    }
    return start..<(start + length)
  }

  private static func readTypes(_ part: ObjectPart, _ range: Range<Int>) throws(BPFObjectError) -> [BTFType] {
    var types = [void]
    types.reserveCapacity(range.count / 16)
    var offset = range.lowerBound
    while offset < range.upperBound {
      let info = try part.u32(at: offset + 4)
      let number = BTFFormat.kind(ofInfo: info)
      guard let kind = BTFKind(rawValue: number), kind != .void else {
        throw BPFObjectError(
          .malformedBTF, "type \(types.count) of `\(part.name)` has an unknown kind",
          expected: "1 to \(BTFKind.allCases.count - 1)",
          found: "\(number)")
      }
      let vlen = BTFFormat.count(ofInfo: info)
      let (fixed, each) = kind.trailer
      let end = offset + 12 + fixed + each * vlen
      guard end <= range.upperBound else {
        throw BPFObjectError(
          .malformedBTF, "type \(types.count) runs over the end of the type section of `\(part.name)`",
          expected: "an end at or before offset \(range.upperBound)", found: "\(end)")
      }
      types.append(
        BTFType(
          id: UInt32(types.count), kind: kind, nameOffset: try part.u32(at: offset), vlen: vlen,
          flag: BTFFormat.flag(ofInfo: info), sizeOrType: try part.u32(at: offset + 8), offset: offset))
      offset = end
    }
    return types
  }

  /// Every name is in the string section and every type referred to exists.
  private func checkReferences() throws(BPFObjectError) {
    for type in types.dropFirst() {
      try checkName(type.nameOffset, of: type)
      if type.kind.refersToType { try checkType(type.sizeOrType, of: type) }
      switch type.kind {
      case .array:
        try checkType(try part.u32(at: type.offset + 12), of: type)
        try checkType(try part.u32(at: type.offset + 16), of: type)
      case .structure, .union, .functionPrototype:
        let size = type.kind.trailer.each
        for entry in stride(from: type.offset + 12, to: type.offset + 12 + type.vlen * size, by: size) {
          try checkName(try part.u32(at: entry), of: type)
          try checkType(try part.u32(at: entry + 4), of: type)
        }
      case .enumeration, .enumeration64:
        let size = type.kind.trailer.each
        for entry in stride(from: type.offset + 12, to: type.offset + 12 + type.vlen * size, by: size) {
          try checkName(try part.u32(at: entry), of: type)
        }
      case .dataSection:
        for entry in stride(from: type.offset + 12, to: type.offset + 12 + type.vlen * 12, by: 12) {
          try checkType(try part.u32(at: entry), of: type)
        }
      case .void, .int, .pointer, .forward, .typedef, .volatile, .const, .restrict, .function, .variable, .float,
        .declarationTag, .typeTag:
        break
      }
    }
  }

  private func checkName(_ offset: UInt32, of type: BTFType) throws(BPFObjectError) {
    guard Int(offset) < strings.count else {
      throw BPFObjectError(
        .malformedBTF, "type \(type.id) of `\(part.name)` has a name outside the string section",
        expected: "an offset below \(strings.count)", found: "\(offset)")
    }
  }

  private func checkType(_ id: UInt32, of type: BTFType) throws(BPFObjectError) {
    guard Int(id) < types.count else {
      throw BPFObjectError(
        .malformedBTF, "type \(type.id) of `\(part.name)` refers to a type that does not exist",
        expected: "at most \(types.count - 1)", found: "\(id)")
    }
  }
}

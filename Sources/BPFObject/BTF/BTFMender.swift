internal import KernelABI
internal import Base

/// Changes what kernels refuse in type information (kernel/bpf/btf.c), and lists each change.
///
/// Compilers of other languages than C, and newer ones of C, write names, orders and kinds that no kernel takes, or
/// that older ones do not. Most of it is of no use to a program, so that it is changed as libbpf changes it
/// (bpf_object__sanitize_btf). Numbers of types and offsets of strings stay, for the records of `.BTF.ext` refer to them.
struct BTFMender {
  let original: BTF
  var bytes: [UInt8]
  /// What is added to the strings.
  private var added: [UInt8] = []
  /// Where the mended form of a name is: by whether it may have dots and the offset of the name, and by its own bytes.
  private var mendedNames: [Bool: [UInt32: UInt32]] = [:]
  private var addedNames: [[UInt8]: UInt32] = [:]
  private(set) var edits: [TypeEdit] = []

  init(_ btf: BTF) {
    original = btf
    bytes = btf.part.bytes
  }

  // MARK: - What no kernel takes

  /// - Parameter keepsOrder: whether members keep their places in their lists, because CO-RE records count them.
  /// - Returns: the section with all changes.
  /// - Throws: ``BPFObjectError`` where a new section would be larger than an object may be.
  mutating func mend(keepsOrder: Bool) throws(BPFObjectError) -> BTF {
    let rule = BTFNameRule.identifier
    for type in original.types.dropFirst() {
      switch type.kind {
      case .int: try mendEncoding(type)
      case .pointer, .volatile, .const, .restrict, .array: dropName(type)
      case .functionPrototype:
        dropName(type)
        try mendElements(type, rule)
      case .structure, .union:
        if type.nameOffset != 0 { try mendName(type, rule) }
        try mendElements(type, rule)
        try mendLayout(type, keepsOrder: keepsOrder)
      case .enumeration, .enumeration64:
        if type.nameOffset != 0 { try mendName(type, rule) }
        try mendElements(type, rule)
      case .forward, .typedef: try mendName(type, rule)
      case .function:
        try mendName(type, rule)
        if type.vlen > Int(BTFFunctionLinkage.global.rawValue) { makeDefined(type, offset: 4) }
        try nameParameters(of: type)
      case .variable:
        try mendName(type, rule)
        if try original.linkage(ofVariable: type) == .extern { makeDefined(type, offset: 12) }
      case .void, .dataSection, .float, .declarationTag, .typeTag: break
      }
    }
    return try result()
  }

  /// The section with the changes, or the original where there are none.
  func result() throws(BPFObjectError) -> BTF {
    guard !edits.isEmpty else { return original }
    let old = original.part
    let headerLength = Int(try old.u32(at: 4))
    let typesLength = Int(try old.u32(at: 12))
    let types = bytes[original.typesStart..<original.typesStart + typesLength]
    let text = bytes[original.strings]
    var header = Array(bytes[..<headerLength])
    header.storeLittleEndian(UInt32(0), at: 8)
    header.storeLittleEndian(UInt32(truncatingIfNeeded: typesLength), at: 16)
    header.storeLittleEndian(UInt32(truncatingIfNeeded: text.count + added.count), at: 20)
    return try BTF(part: ObjectPart(name: old.name, bytes: header + types + text + added, check: old.check))
  }

  // MARK: - Names

  mutating func note(_ type: BTFType, _ change: TypeEdit.Change) {
    // Of a structure with many such members one line says it.
    if let last = edits.last, last.type == type.id, last.change == change { return }
    edits.append(
      TypeEdit(type: type.id, kind: type.kind, name: (try? original.name(of: type)) ?? "", change: change))
  }

  private mutating func dropName(_ type: BTFType) {
    guard type.nameOffset != 0 else { return }
    bytes.storeLittleEndian(UInt32(0), at: type.offset)
    note(type, .surplusName)
  }

  mutating func mendName(_ type: BTFType, _ rule: BTFNameRule) throws(BPFObjectError) {
    if let mended = try mended(type.nameOffset, rule) {
      bytes.storeLittleEndian(mended, at: type.offset)
      note(type, isEmpty(type.nameOffset) ? .missingName : .name)
    }
  }

  /// The names of members, enumerators and parameters, which stand first in each.
  mutating func mendElements(_ type: BTFType, _ rule: BTFNameRule) throws(BPFObjectError) {
    let size = type.kind.trailer.each
    let isEnumeration = type.kind == .enumeration || type.kind == .enumeration64
    for index in 0..<type.vlen {
      let entry = type.offset + 12 + index * size
      let name = try original.part.u32(at: entry)
      // Only enumerators must have a name.
      if !isEnumeration, name == 0 { continue }
      if type.kind == .functionPrototype, try original.part.u32(at: entry + 4) == 0 {
        // `...`, which has no name.
        bytes.storeLittleEndian(UInt32(0), at: entry)
        note(type, .surplusName)
      } else if let mended = try mended(name, rule) {
        bytes.storeLittleEndian(mended, at: entry)
        note(type, isEmpty(name) ? .missingName : .elementName)
      }
    }
  }

  /// Functions name their parameters; prototypes that no function has need not.
  private mutating func nameParameters(of function: BTFType) throws(BPFObjectError) {
    let prototype = try original.type(function.sizeOrType)
    guard prototype.kind == .functionPrototype else { return }
    for index in 0..<prototype.vlen {
      let entry = prototype.offset + 12 + index * 8
      guard try original.part.u32(at: entry) == 0, try original.part.u32(at: entry + 4) != 0 else { continue }
      let name = try add(Array("arg\(index + 1)".utf8))
      bytes.storeLittleEndian(name, at: entry)
      note(function, .parameterName)
    }
  }

  private func isEmpty(_ name: UInt32) -> Bool {
    (try? original.part.u8(at: original.strings.lowerBound + Int(name))) == 0
  }

  /// Where the name is that stands for this one; nil for a name that may stay.
  private mutating func mended(_ offset: UInt32, _ rule: BTFNameRule) throws(BPFObjectError) -> UInt32? {
    if let known = mendedNames[rule.allowsDots]?[offset] { return known }
    let start = original.strings.lowerBound + Int(offset)
    let text = original.part.bytes[start..<original.strings.upperBound]
    var isGood = true
    var end = start
    // The strings end with a NUL. No more is looked at than a name may have: many names may share a long end.
    while end < text.endIndex, text[end] != 0, end - start <= rule.limit {
      isGood = isGood && rule.allows(text[end], isFirst: end == start)
      end += 1
    }
    if isGood, end > start, end - start <= rule.limit { return nil }
    let mended = try add(rule.mended(text[start..<end]))
    mendedNames[rule.allowsDots, default: [:]][offset] = mended
    return mended
  }

  /// The offset of a string that is added, once.
  private mutating func add(_ name: [UInt8]) throws(BPFObjectError) -> UInt32 {
    if let known = addedNames[name] { return known }
    let offset = original.strings.count + added.count
    guard bytes.count + added.count + name.count < Limits.objectBytes else {
      throw BPFObjectError(
        .tooLarge, "the names in `.BTF` that the kernel refuses are too many to be replaced",
        expected: "at most \(Limits.objectBytes) bytes of type information")
    }
    added += name + [0]
    addedNames[name] = UInt32(offset)
    return UInt32(offset)
  }

  // MARK: - Everything else

  private mutating func makeDefined(_ type: BTFType, offset: Int) {
    if type.kind == .function {
      bytes.storeLittleEndian(UInt16(BTFFunctionLinkage.static.rawValue), at: type.offset + offset)
    } else {
      bytes.storeLittleEndian(BTFVariableLinkage.global.rawValue, at: type.offset + offset)
    }
    note(type, .linkage)
  }

  private mutating func mendEncoding(_ type: BTFType) throws(BPFObjectError) {
    let word = try original.part.u32(at: type.offset + 12)
    let encoding = word >> 24 & 15
    guard encoding != 0, BTFIntegerEncoding(rawValue: encoding) == nil else { return }
    let kept = encoding & BTFIntegerEncoding.signed.rawValue
    bytes.storeLittleEndian(word & 0xf0ff_ffff | kept << 24, at: type.offset + 12)
    note(type, .encoding)
  }

  /// Lists members in the order they lie in, and makes structures of unions with members at different places: so are the
  /// types of languages whose compilers order fields themselves, or keep data beside a variant's number.
  private mutating func mendLayout(_ type: BTFType, keepsOrder: Bool) throws(BPFObjectError) {
    guard type.vlen > 0 else { return }
    var members: [(entry: ArraySlice<UInt8>, bits: UInt32)] = []
    var isOrdered = true
    var startsAtZero = true
    var last: UInt32 = 0
    for index in 0..<type.vlen {
      guard let member = try original.member(index, of: type) else { return }
      isOrdered = isOrdered && member.bitOffset >= last
      startsAtZero = startsAtZero && member.bitOffset == 0
      last = member.bitOffset
    }
    let isUnfit = type.kind == .union ? !startsAtZero : !isOrdered
    guard isUnfit, !keepsOrder || isOrdered else { return }
    if type.kind == .union {
      let info = try original.part.u32(at: type.offset + 4)
      let kind = BTFFormat.info(.union) ^ BTFFormat.info(.structure)
      bytes.storeLittleEndian(info ^ kind, at: type.offset + 4)
      note(type, .unionOffsets)
    }
    guard !isOrdered else { return }
    for index in 0..<type.vlen {
      let start = type.offset + 12 + index * 12
      guard let member = try original.member(index, of: type) else { return }
      // With their mended names.
      members.append((bytes[start..<start + 12], member.bitOffset))
    }
    let sorted = members.enumerated().sorted { ($0.element.bits, $0.offset) < ($1.element.bits, $1.offset) }
    let contents = sorted.flatMap(\.element.entry)
    bytes.replaceSubrange(type.offset + 12..<type.offset + 12 + contents.count, with: contents)
    if type.kind == .structure { note(type, .memberOrder) }
  }
}

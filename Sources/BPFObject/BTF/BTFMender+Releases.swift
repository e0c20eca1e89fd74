public import KernelABI
internal import Base

/// What kernels of one release do not take yet.
extension BTFMender {
  /// Turns kinds that are newer than a kernel into older ones of the same size, as libbpf does for kernels that refuse
  /// them, and shortens names that only newer kernels take.
  mutating func adapt(to release: KernelRelease) throws(BPFObjectError) -> BTF {
    let names = BTFNameRule.identifier(in: release)
    let sections = BTFNameRule.section(in: release)
    for type in original.types.dropFirst() {
      if type.kind.since > release {
        try replaceKind(of: type)
        continue
      }
      switch type.kind {
      case .enumeration where type.flag && release < BTFKind.enumeration64.since: dropFlag(type)
      // Attributes as tags (Linux 6.15).
      case .declarationTag where type.flag && release < KernelRelease(6, 15): dropFlag(type)
      case .typeTag where type.flag && release < KernelRelease(6, 15): dropFlag(type)
      case .dataSection, .variable:
        if let sections { try mendName(type, sections) }
      case .structure, .union, .enumeration, .enumeration64:
        if type.nameOffset != 0 { try mendName(type, names) }
        try mendElements(type, names)
      case .functionPrototype: try mendElements(type, names)
      case .forward, .typedef, .function: try mendName(type, names)
      case .void, .int, .pointer, .array, .volatile, .const, .restrict, .float, .declarationTag, .typeTag: break
      }
    }
    return try result()
  }

  private mutating func dropFlag(_ type: BTFType) {
    storeInfo(type, type.kind, flag: false)
    note(type, .flag)
  }

  private mutating func replaceKind(of type: BTFType) throws(BPFObjectError) {
    switch type.kind {
    case .float: storeInfo(type, .structure, flag: false)
    case .typeTag:
      storeInfo(type, .const, flag: false)
      bytes.storeLittleEndian(UInt32(0), at: type.offset)
    case .declarationTag:
      // One byte, of 8 bits.
      storeInfo(type, .int, flag: false)
      bytes.storeLittleEndian(UInt32(1), at: type.offset + 8)
      bytes.storeLittleEndian(UInt32(8), at: type.offset + 12)
    case .enumeration64:
      // Its enumerators have the members' 12 bytes: a name, and then 0 for the type and the place.
      guard let byte = original.types.first(where: { $0.kind == .int && $0.sizeOrType <= type.sizeOrType }) else {
        return
      }
      storeInfo(type, .union, flag: false)
      for index in 0..<type.vlen {
        bytes.storeLittleEndian(byte.id, at: type.offset + 12 + index * 12 + 4)
        bytes.storeLittleEndian(UInt32(0), at: type.offset + 12 + index * 12 + 8)
      }
    case .void, .int, .pointer, .array, .structure, .union, .enumeration, .forward, .typedef, .volatile, .const,
      .restrict, .function, .functionPrototype, .variable, .dataSection:
      return
    }
    note(type, .kind)
  }

  private mutating func storeInfo(_ type: BTFType, _ kind: BTFKind, flag: Bool) {
    let info = BTFFormat.info(kind) | UInt32(truncatingIfNeeded: type.vlen) | (flag ? 1 << 31 : 0)
    bytes.storeLittleEndian(info, at: type.offset + 4)
  }
}

extension LinkedObject {
  /// The object's types as a kernel of this release takes them, and what was changed; nil where nothing needs to be.
  public func types(adaptedTo release: KernelRelease) -> (bytes: [UInt8], edits: [TypeEdit])? {
    guard let btf = try? BTF(self.btf.rawSpan) else { return nil }
    var mender = BTFMender(btf)
    guard let adapted = try? mender.adapt(to: release), !mender.edits.isEmpty else { return nil }
    return (adapted.part.bytes, mender.edits)
  }
}

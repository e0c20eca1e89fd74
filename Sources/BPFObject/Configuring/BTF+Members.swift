internal import KernelABI

extension BTF {
  /// A member found by its name.
  struct FoundMember {
    let type: UInt32
    /// Bytes from the start of the structure that was asked; nil for a bitfield.
    let byteOffset: Int?
  }

  /// The member of that name of a structure or union, or of the structures without a name in it. Each of those is looked at
  /// once, however often it is there.
  func member(named name: String, of type: BTFType) throws(BPFObjectError) -> FoundMember? {
    var waiting: [(type: BTFType, bits: UInt64)] = [(type, 0)]
    var seen: Set<UInt32> = [type.id]
    while let (holder, base) = waiting.popLast() {
      for index in 0..<holder.vlen {
        guard let member = try self.member(index, of: holder) else { continue }
        let bits = base + UInt64(member.bitOffset)
        if try string(at: member.nameOffset) == name {
          let isBitfield = try self.isBitfield(index, of: holder) || !bits.isMultiple(of: 8)
          return FoundMember(type: member.type, byteOffset: isBitfield ? nil : Int(bits / 8))
        }
        guard member.nameOffset == 0 else { continue }
        let inner = try resolved(member.type)
        if inner.kind == .structure || inner.kind == .union, seen.insert(inner.id).inserted {
          waiting.append((inner, bits))
        }
      }
    }
    return nil
  }

  /// With kind_flag, the upper byte of a member's offset is a bitfield's width.
  private func isBitfield(_ index: Int, of type: BTFType) throws(BPFObjectError) -> Bool {
    guard type.flag else { return false }
    return try part.u32(at: type.offset + 12 + index * 12 + 8) >> 24 != 0
  }

  /// A type as C writes it, without qualifiers: `unsigned int`, `char[16]`, `struct filter`.
  func spelling(of id: UInt32) throws(BPFObjectError) -> String {
    var current = try type(id)
    var dimensions = ""
    for _ in 0..<Limits.typeDepth {
      let name = try self.name(of: current)
      switch current.kind {
      case .const, .volatile, .restrict, .typeTag: current = try type(current.sizeOrType)
      case .array:
        let (element, count) = try array(current)
        dimensions += "[\(count)]"
        current = try type(element)
      case .int, .float, .typedef, .variable, .dataSection, .function, .functionPrototype, .declarationTag:
        return name + dimensions
      case .structure: return "struct \(name.isEmpty ? "{…}" : name)" + dimensions
      case .union: return "union \(name.isEmpty ? "{…}" : name)" + dimensions
      case .enumeration, .enumeration64: return "enum \(name.isEmpty ? "{…}" : name)" + dimensions
      case .pointer: return "a pointer" + dimensions
      case .void, .forward: return "void" + dimensions
      }
    }
    return "a type of more than \(Limits.typeDepth) parts"
  }
}

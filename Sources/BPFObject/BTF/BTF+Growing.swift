internal import KernelABI
internal import Base

extension BTF {
  /// The section with a global variable more, and its type id.
  ///
  /// Types and strings are laid out anew, types first, as libbpf lays them out when it adds to a section.
  func adding(variable name: String, type: UInt32) throws(BPFObjectError) -> (btf: BTF, id: UInt32) {
    var record: [UInt8] = []
    record.appendLittleEndian(UInt32(strings.count))
    record.appendLittleEndian(BTFFormat.info(.variable))
    record.appendLittleEndian(type)
    record.appendLittleEndian(BTFVariableLinkage.global.rawValue)
    return try adding(record, name: name)
  }

  /// The section with an `int` more, and its type id.
  func addingInt() throws(BPFObjectError) -> (btf: BTF, id: UInt32) {
    var record: [UInt8] = []
    record.appendLittleEndian(UInt32(strings.count))
    record.appendLittleEndian(BTFFormat.info(.int))
    record.appendLittleEndian(UInt32(4))
    record.appendLittleEndian(BTFIntegerEncoding.signed.rawValue << 24 | 32)
    return try adding(record, name: "int")
  }

  private func adding(_ record: [UInt8], name: String) throws(BPFObjectError) -> (btf: BTF, id: UInt32) {
    let headerLength = Int(try part.u32(at: 4))
    let typesLength = Int(try part.u32(at: 12))
    let types = try part.slice(at: typesStart, count: typesLength) + record
    let text = try part.slice(at: strings.lowerBound, count: strings.count) + Array(name.utf8) + [0]
    var bytes = try part.slice(at: 0, count: headerLength)
    bytes.storeLittleEndian(UInt32(0), at: 8)
    bytes.storeLittleEndian(UInt32(truncatingIfNeeded: types.count), at: 12)
    bytes.storeLittleEndian(UInt32(truncatingIfNeeded: types.count), at: 16)
    bytes.storeLittleEndian(UInt32(truncatingIfNeeded: text.count), at: 20)
    let grown = try BTF(part: ObjectPart(name: part.name, bytes: bytes + types + text, check: part.check))
    return (grown, UInt32(grown.types.count - 1))
  }
}

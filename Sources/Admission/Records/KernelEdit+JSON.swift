public import BPFObject
public import Base

extension KernelEdit {
  /// One form for the audit record and for what commands print: names and places, never values, because addresses of
  /// the kernel are nobody's business.
  public var json: JSONValue {
    var members: [JSONValue.Member]
    switch place {
    case .instruction(let program, let index):
      members = [.init("program", .string(program)), .init("instruction", .integer(Int64(index)))]
    case .attribute(let program, let name):
      members = [.init("program", .string(program)), .init("attribute", .string(name))]
    case .value(let map, let offset):
      members = [.init("map", .string(map)), .init("offset", .integer(Int64(offset)))]
    }
    members += [.init("name", .string(name)), .init("value", .string(value.rawValue)), .init("weak", .bool(isWeak))]
    return .object(members)
  }
}

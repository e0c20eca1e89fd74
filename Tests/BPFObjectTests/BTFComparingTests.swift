import Base
import KernelABI
import Testing

@testable import BPFObject

/// Whether what is in a map of one version of an object can be read by another.
@Suite struct BTFComparingTests {
  /// Types by hand, numbered from 1; names are offsets in `strings`.
  private static let strings = "\0int\0long\0flow\0src\0dst\0other\0u32\0"
  private static let names: [String: UInt32] = [
    "": 0, "int": 1, "long": 5, "flow": 10, "src": 15, "dst": 19, "other": 23, "u32": 29,
  ]

  private static func name(_ text: String) -> UInt32 { names[text] ?? 0 }

  private static func types(_ records: [UInt32]...) throws -> BTF {
    var types: [UInt8] = []
    for word in records.joined() { types.appendLittleEndian(word) }
    var bytes: [UInt8] = [0x9f, 0xeb, 1, 0]
    for word in [24, 0, UInt32(types.count), UInt32(types.count), UInt32(strings.utf8.count)] as [UInt32] {
      bytes.appendLittleEndian(word)
    }
    return try BTF((bytes + types + Array(strings.utf8)).rawSpan)
  }

  private static func record(_ kind: BTFKind, _ name: String, vlen: UInt32 = 0, _ rest: UInt32...) -> [UInt32] {
    [Self.name(name), UInt32(kind.rawValue) << 24 | vlen] + rest
  }

  private static let int = record(.int, "int", 4, 0x0100_0020)
  private static let unsigned = record(.int, "int", 4, 32)
  private static let long = record(.int, "long", 8, 0x0100_0040)

  private static func flow(
    name: String = "flow", size: UInt32 = 8, _ members: (String, type: UInt32, at: UInt32)...
  ) -> [UInt32] {
    record(.structure, name, vlen: UInt32(members.count), size)
      + members.flatMap { [Self.name($0.0), $0.type, $0.at] }
  }

  private static let plain = flow(("src", 1, 0), ("dst", 1, 32))

  /// The last type of each.
  private func difference(_ mine: BTF, _ others: BTF) throws -> BTF.Difference? {
    try mine.difference(UInt32(mine.types.count - 1), from: others, UInt32(others.types.count - 1))
  }

  @Test func typedefsAndQualifiersMeanNothing() throws {
    let mine = try Self.types(
      Self.int, Self.flow(("src", 3, 0), ("dst", 4, 32)), Self.record(.typedef, "u32", 1),
      Self.record(.volatile, "", 1),
      Self.record(.const, "", 2))
    let others = try Self.types(Self.int, Self.plain)
    #expect(try difference(mine, others) == nil && difference(others, mine) == nil)
  }

  @Test(arguments: [
    (flow(name: "other", ("src", 1, 0), ("dst", 1, 32)), ""), (flow(("src", 1, 0), ("other", 1, 32)), ""),
    (flow(("src", 1, 32), ("dst", 1, 0)), ""), (flow(("src", 1, 0)), ""),
    (flow(size: 12, ("src", 1, 0), ("dst", 1, 32)), ""), (record(.union, "flow", vlen: 2, 8, 15, 1, 0, 19, 1, 0), ""),
    (flow(("src", 1, 0), ("dst", 3, 32)), ".dst"), (flow(("src", 4, 0), ("dst", 1, 32)), ".src"),
  ])
  func findsWhatDiffers(structure: [UInt32], place: String) throws {
    let mine = try Self.types(Self.int, Self.plain)
    let pointer = Self.record(.pointer, "", 1)
    // The structure is the second type of both.
    let others = try Self.types(Self.int, structure, Self.unsigned, pointer)
    let found = try mine.difference(2, from: others, 2)
    #expect(found?.place == place && found?.mine != nil)
    #expect(try others.difference(2, from: mine, 2)?.place == place, "from the other side too")
  }

  @Test func looksIntoArraysAndSections() throws {
    func array(_ element: [UInt32], _ count: UInt32) throws -> BTF {
      try Self.types(element, Self.record(.array, "", 0, 1, 1, count))
    }
    #expect(try difference(array(Self.int, 4), array(Self.int, 4)) == nil)
    #expect(
      try difference(array(Self.int, 4), array(Self.int, 5))
        == BTF.Difference(place: "", mine: "int (4 bytes)[4]", others: "int (4 bytes)[5]"))
    #expect(try difference(array(Self.int, 4), array(Self.unsigned, 4))?.place == "[]")
    func section(_ type: [UInt32], _ name: String, at offset: UInt32) throws -> BTF {
      try Self.types(type, Self.record(.variable, name, 1, 1), Self.record(.dataSection, "", vlen: 1, 8, 2, offset, 4))
    }
    #expect(try difference(section(Self.int, "src", at: 0), section(Self.int, "src", at: 0)) == nil)
    #expect(try difference(section(Self.int, "src", at: 0), section(Self.int, "src", at: 4))?.place == "")
    #expect(try difference(section(Self.int, "src", at: 0), section(Self.int, "dst", at: 0))?.place == "")
    #expect(try difference(section(Self.int, "src", at: 0), section(Self.unsigned, "src", at: 0))?.place == ".src")
  }

  /// Enumerations by names and values, pointers by the name of what they point to, and no further.
  @Test func comparesNamesWhereTheyAreTheMeaning() throws {
    func values(_ name: String, _ value: UInt32) throws -> BTF {
      try Self.types(Self.record(.enumeration, "other", vlen: 1, 4, Self.name(name), value))
    }
    #expect(try difference(values("src", 1), values("src", 1)) == nil)
    #expect(try difference(values("src", 1), values("src", 2)) != nil)
    #expect(try difference(values("src", 1), values("dst", 1)) != nil)
    func pointer(_ structure: [UInt32]) throws -> BTF {
      try Self.types(Self.int, structure, Self.record(.pointer, "", 2))
    }
    #expect(try difference(pointer(Self.plain), pointer(Self.flow(("src", 1, 0)))) == nil)
    #expect(try difference(pointer(Self.plain), pointer(Self.flow(name: "other", ("src", 1, 0)))) != nil)
  }

  /// A structure within itself by way of many others costs no more than there are pairs of types.
  @Test func endsOnDeepTypes() throws {
    var records: [[UInt32]] = [Self.int]
    for index in 1..<60 {
      records.append(Self.flow(("src", UInt32(index), 0), ("dst", UInt32(index), 32)))
    }
    var types: [UInt8] = []
    for word in records.joined() { types.appendLittleEndian(word) }
    var bytes: [UInt8] = [0x9f, 0xeb, 1, 0]
    for word in [24, 0, UInt32(types.count), UInt32(types.count), UInt32(Self.strings.utf8.count)] as [UInt32] {
      bytes.appendLittleEndian(word)
    }
    let deep = try BTF((bytes + types + Array(Self.strings.utf8)).rawSpan)
    #expect(try difference(deep, deep) == nil)
  }
}

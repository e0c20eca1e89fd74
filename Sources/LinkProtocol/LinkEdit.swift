internal import Base

/// One instruction of the object that refers to something, and to what. Never what the instruction becomes.
public struct LinkEdit: Equatable, Sendable {
  /// What an instruction may refer to.
  public enum Kind: UInt32, Sendable, CaseIterable {
    /// A 64-bit load of a map: ``index`` is the map's place among the declared ones.
    case map = 1
    /// A 64-bit load of a variable's address: ``index`` is the data section's, ``offset`` the byte in it.
    case value = 2
    /// A 64-bit load of a function's address: ``index`` is the function's.
    case function = 3
    /// A call of a function: ``index`` is the function's.
    case call = 4
  }

  /// The section that the instruction is in, by its index in the object.
  public let section: UInt32
  /// The instruction, counted from the start of its section; of a 64-bit load the first of its two places.
  public let instruction: UInt32
  public let kind: Kind
  public let index: UInt32
  public let offset: UInt32
  /// Where the object says so: the byte of the file at which the relocation entry begins.
  public let relocation: UInt32

  public init(
    section: UInt32, instruction: UInt32, kind: Kind, index: UInt32, offset: UInt32 = 0, relocation: UInt32
  ) {
    self.section = section
    self.instruction = instruction
    self.kind = kind
    self.index = index
    self.offset = offset
    self.relocation = relocation
  }

  /// Bytes of one.
  public static let size = 24

  func append(to bytes: inout [UInt8]) {
    for number in [section, instruction, kind.rawValue, index, offset, relocation] { bytes.appendLittleEndian(number) }
  }

  init(_ bytes: RawSpan, at start: Int) throws(LinkViolation) {
    section = try LinkFrame.u32(bytes, start)
    instruction = try LinkFrame.u32(bytes, start + 4)
    let word = try LinkFrame.u32(bytes, start + 8)
    guard let kind = Kind(rawValue: word) else {
      throw LinkViolation(.unknownWord, "an edit is of an unknown kind", expected: "1 to 4", found: "\(word)")
    }
    self.kind = kind
    index = try LinkFrame.u32(bytes, start + 12)
    offset = try LinkFrame.u32(bytes, start + 16)
    relocation = try LinkFrame.u32(bytes, start + 20)
    if kind != .value { try LinkFrame.requireZero(offset, "an edit") }
  }
}

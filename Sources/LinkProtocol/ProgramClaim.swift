internal import Base

/// What the helper's analysis says of a program, for which it has read the object's types. It counts only where a verified
/// manifest says the same.
public struct ProgramClaim: Equatable, Sendable {
  /// What a program reads of the kernel's memory, as far as its types tell.
  public enum Reads: UInt8, Sendable, CaseIterable {
    case none = 0
    case declared = 1
    case undeclared = 2
  }

  /// The section that the program is in, by its index, and its first byte there.
  public let section: UInt32
  public let start: UInt32
  /// Whether it stays with the packet or socket that it is called for.
  public let isRestricted: Bool
  public let reads: Reads
  /// The strictest lockdown mode that takes it: 0 none, 1 integrity, 2 confidentiality.
  public let lockdown: UInt8

  public init(section: UInt32, start: UInt32, isRestricted: Bool, reads: Reads, lockdown: UInt8) {
    self.section = section
    self.start = start
    self.isRestricted = isRestricted
    self.reads = reads
    self.lockdown = lockdown
  }

  /// Bytes of one.
  public static let size = 12

  func append(to bytes: inout [UInt8]) {
    bytes.appendLittleEndian(section)
    bytes.appendLittleEndian(start)
    bytes += [isRestricted ? 1 : 0, reads.rawValue, lockdown, 0]
  }

  init(_ bytes: RawSpan, at place: Int) throws(LinkViolation) {
    section = try LinkFrame.u32(bytes, place)
    start = try LinkFrame.u32(bytes, place + 4)
    let word = try LinkFrame.u32(bytes, place + 8)
    let restricted = word & 0xff
    guard let reads = Reads(rawValue: UInt8(truncatingIfNeeded: word >> 8)), restricted <= 1, word >> 16 & 0xff <= 2
    else { throw LinkViolation(.unknownWord, "a program has a verdict that does not exist") }
    try LinkFrame.requireZero(word >> 24, "a program")
    isRestricted = restricted == 1
    self.reads = reads
    lockdown = UInt8(truncatingIfNeeded: word >> 16)
  }
}

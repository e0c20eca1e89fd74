/// A policy's version: three numbers of 0 to 65535, ordered like one number.
public struct PolicyVersion: Hashable, Comparable, Sendable, CustomStringConvertible {
  public let major: UInt16
  public let minor: UInt16
  public let revision: UInt16

  public init(_ major: UInt16, _ minor: UInt16, _ revision: UInt16) {
    self.major = major
    self.minor = minor
    self.revision = revision
  }

  public static func < (left: PolicyVersion, right: PolicyVersion) -> Bool {
    (left.major, left.minor, left.revision) < (right.major, right.minor, right.revision)
  }

  public var description: String { "\(major).\(minor).\(revision)" }

  /// Reads a version as `parse_version` of the kernel does: the parts from left to right, the first error wins.
  public init(parsing text: some Collection<UInt8>) throws(KernelError) {
    var numbers: [UInt16] = []
    for part in text.split(separator: 0x2e, omittingEmptySubsequences: false) {
      guard numbers.count < 3 else { throw .badMessage }
      numbers.append(try Self.number(part))
    }
    guard numbers.count == 3 else { throw .badMessage }
    self.init(numbers[0], numbers[1], numbers[2])
  }

  /// Reads a version; nil when it is none.
  public init?(_ text: String) {
    guard let value = try? PolicyVersion(parsing: Array(text.utf8)) else { return nil }
    self = value
  }

  /// kstrtou16() with base 10: one `+` is allowed, and an overflow is found before what follows the digits.
  private static func number(_ part: some Collection<UInt8>) throws(KernelError) -> UInt16 {
    var value: UInt64 = 0
    var overflow = false
    var digits = 0
    var rest = part.first == 0x2b ? part.dropFirst() : part[...]
    while let digit = rest.first, (0x30...0x39).contains(digit) {
      let (product, high) = value.multipliedReportingOverflow(by: 10)
      let (sum, carry) = product.addingReportingOverflow(UInt64(digit - 0x30))
      overflow = overflow || high || carry
      value = sum
      digits += 1
      rest = rest.dropFirst()
    }
    if overflow { throw .range }
    guard digits > 0, rest.isEmpty else { throw .invalid }
    guard let number = UInt16(exactly: value) else { throw .range }
    return number
  }
}

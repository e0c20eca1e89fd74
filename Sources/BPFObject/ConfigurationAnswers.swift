public import KernelABI
internal import Base

/// What the running kernel says of itself, as far as objects may ask (`__kconfig`).
///
/// After libbpf (bpf_object__resolve_externs, set_kcfg_value_tri, set_kcfg_value_str, set_kcfg_value_num).
public struct ConfigurationAnswers: Sendable {
  public let release: KernelRelease
  /// What the kernel was built with; nil when it does not tell.
  private let configuration: KernelConfiguration?

  /// - Parameters:
  ///   - release: utsname's, `6.18.4-cloud`.
  ///   - configuration: what it was built with; nil when it does not tell.
  /// - Throws: ``BPFObjectError`` with the check `unsupportedExtern` when the release has no version number.
  public init(release: String, configuration: KernelConfiguration?) throws(BPFObjectError) {
    guard let parsed = KernelRelease(parsing: release) else {
      throw BPFObjectError(
        .unsupportedExtern, "the kernel's release `\(release)` begins with no version", expected: "major.minor.patch")
    }
    self.release = parsed
    self.configuration = configuration
  }

  /// The value of an object's `.kconfig` map.
  ///
  /// - Throws: ``BPFObjectError`` with the check `unsupportedExtern` when the kernel has no such option and the object
  ///   insists, or when the option is not what the object takes it for.
  public func value(of fields: [ConfigurationField]) throws(BPFObjectError) -> [UInt8] {
    var value: [UInt8] = []
    for field in fields.sorted(by: { $0.offset < $1.offset }) {
      value += [UInt8](repeating: 0, count: max(0, field.offset - value.count))
      value += try bytes(of: field)
    }
    return value
  }

  private func bytes(of field: ConfigurationField) throws(BPFObjectError) -> [UInt8] {
    switch field.name {
    case "LINUX_KERNEL_VERSION": return try number(Int64(release.code), field)
    // Every kernel that loads objects in this way has both (5.15; 4.17 on the machines we support).
    case "LINUX_HAS_BPF_COOKIE", "LINUX_HAS_SYSCALL_WRAPPER": return try boolean(field)
    default: break
    }
    guard let text = configuration?.value(of: field.name) else {
      if field.isWeak { return [UInt8](repeating: 0, count: field.size) }
      throw BPFObjectError(
        .unsupportedExtern, "the kernel's configuration has no `\(field.name)`",
        expected: "the option in /boot/config-RELEASE or /proc/config.gz",
        next: "declare it __weak, or load the object into a kernel that has it")
    }
    if text == "y" || text == "m" || text == "n" { return try tristate(text, field) }
    if text.first == "\"" { return try string(text, field) }
    guard let value = Self.integer(text) else { throw unfit(field, text) }
    return try number(value, field)
  }

  private func boolean(_ field: ConfigurationField) throws(BPFObjectError) -> [UInt8] {
    if field.kind == .bool { return [1] }
    return try number(1, field)
  }

  private func tristate(_ text: Substring, _ field: ConfigurationField) throws(BPFObjectError) -> [UInt8] {
    switch field.kind {
    case .bool where text != "m": return [text == "y" ? 1 : 0]
    case .character: return Array(text.utf8)
    case .tristate: return Self.littleEndian(text == "y" ? 1 : text == "m" ? 2 : 0, field.size)
    case .bool, .integer, .text: throw unfit(field, text)
    }
  }

  private func string(_ text: Substring, _ field: ConfigurationField) throws(BPFObjectError) -> [UInt8] {
    let inner = text.dropFirst().prefix { $0 != "\"" }.utf8
    guard field.kind == .text, text.utf8.count == inner.count + 2 else { throw unfit(field, text) }
    // Cut where the object's array ends, with its NUL.
    let kept = Array(inner.prefix(field.size - 1))
    return kept + [UInt8](repeating: 0, count: field.size - kept.count)
  }

  private func number(_ value: Int64, _ field: ConfigurationField) throws(BPFObjectError) -> [UInt8] {
    let isSigned: Bool
    switch field.kind {
    case .integer(let signed): isSigned = signed
    case .character: isSigned = false
    case .bool, .tristate, .text: throw unfit(field, Substring(String(value)))
    }
    let bits = field.size * 8
    if bits < 64 {
      let range = isSigned ? -(Int64(1) << (bits - 1))..<(Int64(1) << (bits - 1)) : 0..<(Int64(1) << bits)
      guard range.contains(value) else { throw unfit(field, Substring(String(value))) }
    }
    return Self.littleEndian(UInt64(bitPattern: value), field.size)
  }

  /// Decimal, `0x…` or octal, as strtoull reads it.
  private static func integer(_ text: Substring) -> Int64? {
    let isNegative = text.first == "-"
    let digits = isNegative ? text.dropFirst() : text
    let magnitude: UInt64?
    if digits.hasPrefix("0x") || digits.hasPrefix("0X") {
      magnitude = UInt64(digits.dropFirst(2), radix: 16)
    } else if digits.hasPrefix("0") {
      magnitude = UInt64(digits, radix: 8)
    } else {
      magnitude = UInt64(digits)
    }
    guard let magnitude else { return nil }
    let value = Int64(bitPattern: magnitude)
    return isNegative ? 0 &- value : value
  }

  private static func littleEndian(_ value: UInt64, _ size: Int) -> [UInt8] {
    (0..<size).map { UInt8(truncatingIfNeeded: value >> (UInt64($0) * 8)) }
  }

  private func unfit(_ field: ConfigurationField, _ text: Substring) -> BPFObjectError {
    BPFObjectError(
      .unsupportedExtern, "the kernel's `\(field.name)` is not what the object takes it for",
      expected: "\(field.kind), \(field.size) bytes", found: "`\(text)`")
  }
}

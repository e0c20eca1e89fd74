internal import Base

/// The fields of a decision in exactly the order and form in which the kernel prints them: nearly all records are such, and
/// one pass over the bytes reads them.
enum AccessFields {
  /// Nil for a record that is written otherwise, or is damaged.
  static func inTheKernelsOrder(_ body: ArraySlice<UInt8>) -> AccessRecord? {
    var rest = body
    while let last = rest.last, last <= 0x20 { rest.removeLast() }
    guard let operation = word(&rest, ipeOp), let hook = word(&rest, ipeHook), let enforcing = word(&rest, enforcing),
      enforcing.count == 1, let flag = enforcing.first, flag == 0x30 || flag == 0x31,
      let pid = word(&rest, pid).flatMap({ number($0) }).flatMap({ Int32(exactly: $0) }),
      let command = word(&rest, comm).flatMap({ AuditEncoding.decode($0) }),
      let path = word(&rest, path), let device = word(&rest, dev), let inode = word(&rest, ino),
      !operation.isEmpty, !hook.isEmpty, !inode.isEmpty, take(&rest, ruleStart), rest.last == 0x22
    else { return nil }
    rest.removeLast()
    guard rest.hasSuffix(allow) || rest.hasSuffix(deny) else { return nil }
    let file = AuditEncoding.decode(device).map {
      AccessRecord.File(path: AuditEncoding.decode(path), device: $0, inode: number(inode))
    }
    return AccessRecord(
      operation: String(decoding: operation, as: UTF8.self), hook: String(decoding: hook, as: UTF8.self),
      enforcing: flag == 0x31, pid: pid, command: command, file: file,
      rule: AuditEncoding.policyText(String(decoding: rest, as: UTF8.self)))
  }

  private static let ipeOp = Array("ipe_op=".utf8)
  private static let ipeHook = Array("ipe_hook=".utf8)
  private static let enforcing = Array("enforcing=".utf8)
  private static let pid = Array("pid=".utf8)
  private static let comm = Array("comm=".utf8)
  private static let path = Array("path=".utf8)
  private static let dev = Array("dev=".utf8)
  private static let ino = Array("ino=".utf8)
  private static let ruleStart = Array("rule=\"".utf8)
  private static let allow = Array("action=ALLOW".utf8)
  private static let deny = Array("action=DENY".utf8)

  private static func take(_ rest: inout ArraySlice<UInt8>, _ text: [UInt8]) -> Bool {
    guard rest.starts(with: text) else { return false }
    rest = rest.dropFirst(text.count)
    return true
  }

  /// The value of the field that comes next; it ends with a blank, and holds none.
  private static func word(_ rest: inout ArraySlice<UInt8>, _ name: [UInt8]) -> ArraySlice<UInt8>? {
    guard take(&rest, name), let blank = rest.firstIndex(of: 0x20) else { return nil }
    let value = rest[..<blank]
    rest = rest[(blank + 1)...]
    return value
  }

  private static func number(_ digits: ArraySlice<UInt8>) -> UInt64? {
    guard !digits.isEmpty, digits.count <= 19 else { return UInt64(String(decoding: digits, as: UTF8.self)) }
    var value: UInt64 = 0
    for digit in digits {
      guard 0x30...0x39 ~= digit else { return nil }
      value = value * 10 + UInt64(digit & 15)
    }
    return value
  }
}

extension ArraySlice<UInt8> {
  /// Whether these bytes stand at the end.
  func hasSuffix(_ end: [UInt8]) -> Bool { count >= end.count && suffix(end.count).elementsEqual(end) }
}

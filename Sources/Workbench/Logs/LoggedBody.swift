internal import Base

/// The fields of a record without what writers of logs add to them and change of them.
enum LoggedBody {
  private static let allow = Array("action=ALLOW\"".utf8)
  private static let deny = Array("action=DENY\"".utf8)

  /// The fields as the kernel has printed them.
  static func plain(_ body: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
    // Nearly all records end with their rule.
    if (body.hasSuffix(allow) || body.hasSuffix(deny)) && !body.contains(UInt8(ascii: "\\")) { return body }
    var body = body
    // auditd appends translated fields behind this byte; they repeat what the record says.
    if let separator = body.firstIndex(of: 0x1d) { body = body[..<separator] }
    if body.firstIndex(of: escapedQuote, rarest: 1) != nil { body = withoutBackslashes(body) }
    if let cut = enrichment(in: body) { body = body[..<cut] }
    while true {
      while let last = body.last, last <= 0x20 { body.removeLast() }
      guard let end = lineEnds.first(where: { body.hasSuffix($0) }) else { return body }
      body.removeLast(end.count)
    }
  }

  /// A line feed as syslog daemons write it.
  private static let lineEnds = ["#012", "#015", "\\012", "\\n"].map { Array($0.utf8) }
  private static let escapedQuote = Array("=\\\"".utf8)

  /// The byte 0x1d as rsyslog and other writers of text spell it.
  private static let separators = ["#035", "\\035", "\\x1d", "\\u001d", "\\u001D", "^]"].map { Array($0.utf8) }

  /// Where the translated fields begin. `#035` may be part of a name, but there neither does a quote or a value's end stand
  /// before it nor a field's name in capitals behind it.
  private static func enrichment(in body: ArraySlice<UInt8>) -> Int? {
    var first: Int?
    for separator in separators {
      var from: Int? = nil
      while let place = body.firstIndex(of: separator, from: from) {
        from = place + 1
        guard place > body.startIndex else { continue }
        let isBehindQuote = body[place - 1] == 0x22
        let name = body[(place + separator.count)...].prefix { 0x41...0x5a ~= $0 }
        let isField = !name.isEmpty && body[name.endIndex...].first == UInt8(ascii: "=")
        guard isBehindQuote || isField else { continue }
        first = min(first ?? place, place)
        break
      }
    }
    return first
  }

  /// A message that a writer of `key="value"` lines has quoted: without its backslashes, up to the quote that ends it.
  private static func withoutBackslashes(_ body: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
    var text: [UInt8] = []
    var isEscaped = false
    for byte in body {
      if isEscaped {
        text.append(byte)
        isEscaped = false
      } else if byte == UInt8(ascii: "\\") {
        isEscaped = true
      } else if byte == 0x22 {
        break
      } else {
        text.append(byte)
      }
    }
    return text[...]
  }
}

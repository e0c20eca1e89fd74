internal import Base
internal import COpenSSL

/// The blocks of a PEM text (RFC 7468): base64 between a line `-----BEGIN LABEL-----` and one `-----END LABEL-----`.
///
/// OpenSSL's readers take a damaged block for the end of the text, and a damaged boundary for no boundary at all; either
/// way what stands behind it is gone without a word. So the boundaries are looked for here, and each block is decoded by
/// itself. Other text between blocks is allowed, as `openssl x509 -text` writes it.
struct PEMText {
  struct Block: Equatable {
    /// From 1, over blocks of all labels.
    let number: Int
    let label: String
    /// With its boundaries.
    let range: Range<Int>
  }

  /// The labels of a certificate; the second is OpenSSL's old one.
  static let certificateLabels = ["CERTIFICATE", "X509 CERTIFICATE"]
  private static let dashes = "-----"

  let bytes: [UInt8]
  let blocks: [Block]

  /// Finds the blocks.
  ///
  /// - Throws: ``SignatureError/damagedBlock(number:reason:)`` for a block that is cut, and for a boundary that is damaged.
  init(_ bytes: [UInt8]) throws(SignatureError) {
    var blocks: [Block] = []
    var open: (label: String, start: Int)?
    var start = 0
    while start < bytes.count {
      let end = bytes[start...].firstIndex(of: UInt8(ascii: "\n")) ?? bytes.count
      let next = min(end + 1, bytes.count)
      defer { start = next }
      // Lines of base64 are most of the text, and have no dashes.
      guard bytes[start..<end].contains(UInt8(ascii: "-")) else { continue }
      let line = Self.trimmed(bytes[start..<end])
      let number = blocks.count + 1
      if let label = Self.label(of: line, after: "BEGIN ") {
        guard open == nil else { throw .damagedBlock(number: number, reason: "it has no end") }
        open = (label, start)
      } else if let label = Self.label(of: line, after: "END ") {
        guard let begun = open else { throw .damagedBlock(number: number, reason: "it has no beginning") }
        guard begun.label == label else {
          throw .damagedBlock(number: number, reason: "it begins as `\(begun.label)` and ends as `\(label)`")
        }
        blocks.append(Block(number: number, label: label, range: begun.start..<next))
        open = nil
      } else if Self.isDamaged(line, isLast: next == bytes.count && end == next) {
        throw .damagedBlock(number: number, reason: "a boundary of it is damaged: `\(line.prefix(80))`")
      }
    }
    guard open == nil else { throw .damagedBlock(number: blocks.count + 1, reason: "it has no end") }
    self.bytes = bytes
    self.blocks = blocks
  }

  /// What a block holds, out of base64.
  func contents(of block: Block) throws(SignatureError) -> [UInt8] {
    let text = Array(bytes[block.range])
    return try unsafe OpenSSL.bytes(
      { count in unsafe text.withUnsafeBytes { unsafe vb_pem_decode($0.baseAddress, $0.count, count) } },
      orThrow: { reason in
        // Base64 has no colons; the headers of RFC 1421 are those of an encrypted block, which asks for a pass phrase.
        let hasHeaders = text.contains(UInt8(ascii: ":"))
        return .damagedBlock(number: block.number, reason: hasHeaders ? "it has headers of an encrypted block" : reason)
      })
  }

  /// A line as text, without the white space at its end.
  private static func trimmed(_ line: ArraySlice<UInt8>) -> String {
    var line = line
    while let last = line.last, last <= 0x20 { line.removeLast() }
    return String(decoding: line, as: UTF8.self)
  }

  private static func label(of line: String, after word: String) -> String? {
    let opening = "\(dashes)\(word)"
    guard line.hasPrefix(opening), line.hasSuffix(dashes), line.utf8.count > opening.utf8.count + dashes.utf8.count
    else { return nil }
    return String(line.dropFirst(opening.count).dropLast(dashes.count))
  }

  /// Whether a line that is no boundary was one: it has a boundary's dashes or words in it. A line of dashes alone is an
  /// ornament, but at the end of a text that was cut.
  private static func isDamaged(_ line: String, isLast: Bool) -> Bool {
    if line.utf8.allSatisfy({ $0 == UInt8(ascii: "-") }) { return isLast || line.utf8.count == dashes.utf8.count }
    return line.mentions(dashes) || line.mentions("--BEGIN ") || line.mentions("--END ")
  }
}

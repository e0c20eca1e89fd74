/// Whether a line may have to do with IPE or with this program. Nearly all lines of a log do not, and this is all that is
/// done with them: one pass, without a copy.
enum LineFilter {
  /// False only for a line that ``LogLine`` makes nothing of.
  static func mayHoldRecord(_ line: ArraySlice<UInt8>) -> Bool {
    if mayBeginOwn(line) || mayEndRecord(line) { return true }
    return unsafe line.withUnsafeBytes { bytes in
      var place = 2
      let end = bytes.count
      // Each place is that of a letter in the middle of what is looked for, so that little else is looked at.
      while place < end {
        let byte = unsafe bytes[place]
        if byte == UInt8(ascii: "e") {
          // `ipe_op=`, `lsm=ipe`
          if unsafe bytes[place - 1] == UInt8(ascii: "p") && bytes[place - 2] == UInt8(ascii: "i") { return true }
        } else if byte == UInt8(ascii: "E") {
          // `IPE_ACCESS`, and `"MESSAGE":[` with the bytes of a message that is no text
          if unsafe bytes[place - 1] == UInt8(ascii: "P") && bytes[place - 2] == UInt8(ascii: "I") { return true }
          if unsafe bytes[place - 1] == UInt8(ascii: "G") && bytes[place - 2] == UInt8(ascii: "A") {
            if unsafe bytes[(place + 1)...].prefix(5).contains(UInt8(ascii: "[")) { return true }
          }
        } else if byte == UInt8(ascii: "2") {
          // `type=1420`, `UNKNOWN[1421]`, `AUDIT1422`, `"1420"`
          if unsafe place > 2 && bytes[place - 1] == UInt8(ascii: "4") && bytes[place - 2] == UInt8(ascii: "1") {
            if typeMarks.contains(unsafe bytes[place - 3]) { return true }
          }
        } else if byte == UInt8(ascii: "-") {
          // `verity-bpf/audit/`
          if unsafe bytes[place - 1] == UInt8(ascii: "y") && bytes[place - 2] == UInt8(ascii: "t") { return true }
        }
        place += 1
      }
      return false
    }
  }

  /// The first bytes of a record of `audit.jsonl`.
  static let ownStart = Array("{\"schema\":\"verity-bpf/audit/".utf8)

  /// Whether that is a record of `audit.jsonl` that was cut in its first bytes.
  static func mayBeginOwn(_ line: ArraySlice<UInt8>) -> Bool {
    2...ownStart.count ~= line.count && ownStart.starts(with: line)
  }

  /// What stands before the number of a record's type.
  private static let typeMarks = Array("=[T\"".utf8)
  private static let allow = Array("action=ALLOW\"".utf8)
  private static let deny = Array("action=DENY\"".utf8)
  private static let blob = Array("blob data]".utf8)

  /// Whether a record may end here that began elsewhere, or one that the journal does not show.
  static func mayEndRecord(_ line: ArraySlice<UInt8>) -> Bool {
    line.hasSuffix(allow) || line.hasSuffix(deny) || line.hasSuffix(blob)
  }
}

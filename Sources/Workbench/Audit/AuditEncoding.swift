internal import Base

/// How the kernel writes strings from outside into audit records (kernel/audit.c).
public enum AuditEncoding {
  /// `audit_log_untrustedstring`: in quotes, or as bare upper-case hex when a byte is a quote, below 0x21 or above
  /// 0x7e. No string can end its field or begin another record.
  public static func untrusted(_ bytes: some Collection<UInt8>) -> String {
    let isPlain = bytes.allSatisfy { $0 >= 0x21 && $0 <= 0x7e && $0 != 0x22 }
    return isPlain ? "\"" + String(decoding: Array(bytes), as: UTF8.self) + "\"" : upperHex(bytes)
  }

  /// `audit_log_n_hex`: two upper-case digits a byte.
  public static func upperHex(_ bytes: some Collection<UInt8>) -> String { Hex.encode(Array(bytes)).uppercased() }

  /// The bytes behind a field's value: between quotes, or spelled in hex; nil for `?` and for what is neither.
  public static func decode(_ field: some Collection<UInt8>) -> [UInt8]? {
    if field.first == 0x22, field.count >= 2 {
      let inner = field.dropFirst()
      return inner.reversed().first == 0x22 ? Array(inner.prefix(inner.count - 1)) : nil
    }
    return field.isEmpty ? nil : Hex.decode(digits: field)
  }

  /// A rule in the form of IPE's record: a digest is printed as `"alg":HEX` (`ipe_digest_audit`), so that quotes
  /// stand inside the quotes of the rule.
  ///
  /// - Parameter policyText: the rule as policies write it, with single spaces.
  public static func rule(_ policyText: String) -> String {
    mapDigests(policyText) { algorithm, digits in
      (untrusted(Array(algorithm.utf8)), digits.uppercased())
    }
  }

  /// A rule from a record, as policies write it.
  public static func policyText(_ rule: String) -> String {
    mapDigests(rule) { algorithm, digits in
      let bytes = decode(Array(algorithm.utf8)) ?? Array(algorithm.utf8)
      // Other bytes than these would end the word or the rule, so they stay spelled in hex, as the kernel prints them.
      let isPlain = bytes.allSatisfy { $0 > 0x20 && $0 < 0x7f && $0 != 0x22 && $0 != 0x3a }
      return (isPlain ? String(decoding: bytes, as: UTF8.self) : upperHex(bytes), digits.lowercased())
    }
  }

  /// Rewrites the `alg:hex` values of IPE's digest properties; what is none is left alone.
  private static func mapDigests(
    _ rule: String, _ change: (_ algorithm: Substring, _ digits: Substring) -> (String, String)
  ) -> String {
    let names = ["dmverity_roothash=", "fsverity_digest="]
    guard names.contains(where: { rule.mentions($0) }) else { return rule }
    return rule.utf8.split(separator: 0x20, omittingEmptySubsequences: false).map { word in
      for name in names where word.starts(with: name.utf8) {
        let value = word.dropFirst(name.utf8.count)
        guard let colon = value.firstIndex(of: 0x3a) else { break }
        let digits = value[value.index(after: colon)...]
        guard digits.allSatisfy({ Hex.decode(digits: [0x30, $0]) != nil }) else { break }
        let (algorithm, hex) = change(Substring(value[..<colon]), Substring(digits))
        return "\(name)\(algorithm):\(hex)"
      }
      return String(Substring(word))
    }.separated(by: " ")
  }
}

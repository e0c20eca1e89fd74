import Base
import Signatures
import Trust

/// Certificates in PEM, with whatever stands around them, and in DER.
enum CertificateTarget {
  static func check(_ bytes: [UInt8]) throws(BrokenPromise) -> Bool {
    let text = try checkText(bytes)
    // Most changes of base64 are of no DER: an input may be a certificate itself.
    let der = try checkText(pem(bytes))
    return text || der
  }

  private static func pem(_ der: [UInt8]) -> [UInt8] {
    let digits = Array(Base64.encode(der).utf8)
    var text = Array("-----BEGIN CERTIFICATE-----\n".utf8)
    for start in stride(from: 0, to: digits.count, by: 64) {
      text += digits[start..<min(start + 64, digits.count)] + [0x0a]
    }
    return text + Array("-----END CERTIFICATE-----\n".utf8)
  }

  /// What a text is to a reader of certificates.
  private enum Reading {
    case certificates([Digest])
    /// Other things, and no certificate.
    case nothing
    case refused
  }

  private static func checkText(_ text: [UInt8]) throws(BrokenPromise) -> Bool {
    let reading = try read(text)
    // At its very end a line of dashes may be what is left of a boundary.
    let closed = text.last == 0x0a ? text : text + [0x0a]
    try checkNeighbours(of: closed, try read(closed))
    guard case .certificates(let fingerprints) = reading else { return false }
    try accepts { try checkEntries(Certificates(pem: text).entries()) }
    try checkTrust(text, fingerprints)
    return true
  }

  private static func read(_ text: [UInt8]) throws(BrokenPromise) -> Reading {
    var reading = Reading.refused
    try accepts {
      do {
        let certificates = try Certificates(pem: text)
        let fingerprints = try certificates.fingerprints()
        try require(
          certificates.count == blocks(of: text) && fingerprints.count == certificates.count,
          "each block of a certificate counts, or the text is refused")
        reading = .certificates(fingerprints)
      } catch let error as SignatureError {
        if case .noCertificate = error {
          try require(blocks(of: text) == 0, "a text without certificates has no block of one")
          reading = .nothing
        }
        throw error
      }
    }
    return reading
  }

  /// Beginnings of certificates' blocks, counted without looking at anything else.
  private static func blocks(of text: [UInt8]) -> Int {
    text.split(separator: 0x0a).count(where: { line in
      ["-----BEGIN CERTIFICATE-----", "-----BEGIN X509 CERTIFICATE-----"].contains { line.starts(with: $0.utf8) }
    })
  }

  /// A certificate by itself is the same certificate.
  private static func checkEntries(_ entries: [Certificates.Entry]) throws(BrokenPromise) {
    for entry in entries {
      let again = try keep("a certificate that was written can be read") { () throws(SignatureError) in
        try Certificates(pem: entry.pem).entries()
      }
      try require(again == [entry], "a certificate comes back as it was written")
      try require(!entry.facts.isValid(at: .max) || entry.facts.notAfter == .max, "a certificate ends to be valid")
    }
  }

  /// Between two certificates a text takes neither of them away: a block that cannot be read is no end of the file.
  private static func checkNeighbours(of text: [UInt8], _ reading: Reading) throws(BrokenPromise) {
    let whole = Fixtures.signer + text + Fixtures.stranger
    let found = try? Certificates(pem: whole).fingerprints()
    let own: [Digest]? =
      switch reading {
      case .certificates(let fingerprints): fingerprints
      case .nothing: []
      case .refused: nil
      }
    try require(
      found == own.map { Fixtures.trusted.fingerprints + $0 + Fixtures.strangers.fingerprints },
      "between two certificates a text is what it is alone, and takes none away")
  }

  /// A policy is trusted by those certificates that have the signer's among them.
  private static func checkTrust(_ text: [UInt8], _ own: [Digest]) throws(BrokenPromise) {
    let message = Fixtures.policyMessage
    let verdict = Trust.none.trusting(only: text, set: "fuzz").judge(.policy(message), at: Fixtures.time)
    let isNamed = own.contains { Fixtures.trusted.fingerprints.contains($0) }
    switch verdict {
    case .trusted(let voucher):
      try require(isNamed && voucher.policy == Fixtures.policy, "a policy is trusted for its signer's certificate")
    case .untrusted, .malformed, .unchecked:
      try require(!isNamed, "a policy is trusted where its signer's certificate is")
    case .expired, .wrongPurpose, .unsigned, .nobodyTrusted, .revoked:
      throw BrokenPromise("a policy is trusted, or not: \(verdict)")
    }
  }
}

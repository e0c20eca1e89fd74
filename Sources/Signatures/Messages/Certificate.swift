public import Base
internal import COpenSSL

/// X.509 certificates that are trusted because they were named: no chain leads to them, and none is followed.
@safe
public struct Certificates: ~Copyable {
  let set: OpenSSLReference<CertificatesObject>
  /// What is in the PEM text besides certificates, and was passed over: keys, by the number of their block and its label.
  public let keys: [(block: Int, label: String)]

  /// Reads every certificate of a PEM text. Private and public keys may stand beside them, as in files that a server
  /// reads; nothing else may, because it could be meant to take trust away.
  ///
  /// - Parameter passesOverUnsupportedKeys: whether a certificate with a key that OpenSSL cannot use is left out, as if it
  ///   were not in the file, as long as there is another one.
  /// - Throws: ``SignatureError/noCertificate(reason:)`` when there is none,
  ///   ``SignatureError/damagedBlock(number:reason:)`` for one that cannot be read,
  ///   ``SignatureError/unsupportedKey(algorithm:reason:)`` for a key that OpenSSL cannot use.
  public init(pem: [UInt8], passesOverUnsupportedKeys: Bool = false) throws(SignatureError) {
    try unsafe self.init(pem: pem, passesOverUnsupportedKeys: passesOverUnsupportedKeys, context: nil)
  }

  /// Reads them for signing, with a key of the signing context.
  init(signersIn pem: [UInt8]) throws(SignatureError) {
    try unsafe self.init(pem: pem, passesOverUnsupportedKeys: false, context: OpenSSL.signingContext())
  }

  private init(
    pem: [UInt8], passesOverUnsupportedKeys: Bool, context: OpaquePointer?
  ) throws(SignatureError) {
    guard !pem.isEmpty else { throw .noCertificate(reason: "it is empty") }
    let set = try unsafe OpenSSLReference<CertificatesObject> { unsafe vb_certificates_new() }
    var keys: [(block: Int, label: String)] = []
    var passedOver: SignatureError?
    let text = try PEMText(pem)
    for block in text.blocks {
      guard PEMText.certificateLabels.contains(block.label) else {
        guard Self.isKey(block.label) else {
          throw .damagedBlock(number: block.number, reason: "it is a `\(block.label)` and no certificate")
        }
        keys.append((block.number, block.label))
        continue
      }
      let der = try text.contents(of: block)
      let certificate = try unsafe OpenSSLReference<CertificateObject>(
        { unsafe der.withUnsafeBufferPointer { unsafe vb_certificate_read($0.baseAddress, $0.count, context) } },
        orThrow: { .damagedBlock(number: block.number, reason: $0) })
      if let refusal = Self.keyRefusal(of: certificate) {
        guard passesOverUnsupportedKeys else { throw refusal }
        passedOver = passedOver ?? refusal
        continue
      }
      try OpenSSL.perform { unsafe vb_certificates_add(set.pointer, certificate.pointer) }
    }
    guard unsafe vb_certificates_count(set.pointer) > 0 else {
      throw passedOver ?? .noCertificate(reason: "no block `-----BEGIN CERTIFICATE-----`")
    }
    self.set = set
    self.keys = keys
  }

  /// Whether a block is of a key, or of what OpenSSL writes before one.
  private static func isKey(_ label: String) -> Bool {
    label == "PRIVATE KEY" || label == "PUBLIC KEY" || label.hasSuffix(" PRIVATE KEY")
      || label.hasSuffix(" PUBLIC KEY") || label.hasSuffix(" PARAMETERS")
  }

  /// Why a certificate's key can check no signature; nil when it can. A certificate whose key OpenSSL cannot decode is
  /// whole in every other way, and its key then is a null pointer that not every function of OpenSSL expects.
  private static func keyRefusal(of certificate: borrowing OpenSSLReference<CertificateObject>) -> SignatureError? {
    do throws(SignatureError) {
      let pointer = unsafe certificate.pointer
      try OpenSSL.perform({ unsafe vb_certificate_has_key(pointer) }) { reason in
        let algorithm = unsafe withUnsafeTemporaryAllocation(of: CChar.self, capacity: 256) { text -> String? in
          guard let start = text.baseAddress,
            OpenSSL.isDone({ unsafe vb_certificate_algorithm(pointer, start, Int32(clamping: text.count)) })
          else { return nil }
          return unsafe String(cString: start)
        }
        return .unsupportedKey(algorithm: algorithm, reason: reason)
      }
      return nil
    } catch {
      return error
    }
  }

  /// How many there are: one or more.
  public var count: Int { Int(unsafe vb_certificates_count(set.pointer)) }

  /// One of them, from 0.
  borrowing func certificate(at index: Int) throws(SignatureError) -> OpenSSLReference<CertificateObject> {
    let pointer = unsafe set.pointer
    return try unsafe OpenSSLReference(
      { unsafe vb_certificates_at(pointer, Int32(clamping: index)) },
      orThrow: { _ in .noCertificate(reason: "certificate \(index + 1) is not there") })
  }

  /// SHA-256 over the DER form of each, the `x_signer=` of a policy.
  public func fingerprints() throws(SignatureError) -> [Digest] {
    var result: [Digest] = []
    for index in 0..<count { result.append(try Self.fingerprint(of: certificate(at: index))) }
    return result
  }

  /// A certificate by itself.
  public struct Entry: Sendable, Equatable {
    /// SHA-256 over its DER form.
    public let fingerprint: Digest
    public let facts: CertificateFacts
    /// The same certificate in PEM, with nothing around it.
    public let pem: [UInt8]
  }

  /// Each of them.
  public func entries() throws(SignatureError) -> [Entry] {
    var result: [Entry] = []
    for index in 0..<count {
      let certificate = try certificate(at: index)
      let pointer = unsafe certificate.pointer
      result.append(
        Entry(
          fingerprint: try Self.fingerprint(of: certificate), facts: try CertificateFacts(certificate),
          pem: try unsafe OpenSSL.bytes { count in unsafe vb_certificate_pem(pointer, count) }))
    }
    return result
  }

  /// SHA-256 over a certificate's DER form.
  static func fingerprint(
    of certificate: borrowing OpenSSLReference<CertificateObject>
  ) throws(SignatureError) -> Digest {
    let pointer = unsafe certificate.pointer
    let der = try unsafe OpenSSL.bytes { count in unsafe vb_certificate_der(pointer, count) }
    do throws(HashingError) {
      var state = try HashState(.sha256)
      state.update(der.rawSpan)
      return try state.finish()
    } catch {
      throw .openSSL(reason: error.description)
    }
  }
}

public import Base
internal import COpenSSL
internal import func Glibc.strerror

/// X.509 certificates that are trusted because they were named: no chain leads to them, and none is followed.
@safe
public struct Certificates: ~Copyable {
  // Owned by this value alone: made in `init`, freed in `deinit`.
  let stack: OpaquePointer

  /// Reads every certificate of a PEM file.
  ///
  /// - Parameter passesOverUnsupportedKeys: whether a certificate with a key that OpenSSL cannot use is left out, as if it
  ///   were not in the file, as long as there is another one.
  /// - Throws: ``SignatureError/noCertificate(reason:)`` when there is none,
  ///   ``SignatureError/unsupportedKey(algorithm:reason:)`` for a key that OpenSSL cannot use.
  public init(pem: [UInt8], passesOverUnsupportedKeys: Bool = false) throws(SignatureError) {
    guard let stack = unsafe vb_certificates_new() else { throw .openSSL(reason: "out of memory") }
    var passedOver: SignatureError?
    do throws(SignatureError) {
      try unsafe MemoryBIO.reading(pem) { bio throws(SignatureError) in
        while let certificate = unsafe PEM_read_bio_X509(bio, nil, nil, nil) {
          if let refusal = unsafe Self.keyRefusal(of: certificate) {
            unsafe X509_free(certificate)
            guard passesOverUnsupportedKeys else { throw refusal }
            passedOver = passedOver ?? refusal
            continue
          }
          guard unsafe vb_certificates_add(stack, certificate) > 0 else {
            unsafe X509_free(certificate)
            throw .openSSL(reason: "out of memory")
          }
        }
      }
      // Reading past the last certificate leaves an error that means nothing.
      let reason = OpenSSLErrors.take()
      guard unsafe vb_certificates_count(stack) > 0 else { throw passedOver ?? .noCertificate(reason: reason) }
    } catch {
      unsafe vb_certificates_free(stack)
      throw error
    }
    unsafe self.stack = stack
  }

  deinit { unsafe vb_certificates_free(stack) }

  /// Why a certificate's key can check no signature; nil when it can. A certificate whose key OpenSSL cannot decode is
  /// whole in every other way, and its key then is a null pointer that not every function of OpenSSL expects.
  private static func keyRefusal(of certificate: OpaquePointer) -> SignatureError? {
    guard unsafe X509_get0_pubkey(certificate) == nil else { return nil }
    let reason = OpenSSLErrors.take()
    let algorithm = unsafe withUnsafeTemporaryAllocation(of: CChar.self, capacity: 256) { text -> String? in
      guard let start = text.baseAddress, unsafe vb_key_algorithm(certificate, start, Int32(clamping: text.count)) != 0
      else { return nil }
      return unsafe String(cString: start)
    }
    _ = OpenSSLErrors.take()
    return .unsupportedKey(algorithm: algorithm, reason: reason)
  }

  /// How many there are: one or more.
  public var count: Int { Int(unsafe vb_certificates_count(stack)) }

  /// SHA-256 over the DER form of each, the `x_signer=` of a policy.
  public func fingerprints() throws(SignatureError) -> [Digest] {
    var result: [Digest] = []
    for index in 0..<Int32(clamping: count) {
      guard let certificate = unsafe vb_certificates_at(stack, index) else {
        throw .openSSL(reason: "certificate \(index + 1) is not there")
      }
      result.append(try unsafe Self.fingerprint(of: certificate))
    }
    return result
  }

  /// SHA-256 over a certificate's DER form.
  static func fingerprint(of certificate: OpaquePointer) throws(SignatureError) -> Digest {
    var der: UnsafeMutablePointer<UInt8>?
    let count = unsafe i2d_X509(certificate, &der)
    guard count > 0, let address = unsafe der else { throw .openSSL(reason: OpenSSLErrors.take()) }
    defer { unsafe CRYPTO_free(address, nil, 0) }
    let bytes = unsafe [UInt8](UnsafeBufferPointer(start: address, count: Int(count)))
    do throws(HashingError) {
      var state = try HashState(.sha256)
      state.update(bytes.rawSpan)
      return try state.finish()
    } catch {
      throw .openSSL(reason: error.description)
    }
  }
}

/// OpenSSL's queue of errors, taken as one text.
enum OpenSSLErrors {
  /// Empties the queue of this thread and returns its last reason; `unknown reason` when it was empty. Where libcrypto
  /// could not be opened, that is the reason.
  static func take() -> String {
    if let problem = unsafe vb_libcrypto_problem() { return unsafe String(cString: problem) }
    var last: UInt = 0
    while true {
      let code = ERR_get_error()
      if code == 0 { break }
      last = UInt(code)
    }
    // The system's own errors have their number and a bit (`ERR_SYSTEM_FLAG` of openssl/err.h).
    if last & 0x8000_0000 != 0, let text = unsafe strerror(Int32(truncatingIfNeeded: last & 0x7fff_ffff)) {
      return unsafe String(cString: text)
    }
    guard last != 0, let text = unsafe ERR_reason_error_string(last) else { return "unknown reason" }
    return unsafe String(cString: text)
  }
}

/// OpenSSL's view of bytes in memory.
enum MemoryBIO {
  /// Lends a BIO that reads the bytes.
  static func reading(
    _ bytes: [UInt8], _ body: (OpaquePointer) throws(SignatureError) -> Void
  ) throws(SignatureError) {
    // The BIO reads the array's own memory, which outlives it.
    let failure: SignatureError? = unsafe bytes.withUnsafeBytes { buffer in
      guard let count = Int32(exactly: buffer.count), let bio = unsafe BIO_new_mem_buf(buffer.baseAddress, count) else {
        return .openSSL(reason: "the bytes do not fit a memory BIO")
      }
      defer { unsafe BIO_free(bio) }
      do throws(SignatureError) {
        unsafe try body(bio)
        return nil
      } catch {
        return error
      }
    }
    if let failure { throw failure }
  }

  /// What was written to a memory BIO.
  static func contents(_ bio: OpaquePointer) -> [UInt8] {
    var address: UnsafePointer<UInt8>?
    let count = unsafe vb_bio_contents(bio, &address)
    guard count > 0, let start = unsafe address else { return [] }
    return unsafe [UInt8](UnsafeBufferPointer(start: start, count: count))
  }
}

internal import COpenSSL
internal import func Glibc.strerror

/// Calls into libcrypto. What a call answers is an optional or a `vb_outcome`, and becomes a value or an error here: each
/// begins with an empty queue of errors, so that no error is taken for another call's.
enum OpenSSL {
  /// Why the last call failed; empties this thread's queue of errors. Where libcrypto could not be opened, that is the
  /// reason.
  static func reason() -> String {
    if let problem = unsafe vb_libcrypto_problem() { return unsafe String(cString: problem) }
    var last: UInt = 0
    while true {
      let code = vb_errors_take()
      if code == 0 { break }
      last = UInt(code)
    }
    // The system's own errors have their number and a bit (`ERR_SYSTEM_FLAG` of openssl/err.h).
    if last & 0x8000_0000 != 0, let text = unsafe strerror(Int32(truncatingIfNeeded: last & 0x7fff_ffff)) {
      return unsafe String(cString: text)
    }
    guard last != 0, let text = unsafe vb_error_text(last) else { return "unknown reason" }
    return unsafe String(cString: text)
  }

  /// Does a step, or throws what the error is made of its reason.
  static func perform(
    _ step: () -> vb_outcome, orThrow failure: (String) -> SignatureError = { .openSSL(reason: $0) }
  ) throws(SignatureError) {
    guard isDone(step) else { throw failure(reason()) }
  }

  /// Whether a step was done, for those whose failure is an answer.
  static func isDone(_ step: () -> vb_outcome) -> Bool {
    vb_errors_clear()
    return step().code == 1
  }

  /// Bytes that OpenSSL made, copied.
  ///
  /// - Parameter make: gets the address of their number.
  static func bytes(
    _ make: (UnsafeMutablePointer<Int>) -> UnsafeMutablePointer<UInt8>?,
    orThrow failure: (String) -> SignatureError = { .openSSL(reason: $0) }
  ) throws(SignatureError) -> [UInt8] {
    vb_errors_clear()
    var count = 0
    guard let address = unsafe make(&count) else { throw failure(reason()) }
    defer { unsafe vb_bytes_free(address) }
    return unsafe [UInt8](UnsafeBufferPointer(start: address, count: count))
  }

  /// The context that signs, see `vb_signing_context`.
  static func signingContext() throws(SignatureError) -> OpaquePointer {
    vb_errors_clear()
    guard let context = unsafe vb_signing_context() else { throw .configuration(reason: reason()) }
    return unsafe context
  }
}

/// What OpenSSL counts the references of.
protocol OpenSSLObject {
  /// Lets a reference go.
  static func free(_ object: OpaquePointer)
}

/// One reference to an object of OpenSSL's, let go with this value. There is none to nothing: a call that failed throws.
@safe
struct OpenSSLReference<Object: OpenSSLObject>: ~Copyable {
  /// For the time of a call.
  let pointer: OpaquePointer

  /// Takes over what a call returns, or throws what the error is made of its reason.
  init(
    _ make: () -> OpaquePointer?, orThrow failure: (String) -> SignatureError = { .openSSL(reason: $0) }
  ) throws(SignatureError) {
    vb_errors_clear()
    guard let made = unsafe make() else { throw failure(OpenSSL.reason()) }
    unsafe pointer = made
  }

  deinit { unsafe Object.free(pointer) }
}

enum CertificateObject: OpenSSLObject {
  static func free(_ object: OpaquePointer) { unsafe vb_certificate_free(object) }
}

enum CertificatesObject: OpenSSLObject {
  static func free(_ object: OpaquePointer) { unsafe vb_certificates_free(object) }
}

enum PrivateKeyObject: OpenSSLObject {
  static func free(_ object: OpaquePointer) { unsafe vb_private_key_free(object) }
}

enum MessageObject: OpenSSLObject {
  static func free(_ object: OpaquePointer) { unsafe vb_message_free(object) }
}

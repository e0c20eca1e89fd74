import Linux
import TestSupport
import Testing

/// Calls into libcrypto and libcryptsetup whose result is not looked at do not compile.
@Suite struct ForeignResultTests {
  /// What the compiler says of a piece of Swift, with warnings as errors as the package has them; empty when it takes it.
  private func complaints(about code: String) throws -> String {
    let directory = try TemporaryDirectory()
    try directory.write(
      "code.swift", "import COpenSSL\nimport CCryptsetup\nfunc take(_ pointer: OpaquePointer) {}\n\(code)\n")
    let result = try Subprocess.run([
      "swiftc", "-typecheck", "-warnings-as-errors", "-swift-version", "6", "-I",
      "\(Tools.repository)/Sources/CShims/include", directory.file("code.swift"),
    ])
    return result.status == 0 ? "" : result.text
  }

  @Test func whatIsLookedAtCompiles() throws {
    let text = try complaints(
      about: """
        func good(_ certificate: OpaquePointer, _ key: OpaquePointer) -> Bool {
          guard let set = vb_certificates_new() else { return false }
          defer { vb_certificates_free(set) }
          return vb_certificates_add(set, certificate).code == 1 && vb_certificate_fits(certificate, key).code == 1
        }
        """)
    #expect(text.isEmpty, "\(text)")
  }

  @Test(arguments: [
    // A pointer that may be NULL, used as if it were there.
    ("func f() { take(vb_certificates_new()) }", "must be unwrapped"),
    ("func f(_ s: OpaquePointer) { vb_certificate_free(vb_certificates_at(s, 0)) }", "must be unwrapped"),
    // Results that are dropped.
    ("func f(_ s: OpaquePointer, _ c: OpaquePointer) { vb_certificates_add(s, c) }", "unused"),
    ("func f() { vb_signing_context() }", "unused"),
    ("func f(_ d: OpaquePointer) { vb_digest_update(d, nil, 0) }", "unused"),
    ("func f(_ n: String) { vb_verity_deactivate(n, nil, 0) }", "unused"),
    // A code taken for a number or a truth.
    ("func f(_ c: OpaquePointer) -> Bool { vb_certificate_has_key(c) > 0 }", "error:"),
    ("func f(_ c: OpaquePointer) -> Int32 { vb_certificate_has_key(c) }", "cannot convert"),
    // OpenSSL's own names.
    ("func f(_ c: OpaquePointer) { X509_free(c) }", "cannot find"),
  ])
  func whatIsNotLookedAtDoesNot(code: String, complaint: String) throws {
    let text = try complaints(about: code)
    #expect(text.contains(complaint), "\(text)")
  }
}

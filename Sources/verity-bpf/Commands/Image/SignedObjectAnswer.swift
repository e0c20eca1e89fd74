import ByteKit
import Diagnostics
import Hashing
import JSONText
import LinuxSys
import ObjectSignature
import Provenance
import Signatures
import TrustAnchors

/// What `verity-bpf verify` says of a signed BPF object.
enum SignedObjectAnswer {
  static let schema = "verity-bpf/verify-object/1"

  /// Whether a file is an ELF file; images begin otherwise.
  static func isObject(_ path: String) throws -> Bool {
    // Anything else is for the opener of images to refuse; a FIFO would wait for its writer.
    guard try FileStatus.of(path: path).kind == .regular else { return false }
    let file = try OwnedFD.open(path, .readOnly)
    var start: [UInt8] = [0, 0, 0, 0]
    var span = start.mutableSpan
    var view = unsafe span.mutableBytes
    return try file.readFully(at: 0, into: &view) && start == [0x7f, 0x45, 0x4c, 0x46]
  }

  /// Checks the signature, and prints the answer; returns the exit code.
  ///
  /// - Parameters:
  ///   - pem: the certificates of those whose signatures count.
  ///   - revocations: what counts no more.
  static func verify(
    _ path: String, trusted pem: [UInt8], revocations: Revocations, asJSON: Bool
  ) throws -> Int32 {
    let bytes = try PolicyFile.read(path)
    do {
      guard ObjectVerifier.isSigned(bytes.rawSpan) else { throw ObjectSignatureError.unsigned }
      guard !pem.isEmpty else { throw DiagnosedFailure(noCertificate(path)) }
      let trusted = try Certificates(pem: pem)
      let signature = try verified(bytes, trusted: trusted)
      if let refusal = signature.certificate.refusal(at: Timestamp.now().seconds) { throw refusal }
      for (kind, digest) in [
        (Revocations.Kind.object, try Digest.of(bytes.rawSpan)), (.object, signature.content),
        (.signer, signature.signer),
      ] where revocations.contains(kind, digest) {
        throw ProvenanceError.revoked(kind: kind.rawValue, digest: digest)
      }
      if asJSON { try Output.json(json(path, signature)) } else { try printText(path, signature) }
      return 0
    } catch let error as any Diagnosable where error.diagnostic.category == .integrity {
      var diagnostic = error.diagnostic
      diagnostic.message = "`\(path)`: \(diagnostic.message)"
      Output.report(diagnostic)
      if asJSON {
        try Output.json([
          "schema": .string(schema), "verdict": "refused", "object": .string(path), "error": diagnostic.json,
        ])
      } else {
        try Output.line("\(path): NO VALID SIGNATURE")
      }
      return diagnostic.category.rawValue
    }
  }

  /// What cannot be read as an object any more was changed after it was signed.
  private static func verified(_ bytes: [UInt8], trusted: borrowing Certificates) throws -> VerifiedSignature {
    do throws(ObjectSignatureError) {
      return try ObjectVerifier.verify(bytes.rawSpan, trusted: trusted)
    } catch {
      guard case .object = error else { throw error }
      var diagnostic = error.diagnostic
      diagnostic.category = .integrity
      throw DiagnosedFailure(diagnostic)
    }
  }

  private static func noCertificate(_ path: String) -> Diagnostic {
    Diagnostic(
      "verify.no-certificate", .usage, "no certificate to check the signature of `\(path)` with",
      expected: "the certificate of somebody you trust", next: "verity-bpf verify \(path) --certificate FILE")
  }

  private static func printText(_ path: String, _ signature: VerifiedSignature) throws {
    try Output.line("\(path): the signature holds")
    try Output.line(Output.row("signer", signature.certificate.subject))
    try Output.line(Output.row("", "\(signature.signer)"))
    try Output.line(Output.row("format", signature.format.rawValue))
    try Output.line(Output.row("content", "\(signature.content)"))
    try Output.line(Output.row("covered", signature.covered.joined(separator: ", ")))
    if !signature.notCovered.isEmpty {
      try Output.line(Output.row("not", signature.notCovered.joined(separator: ", ")))
    }
  }

  private static func json(_ path: String, _ signature: VerifiedSignature) -> JSONValue {
    [
      "schema": .string(schema), "verdict": "ok", "object": .string(path),
      "format": .string(signature.format.rawValue), "signer": .string(signature.signer.description),
      "subject": .string(signature.certificate.subject), "content": .string(signature.content.description),
      "covered": .array(signature.covered.map { .string($0) }),
      "not_covered": .array(signature.notCovered.map { .string($0) }),
    ]
  }
}

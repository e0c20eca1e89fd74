import Base
import Linux
import Signatures
import Trust

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
  /// - Parameter trust: whose signatures count, and what was revoked.
  static func verify(_ path: String, trust: Trust, asJSON: Bool) throws -> Int32 {
    let bytes = try PolicyFile.read(path)
    do {
      let subject = Subject.object(bytes, digest: try Digest.of(bytes.rawSpan))
      let signature = try signature(trust.judge(subject, at: Timestamp.now().seconds), of: path)
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

  /// The signature, when it is one that counts.
  private static func signature(_ verdict: Verdict, of path: String) throws -> VerifiedSignature {
    switch verdict {
    case .trusted(let voucher):
      guard let signature = voucher.object else { throw ObjectSignatureError.unsigned }
      return signature
    case .expired(let voucher): throw SignatureError.expired(subject: voucher.subject)
    case .wrongPurpose(let voucher): throw SignatureError.purpose(subject: voucher.subject)
    case .unsigned: throw ObjectSignatureError.unsigned
    case .nobodyTrusted: throw DiagnosedFailure(noCertificate(path))
    case .malformed(let refusal):
      // What cannot be read as an object any more was changed after it was signed.
      var diagnostic = refusal.diagnostic
      diagnostic.category = .integrity
      throw DiagnosedFailure(diagnostic)
    case .untrusted(let refusal), .unchecked(let refusal): throw refusal
    case .revoked(let revocation): throw revocation
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

public import BPFObject
public import Base

/// Why an object could not be signed, or its signature does not count.
public enum ObjectSignatureError: Error, Equatable, Sendable {
  /// The object has no signature.
  case unsigned
  /// The section table names more than one signature section.
  case signedTwice(Int)
  /// The signature section's contents are damaged.
  case section(reason: String)
  /// The trailer at the file's end is damaged.
  case trailer(reason: String)
  /// The manifest is signed, and no manifest.
  case manifest(line: Int, reason: String)
  /// A part of the object is another one than the signed.
  case changed(String)
  /// A part that was signed is not there.
  case missing(String)
  /// The object has a part that was not signed.
  case notCovered(String, holdsCode: Bool)
  /// A signature that is there for the kernel does not hold; without an error it is of no program of the object.
  case kernelSignature(program: String, SignatureError?)
  /// The object cannot be read.
  case object(BPFObjectError)
  /// The PKCS#7 message was refused.
  case signature(SignatureError)
  case hashing(HashingError)
}

extension ObjectSignatureError: Diagnosable {
  public var diagnostic: Diagnostic {
    switch self {
    case .unsigned:
      Diagnostic(
        "object-signature.none", .integrity, "the object is not signed",
        expected: "a section `\(SignatureSection.name)`, or a module signature at its end",
        next: "verity-bpf sign file OBJECT --certificate CERTIFICATE --private-key KEY")
    case .signedTwice(let count):
      Diagnostic(
        "object-signature.twice", .integrity, "the object has more than one signature section", expected: "one",
        found: "\(count)", why: "different readers could follow different ones",
        next: "`verity-bpf sign file` replaces all of them")
    case .section(let reason):
      Diagnostic(
        "object-signature.section", .integrity, "section `\(SignatureSection.name)` is damaged", found: reason,
        next: "get the object again, or sign it again")
    case .trailer(let reason):
      Diagnostic(
        "object-signature.trailer", .integrity, "the module signature at the file's end is damaged", found: reason,
        next: "get the object again, or sign it again")
    case .manifest(let line, let reason):
      Diagnostic(
        "object-signature.manifest", .integrity, "the signed manifest cannot be read", found: "line \(line): \(reason)",
        next: "sign the object again, with the same program that verifies it")
    case .changed(let part):
      Diagnostic(
        "object-signature.changed", .integrity, "\(part) was changed after the object was signed",
        expected: "what the manifest holds the digest of", found: "something else",
        next: "get the object again from who signed it; a signature of another object does not fit either")
    case .missing(let part):
      Diagnostic(
        "object-signature.missing", .integrity, "\(part) was signed, and is not there",
        next: "get the object again; strip only debugging data: llvm-strip -g")
    case .notCovered(let part, let holdsCode):
      Diagnostic(
        holdsCode ? "object-signature.code-not-covered" : "object-signature.not-covered", .integrity,
        "\(part) is not covered by the signature", expected: "a line of the manifest for everything in the object",
        found: holdsCode ? "instructions that nobody signed" : "a part that nobody signed",
        next: "get the object again from who signed it")
    case .kernelSignature(let program, let error):
      Diagnostic(
        "object-signature.kernel", .integrity,
        "the signature of program `\(program)` that is meant for the kernel is wrong",
        expected: "the signer's, over the program's instructions",
        found: error.map { $0.diagnostic.message } ?? "a signature of a program that the object does not have",
        next: "get the object again from who signed it, or sign it again")
    case .object(let error):
      error.diagnostic
    case .signature(let error):
      error.diagnostic
    case .hashing(let error):
      Diagnostic("object-signature.hash", .incomplete, "a digest could not be computed", found: error.description)
    }
  }
}

public import Loader
public import BPFAnalysis
public import BPFObject
public import Base
public import ImageFormat
public import Policy
public import Provenance
public import Trust

/// Which module on the way refused; the module's own error says why.
public enum AdmissionError: Error, Sendable {
  case policy(file: String, InvalidPolicy)
  case provenance(ProvenanceError)
  case trust(TrustError)
  case object(BPFObjectError)
  /// The image's manifest says something else of the object than its bytes do.
  case manifest(ManifestError)
  /// The image's manifest states a type of programs that this build does not know.
  case unknownStatement(path: String, Manifest.StatedType)
  /// A program does more than its author says that it may do in the lockdown mode this machine is in.
  case annotation(program: String, mode: String, excess: [ProgramPower])
  /// A program reads kernel memory that its author did not declare.
  case reads(program: String, [UndeclaredRead])
  case load(BPFLoadError)
  /// An image names no objects, so that it cannot be loaded as a whole.
  case noObjects(image: String, hasManifest: Bool)
  /// The object was loaded, and taken away again because another one of the image was refused.
  case undone(refused: String, Diagnostic)
  /// Nothing can be put on record, so nothing was loaded.
  case audit(AuditError)
}

extension AdmissionError: Diagnosable {
  public var diagnostic: Diagnostic {
    switch self {
    case .policy(let file, let error):
      var diagnostic = error.diagnostic
      diagnostic.message = "policy `\(file)`: \(diagnostic.message)"
      return diagnostic
    case .provenance(let error): return error.diagnostic
    case .trust(let error): return error.diagnostic
    case .object(let error): return error.diagnostic
    case .manifest(let error): return error.diagnostic
    case .unknownStatement(let path, let stated):
      return Diagnostic(
        "manifest.unknown-type", .unsupported,
        "`\(path)`: the image's manifest states a type of programs that this build does not know",
        expected: "one of libbpf's section names", found: "`\(stated.type)` for section `\(stated.section)`",
        next: "load it with a newer build, as the image was made by one")
    case .annotation(let program, let mode, let excess):
      return Diagnostic(
        "annotation.exceeded", .denied,
        "program `\(program)` does more than its author says that it may do under lockdown=\(mode)",
        expected: "what its annotation allows", found: excess.map(\.rawValue).joined(separator: ", "),
        why: "the annotation is a promise that others go by", next: "`verity-bpf inspect OBJECT` shows both")
    case .reads(let program, let reads):
      return Diagnostic(
        "annotation.reads-exceeded", .denied,
        "program `\(program)` reads kernel memory that its author does not declare",
        expected: "the fields of its declaration, each named by a CO-RE record",
        found: reads.first.map { "instruction \($0.instruction) \($0.reason)" },
        why: "the declaration is a promise that others go by", next: "`verity-bpf inspect OBJECT` lists every read",
        details: reads.dropFirst().prefix(16).map { "instruction \($0.instruction) \($0.reason)" })
    case .load(let error): return error.diagnostic
    case .noObjects(let image, let hasManifest):
      return Diagnostic(
        "load.no-objects", .incomplete, "`\(image)` does not say what is to be loaded of it",
        expected: "a manifest that names objects", found: hasManifest ? "a manifest without objects" : "no manifest",
        next: "name the objects (--object), or build the image with `verity-bpf build-image`")
    case .undone(let refused, let cause):
      return Diagnostic(
        "load.undone", cause.category, "it was loaded, and is taken away again because `\(refused)` was refused",
        found: cause.code, why: "an image is loaded as a whole or not at all",
        next: "see what is said of `\(refused)`")
    case .audit(let error): return error.diagnostic
    }
  }
}

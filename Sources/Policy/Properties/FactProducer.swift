/// Who finds out what a property asks for when a BPF program is judged.
///
/// A rule matches only by what is known, so a property without a producer decides nothing: an ALLOW rule about it never
/// allows, and a DENY rule never denies. `policy check` refuses such rules.
public enum FactProducer: Sendable, Hashable {
  /// The dm-verity volume or image that holds the object: the kernel's table and this project's own verification.
  case volume
  /// The object's place and bytes in it.
  case object
  /// The image's manifest, which lies below its root hash.
  case manifest
  /// The kernel's word on a file with fs-verity.
  case file
  /// The kernel's IPE, asked whether the object may be executed.
  case integrityPolicy
  /// How the object was handed over: by the kernel when it was executed, or by the caller.
  case handOver
  /// Signatures that were checked: of the root hash, of the file's digest, or of the object.
  case signatures
  /// The analysis of the programs' instructions.
  case programs
  /// The kernel's identity of the process that asks.
  case requester
  /// The way of loading itself, which answers the same each time.
  case loading(PropertyValue)
  /// How the load came to a decision: TRUE is what the kernel's gate judges by itself, FALSE what is loaded here.
  case gate
  /// Nothing: no fact of this build answers the property for BPF programs.
  case none
}

extension FactProducer {
  /// For the documentation's table: `the volume`; `nothing` where there is none.
  public var description: String {
    switch self {
    case .volume: "the volume"
    case .object: "the object"
    case .manifest: "the manifest"
    case .file: "the file"
    case .integrityPolicy: "the kernel's IPE"
    case .handOver: "how the object is handed over"
    case .signatures: "signatures"
    case .programs: "the programs"
    case .requester: "the requester"
    case .loading(let value): "`\(value.description)` each time"
    case .gate: "`TRUE` the gate, `FALSE` all else"
    case .none: "nothing"
    }
  }
}

extension PolicyDocument.Property {
  /// Why no fact ever satisfies the property in a rule about the operation; nil where one may.
  public func whyNeverKnown(for operation: Operation) -> String? {
    switch name.producer {
    case .none:
      // Of the kernel's own operations IPE knows its own properties; the additions nobody knows.
      operation != .bpfProgLoad && name.isKernel
        ? nil : "`\(name.rawValue)` is never known: nothing in this build finds it out"
    case .loading(let always):
      operation != .bpfProgLoad || value == always
        ? nil
        : "`\(canonicalText)` never holds: whatever is judged here has `\(name.rawValue)=\(always.description)`"
    case .volume, .object, .manifest, .file, .integrityPolicy, .handOver, .signatures, .programs, .requester, .gate: nil
    }
  }
}

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
  /// Signatures that were checked: of the root hash, of the file's digest, or of the object.
  case signatures
  /// The analysis of the programs' instructions.
  case programs
  /// The kernel's identity of the process that asks.
  case requester
  /// The way of loading itself, which answers the same each time.
  case loading(PropertyValue)
  /// Nothing: no fact of this build answers the property for BPF programs.
  case none
}

extension PropertyName {
  /// Who finds out what the property asks for when a BPF program is judged. For the kernel's own operations IPE knows
  /// its five properties itself.
  public var producer: FactProducer {
    switch self {
    case .dmverityRoothash, .dmveritySignature, .witness, .dmverityMode: .volume
    case .path, .object: .object
    case .imageName, .imageVersionMin: .manifest
    case .fsverityDigest, .fsveritySignature: .file
    case .bpfSignature, .bpfKeyring, .signatureSource, .signer: .signatures
    case .programType, .attachType, .helpers, .lockdown, .programClass, .reads: .programs
    case .requesterUID: .requester
    // The loader is a process, so it is user space that asks. The kernel itself asks only within its own light
    // skeletons, which pass no loader.
    case .bpfKernel: .loading(.flag(false))
    case .bootVerified, .requesterGID, .requesterPath, .requesterObject, .requesterRoothash, .requesterSignature: .none
    }
  }

  /// What comes nearest among the properties that have a producer; nil where nothing does.
  public var substitute: PropertyName? {
    switch self {
    case .bootVerified: .dmverityRoothash
    case .requesterGID, .requesterPath, .requesterObject, .requesterRoothash, .requesterSignature: .requesterUID
    case .dmverityRoothash, .dmveritySignature, .fsverityDigest, .fsveritySignature, .bpfSignature, .bpfKeyring,
      .bpfKernel, .witness, .signatureSource, .signer, .path, .object, .programType, .attachType, .helpers, .lockdown,
      .programClass, .reads, .dmverityMode, .imageName, .imageVersionMin, .requesterUID:
      nil
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
    case .volume, .object, .manifest, .file, .signatures, .programs, .requester: nil
    }
  }
}

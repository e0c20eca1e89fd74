public import KernelABI

/// What is known about one thing that is about to happen. What is nil is not known, and no property is satisfied by
/// what is not known: neither `=TRUE` nor `=FALSE`.
public struct Facts: Sendable, Equatable {
  /// What is about to happen; nil for an operation that the policy language has no word for.
  public var operation: Operation?

  /// Whether the file is on the filesystem that held the initramfs when it was unpacked.
  public var bootVerified: Bool?
  /// The root hash of the dm-verity volume that the bytes come from.
  public var dmverityRoothash: DigestLiteral?
  /// Whether the *kernel* checked a signature of that root hash. A check in user space never sets this, see
  /// ``signatureSources``.
  public var dmveritySignature: Bool?
  /// The fs-verity digest of the file.
  public var fsverityDigest: DigestLiteral?
  /// Whether the kernel checked a signature of that digest.
  public var fsveritySignature: Bool?

  /// What came of checking the program's explicit signature.
  public var bpfSignature: SignatureVerdict?
  /// The keyring of the key that signed it.
  public var bpfKeyring: SignatureKeyring?
  /// Whether the kernel itself asks for the load (the second stage of a light skeleton).
  public var bpfKernel: Bool?

  /// Who vouches that the bytes are those of ``dmverityRoothash``'s volume.
  public var witnesses: Witnesses?
  /// Whether every block of the object was verified here up to ``dmverityRoothash``, be it that only the kernel says which
  /// blocks these are.
  public var blocksVerified: Bool?
  /// Whether the kernel's IPE would let the object be executed.
  public var kernelExecute: Bool?
  /// Whether the object came by being executed, so that the kernel handed it over.
  public var executed: Bool?
  /// Who checked a signature, of the root hash or of the object.
  public var signatureSources: Witnesses?
  /// SHA-256 of the DER certificates whose signatures were checked and hold, of the root hash or of the object.
  public var signers: [DigestLiteral] = []
  /// Where the object is in its image, from the image's root: `/progs/agent.bpf.o`.
  public var path: String?
  /// SHA-256 of the object file.
  public var object: DigestLiteral?
  /// The types of the programs that the decision is about, in bpftool's words.
  public var programTypes: [String]?
  /// Their expected attach types, in libbpf's words; empty when the types have none.
  public var attachTypes: [String]?
  /// The helpers they call, without `bpf_`; empty when they call none.
  public var helpers: [String]?
  /// The strictest lockdown mode under which the kernel would load them.
  public var lockdown: LockdownMode?
  /// Whether they stay with the packet or socket they are called for.
  public var programClass: ProgramClass?
  /// Whether options of the load change what the object says of itself.
  public var isConfigured: Bool?
  /// Whether the loader answers CO-RE records of the object in the kernel's place.
  public var coreByLoader: Bool?
  /// Whether there is no object: a process made the instructions itself, and asks the kernel.
  public var isDynamic: Bool?
  /// What they read of the kernel's memory at most.
  public var reads: KernelReads?
  /// What the active dm-verity table does with corrupted blocks.
  public var dmverityMode: DMVerityMode?
  /// The image's own name, from the manifest below its root hash.
  public var imageName: String?
  /// The image's version, from the same place.
  public var imageVersion: [UInt32]?

  /// User id of the process that asks.
  public var requesterUID: UInt32?
  /// Group id of the process that asks.
  public var requesterGID: UInt32?
  /// Where that process's executable is, as the kernel names it in the process's mount namespace.
  public var requesterPath: String?
  /// SHA-256 of that executable.
  public var requesterObject: DigestLiteral?
  /// The root hash of the dm-verity volume that holds that executable.
  public var requesterRoothash: DigestLiteral?
  /// Whether the kernel checked a signature of that root hash.
  public var requesterSignature: Bool?

  /// Of these properties nothing is missing: what is not known of them is not there, because verified bytes say so. A
  /// DENY rule fails by that; by what is merely not known it does not.
  public var settled = PropertySet()
  /// Why no rule allows by what the volume says of itself; empty when there is no reason.
  public var doubts: [VolumeDoubt] = []
  /// Signers like ``signers`` whose signature is verified, and by whom no rule allows: of a volume that is in doubt, or
  /// with a certificate that is not valid now. Rules that deny them do.
  public var doubtedSigners: [DigestLiteral] = []

  /// Nothing is known but the operation.
  public init(operation: Operation?) { self.operation = operation }

  /// The fact that a property of that name is about, as text; nil when it is not known.
  public func text(of name: PropertyName) -> String? { name.entry.form.text(self) }
}

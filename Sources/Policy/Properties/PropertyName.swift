internal import Base

/// A property a rule can ask for; the raw value is the word before `=`.
///
/// The first five are IPE's. The `bpf_` names are those of the two out-of-tree IPE series for BPF, which agree on
/// them. The `x_` names are this project's own, marked so that no kernel takes them for its own.
public enum PropertyName: String, Sendable, CaseIterable {
  case bootVerified = "boot_verified"
  case dmverityRoothash = "dmverity_roothash"
  case dmveritySignature = "dmverity_signature"
  case fsverityDigest = "fsverity_digest"
  case fsveritySignature = "fsverity_signature"

  case bpfSignature = "bpf_signature"
  case bpfKeyring = "bpf_keyring"
  case bpfKernel = "bpf_kernel"

  case witness = "x_witness"
  case blocksVerified = "x_blocks_verified"
  case kernelExecute = "x_kernel_execute"
  case executed = "x_executed"
  case signatureSource = "x_sig_source"
  case signer = "x_signer"
  case path = "x_path"
  case object = "x_object"
  case programType = "x_prog_type"
  case attachType = "x_attach_type"
  case helpers = "x_helpers"
  case lockdown = "x_lockdown"
  case programClass = "x_class"
  case configured = "x_configured"
  case coreByLoader = "x_core_by_loader"
  case dynamic = "x_dynamic"
  case reads = "x_reads"
  case dmverityMode = "x_dmverity_mode"
  case imageName = "x_image_name"
  case imageVersionMin = "x_image_version_min"
  case requesterUID = "x_requester_uid"
  case requesterGID = "x_requester_gid"
  case requesterPath = "x_requester_path"
  case requesterObject = "x_requester_object"
  case requesterRoothash = "x_requester_dmverity_roothash"
  case requesterSignature = "x_requester_dmverity_signature"

  /// What is known about the property. The compiler asks for the entry of a new one.
  var entry: PropertyEntry {
    switch self {
    case .bootVerified: .bootVerified
    case .dmverityRoothash: .dmverityRoothash
    case .dmveritySignature: .dmveritySignature
    case .fsverityDigest: .fsverityDigest
    case .fsveritySignature: .fsveritySignature
    case .bpfSignature: .bpfSignature
    case .bpfKeyring: .bpfKeyring
    case .bpfKernel: .bpfKernel
    case .witness: .witness
    case .blocksVerified: .blocksVerified
    case .kernelExecute: .kernelExecute
    case .executed: .executed
    case .signatureSource: .signatureSource
    case .signer: .signer
    case .path: .path
    case .object: .object
    case .programType: .programType
    case .attachType: .attachType
    case .helpers: .helpers
    case .lockdown: .lockdown
    case .programClass: .programClass
    case .configured: .configured
    case .coreByLoader: .coreByLoader
    case .dynamic: .dynamic
    case .reads: .reads
    case .dmverityMode: .dmverityMode
    case .imageName: .imageName
    case .imageVersionMin: .imageVersionMin
    case .requesterUID: .requesterUID
    case .requesterGID: .requesterGID
    case .requesterPath: .requesterPath
    case .requesterObject: .requesterObject
    case .requesterRoothash: .requesterRoothash
    case .requesterSignature: .requesterSignature
    }
  }

  /// The property of this name; nil when there is none.
  ///
  /// `init(rawValue:)` looks in a table of all names, which it makes when it is first called in a process: that takes
  /// longer than reading a policy of a few rules.
  public init?(named name: String) {
    guard let property = Self.allCases.first(where: { $0.rawValue == name }) else { return nil }
    self = property
  }

  /// What a value looks like.
  public enum Shape: Sendable, Equatable {
    /// `TRUE` or `FALSE`.
    case flag
    /// `alg:hex`, of one of these algorithms; nil for all that dm-verity has.
    case digest(algorithms: [String]?)
    /// One of these words.
    case word([String])
    /// One or more of these words, with commas between them.
    case words([String])
    /// One or more helper names (`ringbuf_output`, without `bpf_`) or numbers, with commas between them.
    case helpers
    /// A path pattern: `*` and `?` within a name, `**` across names.
    case pattern
    /// Any text without blanks.
    case text
    /// A version of one to four numbers with dots.
    case version
    /// One or more user or group ids, with commas between them.
    case numbers
  }
}

/// A property's value, read by its ``PropertyName/Shape``.
public enum PropertyValue: Hashable, Sendable {
  case flag(Bool)
  case digest(DigestLiteral)
  case word(String)
  case words([String])
  case pattern(String)
  case text(String)
  case version([UInt32])
  case numbers([UInt32])

  /// Whether a fact that satisfies it satisfies no other value of the same property: one digest, or one path.
  public func isExclusive(for name: PropertyName) -> Bool {
    switch self {
    case .digest:
      switch name.entry.form.digests {
      case .one?: true
      case .several?, nil: false
      }
    case .pattern(let pattern): PathPattern.isLiteral(pattern)
    case .flag, .word, .words, .text, .version, .numbers: false
    }
  }

  /// The value as a policy says it, in its canonical form.
  public var description: String {
    switch self {
    case .flag(let value): value ? "TRUE" : "FALSE"
    case .digest(let value): value.description
    case .word(let value), .pattern(let value), .text(let value): value
    case .words(let values): values.separated(by: ",")
    case .version(let parts): parts.map { String($0) }.separated(by: ".")
    case .numbers(let values): values.map { String($0) }.separated(by: ",")
    }
  }
}

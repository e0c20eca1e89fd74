internal import KernelABI
internal import ByteKit

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
  case signatureSource = "x_sig_source"
  case signer = "x_signer"
  case path = "x_path"
  case object = "x_object"
  case programType = "x_prog_type"
  case attachType = "x_attach_type"
  case helpers = "x_helpers"
  case lockdown = "x_lockdown"
  case programClass = "x_class"
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

  /// The property of this name; nil when there is none.
  ///
  /// `init(rawValue:)` looks in a table of all names, which it makes when it is first called in a process: that takes
  /// longer than reading a policy of a few rules.
  public init?(named name: String) {
    guard let property = Self.allCases.first(where: { $0.rawValue == name }) else { return nil }
    self = property
  }

  /// Whether the parser of mainline Linux knows the property.
  public var isKernel: Bool {
    switch self {
    case .bootVerified, .dmverityRoothash, .dmveritySignature, .fsverityDigest, .fsveritySignature: true
    default: false
    }
  }

  /// Whether the property says something about a BPF program, so that no other operation can ever match it.
  public var isAboutPrograms: Bool {
    switch self {
    case .bpfSignature, .bpfKeyring, .bpfKernel, .programType, .attachType, .helpers, .lockdown, .programClass, .reads:
      true
    default: false
    }
  }

  /// What a value looks like.
  public enum Shape: Sendable, Equatable {
    /// `TRUE` or `FALSE`.
    case flag
    /// `alg:hex`; `sha256Only` where only that algorithm is ever computed.
    case digest(sha256Only: Bool)
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

  /// The form of the property's value.
  public var shape: Shape {
    switch self {
    case .bootVerified, .dmveritySignature, .fsveritySignature, .bpfKernel, .requesterSignature: .flag
    case .dmverityRoothash, .fsverityDigest, .requesterRoothash: .digest(sha256Only: false)
    case .signer, .object, .requesterObject: .digest(sha256Only: true)
    case .bpfSignature: .word(Self.signatureVerdicts)
    case .bpfKeyring: .word(Self.keyrings)
    case .witness: .word(["KERNEL", "USERSPACE", "BOTH"])
    case .signatureSource: .word(["KERNEL", "USERSPACE", "BOTH"])
    case .lockdown: .word(["NONE", "INTEGRITY", "CONFIDENTIALITY"])
    case .programClass: .word(["RESTRICTED", "FULL"])
    case .reads: .word(["NONE", "DECLARED", "UNDECLARED"])
    case .dmverityMode: .words(["EIO", "RESTART", "PANIC", "LOGGING"])
    case .programType: .words(TypeNames.programs)
    case .attachType: .words(TypeNames.attachTypes)
    case .helpers: .helpers
    case .path, .requesterPath: .pattern
    case .imageName: .text
    case .imageVersionMin: .version
    case .requesterUID, .requesterGID: .numbers
    }
  }

  /// The words of `bpf_signature=`: the union of both IPE series, the kernel's own VERIFIED, and
  /// EXPIRED, which is this project's.
  public static let signatureVerdicts = [
    "UNSIGNED", "OK", "BADSIG", "UNKNOWNKEY", "PARTIALSIG", "UNEXPECTED", "FAULT", "NONE", "VERIFIED",
    "METADATA_VERIFIED", "EXPIRED",
  ]
  /// The words of `bpf_keyring=`.
  public static let keyrings = ["BUILTIN", "SECONDARY", "PLATFORM", "USER", "BPF", "DM_VERITY"]
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

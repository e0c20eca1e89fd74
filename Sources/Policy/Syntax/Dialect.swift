/// Which language a policy text is held to.
public enum Dialect: String, Sendable, CaseIterable {
  /// Exactly what the IPE parser of Linux 6.12 takes (security/ipe/policy_parser.c), quirks included.
  case kernel
  /// The same grammar with `op=BPF_PROG_LOAD`, the `bpf_` and `x_` properties, and strict about what the kernel
  /// lets slip.
  case verityBPF = "verity-bpf"

  /// The operations a policy of this dialect can name.
  public var operations: [Operation] {
    switch self {
    case .kernel: Operation.allCases.filter { $0 != .bpfProgLoad }
    case .verityBPF: Operation.allCases
    }
  }
}

/// What is about to happen; the raw value is the word after `op=`.
public enum Operation: String, Sendable, CaseIterable {
  case execute = "EXECUTE"
  case firmware = "FIRMWARE"
  case kmodule = "KMODULE"
  case kexecImage = "KEXEC_IMAGE"
  case kexecInitramfs = "KEXEC_INITRAMFS"
  case policy = "POLICY"
  case x509Cert = "X509_CERT"
  /// Loading an eBPF program. The name is the one that the out-of-tree IPE series use; no released kernel has it.
  case bpfProgLoad = "BPF_PROG_LOAD"
}

/// What a rule says; the raw value is the word after `action=`.
public enum Action: String, Sendable, CaseIterable {
  case allow = "ALLOW"
  case deny = "DENY"
}

/// The names of errno values that the kernel answers when a policy is written to securityfs.
public enum KernelError: String, Sendable, CaseIterable, Error {
  /// The text is not a policy.
  case badMessage = "EBADMSG"
  /// A number or digest holds something else than digits; or an update under another name.
  case invalid = "EINVAL"
  /// A part of the version is above 65535.
  case range = "ERANGE"
  /// The name cannot be a directory's (`.`, `..`, or with a slash).
  case access = "EACCES"
  /// The name is longer than 255 bytes.
  case nameTooLong = "ENAMETOOLONG"
  /// A policy of that name is loaded already.
  case exists = "EEXIST"
  /// An update whose version is not above the loaded one's.
  case stale = "ESTALE"
  /// The PKCS#7 message is longer than 65,535 bytes (lib/asn1_decoder.c).
  case messageSize = "EMSGSIZE"
}

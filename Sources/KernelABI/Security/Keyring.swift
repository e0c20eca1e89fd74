/// A keyring that the kernel made for itself. Its name in /proc/keys begins with a dot.
public enum Keyring: String, Sendable, CaseIterable {
  /// Compiled into the kernel.
  case builtin = ".builtin_trusted_keys"
  /// The administrator's additions, each vouched for by a key in ``builtin`` or in here (or in ``machine``).
  case secondary = ".secondary_trusted_keys"
  /// The firmware's: UEFI's `db`.
  case platform = ".platform"
  /// The machine owner's (MokListRT).
  case machine = ".machine"
  /// What user space gave to dm-verity before the module sealed it.
  case dmVerity = ".dm-verity"
  /// What user space gave to fs-verity.
  case fsVerity = ".fs-verity"
  /// What user space gave to IMA, vouched for as in ``secondary``.
  case ima = ".ima"
  /// What user space gives to signatures of BPF programs. Announced, and in no release yet.
  case bpf = ".bpf"
  /// Keys and digests that are refused, whatever else vouches for them.
  case blacklist = ".blacklist"

  /// The name in /proc/keys.
  public var name: String { rawValue }

  /// The first release that has it under that name; nil while none has.
  public var since: KernelRelease? {
    switch self {
    case .ima: KernelRelease(4, 5)
    case .builtin, .secondary: KernelRelease(4, 7)
    case .blacklist: KernelRelease(4, 12)
    case .platform: KernelRelease(5, 0)
    case .fsVerity: KernelRelease(5, 4)
    case .machine: KernelRelease(5, 18)
    case .dmVerity: KernelRelease(7, 0)
    case .bpf: nil
    }
  }

  /// `keyring_id` of BPF_PROG_LOAD, where it has a number of its own there (include/linux/verification.h: 0,
  /// VERIFY_USE_SECONDARY_KEYRING, VERIFY_USE_PLATFORM_KEYRING); the others are named by their serials.
  public var verificationID: Int32? {
    switch self {
    case .builtin: 0
    case .secondary: 1
    case .platform: 2
    case .machine, .dmVerity, .fsVerity, .ima, .bpf, .blacklist: nil
    }
  }

  /// The word as policies have it in `bpf_keyring=`; nil for a ring whose keys count for no program.
  public var policyWord: String? {
    switch self {
    case .builtin: "BUILTIN"
    case .secondary: "SECONDARY"
    case .platform: "PLATFORM"
    case .dmVerity: "DM_VERITY"
    case .bpf: "BPF"
    case .machine, .fsVerity, .ima, .blacklist: nil
    }
  }
}

/// A keyring of the caller's, by the number that keyctl(2) and BPF_PROG_LOAD take in place of its serial
/// (include/uapi/linux/keyctl.h).
public enum CallersKeyring: Int32, KernelNumber {
  case thread = -1
  case process = -2
  case session = -3
  case user = -4
  case userSession = -5
  case group = -6

  public static let prefix = "KEY_SPEC_"

  public var name: String {
    switch self {
    case .thread: "thread"
    case .process: "process"
    case .session: "session"
    case .user: "user"
    case .userSession: "user_session"
    case .group: "group"
    }
  }

  public var headerName: String { Self.prefix + name.uppercased() + "_KEYRING" }
}

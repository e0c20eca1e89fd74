public import KernelABI

extension HostFacts {
  /// The files that are read, and what they are.
  public enum Path {
    public static let lockdown = "/sys/kernel/security/lockdown"
    public static let securityModules = "/sys/kernel/security/lsm"
    public static let ipe = "/sys/kernel/security/ipe"
    public static let ipeEnforce = "/sys/kernel/security/ipe/enforce"
    /// A directory; each policy has one of its own with `active` and `version`.
    public static let ipePolicies = "/sys/kernel/security/ipe/policies"
    public static let keys = "/proc/keys"
    public static let deviceMapper = "/dev/mapper/control"
    public static let loopControl = "/dev/loop-control"
    public static let requireSignatures = "/sys/module/dm_verity/parameters/require_signatures"
    public static let keyringUnsealed = "/sys/module/dm_verity/parameters/keyring_unsealed"
    public static let dmVerityModule = "/sys/module/dm_verity"
    public static let unprivilegedBPF = "/proc/sys/kernel/unprivileged_bpf_disabled"
    public static let jit = "/proc/sys/net/core/bpf_jit_enable"
    public static let jitHarden = "/proc/sys/net/core/bpf_jit_harden"
    public static let kernelTypes = "/sys/kernel/btf/vmlinux"
    public static let fsVeritySignatures = "/proc/sys/fs/verity/require_signatures"
    public static let ext4Verity = "/sys/fs/ext4/features/verity"
    public static let moduleSignatures = "/sys/module/module/parameters/sig_enforce"
    public static let modules = "/proc/modules"
    /// The firmware's variable: four bytes of attributes and one of value, as hexadecimal digits.
    public static let secureBoot = "/sys/firmware/efi/efivars/SecureBoot-8be4df61-93ca-11d2-aa0d-00e098032b8c"

    /// A directory where the machine was started by UEFI.
    public static let firmware = "/sys/firmware/efi"

    public static func ipeActive(_ policy: String) -> String { "\(ipePolicies)/\(policy)/active" }
    public static func ipeVersion(_ policy: String) -> String { "\(ipePolicies)/\(policy)/version" }

    /// Files whose text counts.
    public static let texts = [
      lockdown, securityModules, ipeEnforce, requireSignatures, keyringUnsealed, unprivilegedBPF, jit, jitHarden,
      fsVeritySignatures, ext4Verity, moduleSignatures,
    ]
    /// Files and directories of which it counts whether they can be opened.
    public static let presences = [
      ipe, deviceMapper, loopControl, dmVerityModule, kernelTypes, modules, keys, firmware,
    ]
  }

  /// The options of the kernel's configuration that are looked at.
  public static let optionNames = [
    "CONFIG_SECURITY_LOCKDOWN_LSM", "CONFIG_SECURITY_IPE", "CONFIG_BPF_LSM", "CONFIG_BPF_SYSCALL", "CONFIG_DM_VERITY",
    "CONFIG_DM_VERITY_VERIFY_ROOTHASH_SIG", "CONFIG_DM_VERITY_VERIFY_ROOTHASH_SIG_SECONDARY_KEYRING",
    "CONFIG_DM_VERITY_VERIFY_ROOTHASH_SIG_PLATFORM_KEYRING", "CONFIG_FS_VERITY", "CONFIG_FS_VERITY_BUILTIN_SIGNATURES",
    "CONFIG_SYSTEM_DATA_VERIFICATION", "CONFIG_DEBUG_INFO_BTF", "CONFIG_MODULES", "CONFIG_BLK_DEV_LOOP",
    "CONFIG_BLK_DEV_DM", "CONFIG_EROFS_FS", "CONFIG_SECONDARY_TRUSTED_KEYRING", "CONFIG_INTEGRITY_PLATFORM_KEYRING",
  ]

  /// Picks ``optionNames`` out of a kernel's configuration.
  public static func options(in configuration: KernelConfiguration) -> [String: String] {
    var options: [String: String] = [:]
    for name in optionNames { options[name] = configuration.value(of: name).map { String($0) } }
    return options
  }
}

/// A line of /proc/keys (Documentation/security/keys/core.rst).
public struct KeyTableEntry: Equatable, Sendable {
  public let serial: Int32
  public let type: String
  /// The key's name, without what the type adds behind the last colon.
  public let name: String

  /// The keyrings that the kernel made for itself: those whose name begins with a dot.
  public static func systemKeyrings(in table: String) -> [KeyTableEntry] {
    table.split(separator: "\n").compactMap { KeyTableEntry($0) }.filter {
      $0.type == "keyring" && $0.name.hasPrefix(".")
    }
  }

  /// `serial flags usage timeout permissions uid gid type name: summary`.
  init?(_ line: Substring) {
    let fields = line.split(separator: " ", maxSplits: 8, omittingEmptySubsequences: true)
    guard fields.count == 9, let serial = UInt32(fields[0], radix: 16) else { return nil }
    let description = fields[8].drop { $0 == " " }
    let name = description.lastIndex(of: ":").map { description[..<$0] } ?? description
    self.serial = Int32(bitPattern: serial)
    type = String(fields[7])
    self.name = String(name)
  }
}

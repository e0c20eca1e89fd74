public import KernelABI

extension HostFacts {
  /// Files whose text counts.
  public static let texts: [KernelStatement] = [
    .lockdown, .securityModules, .integrityPolicyEnforced, .requireSignatures, .keyringUnsealed, .prefetchCluster,
    .taint,
    .unprivilegedBPF, .compiler, .compilerHardening, .fileVeritySignatures, .fileVerityFeature, .moduleSignatures,
  ]
  /// Files, directories and devices of which it counts whether they are there.
  public static let presences: [KernelStatement] = [
    .integrityPolicy, .mapperControl, .loopControl, .verityModule, .kernelTypes, .modules, .keyTable, .firmware,
  ]

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

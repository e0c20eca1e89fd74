/// How a program is loaded: `prog_flags` of BPF_PROG_LOAD (include/uapi/linux/bpf.h).
public enum ProgramFlag: UInt32, KernelConstant {
  case strictAlignment = 0x1
  case anyAlignment = 0x2
  case testRandomHigh32 = 0x4
  case testStateFrequency = 0x8
  case sleepable = 0x10
  case xdpHasFragments = 0x20
  case xdpDeviceBoundOnly = 0x40
  case testRegisterInvariants = 0x80

  public static let prefix = "BPF_F_"

  public var entry: KernelEntry {
    switch self {
    case .strictAlignment: KernelEntry("strict_alignment", 4, 12)
    case .anyAlignment: KernelEntry("any_alignment", 5, 0)
    case .testRandomHigh32: KernelEntry("test_rnd_hi32", 5, 3)
    case .testStateFrequency: KernelEntry("test_state_freq", 5, 4)
    case .sleepable: KernelEntry("sleepable", 5, 10)
    case .xdpHasFragments: KernelEntry("xdp_has_frags", 5, 18)
    case .xdpDeviceBoundOnly: KernelEntry("xdp_dev_bound_only", 6, 3)
    case .testRegisterInvariants: KernelEntry("test_reg_invariants", 6, 8)
    }
  }
}

/// What came to BPF_PROG_LOAD with a release besides types, helpers and flags.
public enum ProgramLoadFeature: Sendable, CaseIterable {
  /// `func_info`: what BTF says of the program's functions.
  case functionInformation
  /// Functions of the kernel, called by the id of their BTF.
  case kernelFunctions
  /// Maps by their index in `fd_array` (BPF_PSEUDO_MAP_IDX).
  case mapIndexes
  /// `core_relos`: the kernel relocates by CO-RE records itself.
  case coreRelocations
  /// `log_true_size`: how long the verifier's log would have been.
  case logTrueSize
  /// `fd_array_cnt`: the program is bound to all of the maps in `fd_array`.
  case boundMaps
  /// `signature`, `signature_size` and `keyring_id`.
  case signatures

  public var since: KernelRelease {
    switch self {
    case .functionInformation: KernelRelease(5, 0)
    case .kernelFunctions: KernelRelease(5, 13)
    case .mapIndexes: KernelRelease(5, 14)
    case .coreRelocations: KernelRelease(5, 17)
    case .logTrueSize: KernelRelease(6, 4)
    case .boundMaps: KernelRelease(6, 14)
    case .signatures: KernelRelease(6, 18)
    }
  }
}

/// What the immediate of a 64-bit load means: its `src_reg`, which is no register there (include/uapi/linux/bpf.h,
/// BPF_PSEUDO_*). 0 is a plain number.
public enum PseudoLoad: UInt8, KernelConstant {
  /// The descriptor of a map.
  case mapFD = 1
  /// The descriptor of a map, whose first value is meant, with an offset in the second slot.
  case mapValue = 2
  /// The id of a variable in the kernel's BTF.
  case btfID = 3
  /// The distance to a function of the program's own.
  case function = 4
  /// A map by its index in `fd_array`.
  case mapIndex = 5
  /// The first value of such a map.
  case mapIndexValue = 6

  public static let prefix = "BPF_PSEUDO_"

  public var entry: KernelEntry {
    switch self {
    case .mapFD: KernelEntry("map_fd", 3, 18)
    case .mapValue: KernelEntry("map_value", 5, 2)
    case .btfID: KernelEntry("btf_id", 5, 10)
    case .function: KernelEntry("func", 5, 13)
    case .mapIndex: KernelEntry("map_idx", 5, 14)
    case .mapIndexValue: KernelEntry("map_idx_value", 5, 14)
    }
  }
}

/// What a call calls: its `src_reg`, which is no register there. 0 is a helper by its number.
public enum PseudoCall: UInt8, KernelConstant {
  /// A function of the program's own, by its distance.
  case function = 1
  /// A function of the kernel, by the id in its BTF.
  case kernelFunction = 2

  public static let prefix = "BPF_PSEUDO_"

  public var entry: KernelEntry {
    switch self {
    case .function: KernelEntry("call", 4, 16)
    case .kernelFunction: KernelEntry("kfunc_call", 5, 13)
    }
  }
}

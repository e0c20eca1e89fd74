/// How a link is given another program: `flags` of BPF_LINK_UPDATE (include/uapi/linux/bpf.h).
public enum LinkUpdateFlag: UInt32, KernelConstant {
  /// Only where it holds the one that the caller names (EPERM otherwise).
  case replace = 0x4

  public static let prefix = "BPF_F_"

  public var entry: KernelEntry {
    switch self {
    case .replace: KernelEntry("replace", 5, 6)
    }
  }
}

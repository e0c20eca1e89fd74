/// A security module, by the number that lsm_list_modules(2) gives it: `LSM_ID_*` (include/uapi/linux/lsm.h, since 6.8). The
/// names are those of /sys/kernel/security/lsm.
public enum SecurityModule: UInt64, KernelConstant {
  case capability = 100
  case selinux = 101
  case smack = 102
  case tomoyo = 103
  case apparmor = 104
  case yama = 105
  case loadpin = 106
  case safesetid = 107
  case lockdown = 108
  case bpf = 109
  case landlock = 110
  case ima = 111
  case evm = 112
  case ipe = 113

  public static let prefix = "LSM_ID_"

  public var entry: KernelEntry {
    switch self {
    case .capability: KernelEntry("capability", 6, 8)
    case .selinux: KernelEntry("selinux", 6, 8)
    case .smack: KernelEntry("smack", 6, 8)
    case .tomoyo: KernelEntry("tomoyo", 6, 8)
    case .apparmor: KernelEntry("apparmor", 6, 8)
    case .yama: KernelEntry("yama", 6, 8)
    case .loadpin: KernelEntry("loadpin", 6, 8)
    case .safesetid: KernelEntry("safesetid", 6, 8)
    case .lockdown: KernelEntry("lockdown", 6, 8)
    case .bpf: KernelEntry("bpf", 6, 8)
    case .landlock: KernelEntry("landlock", 6, 8)
    case .ima: KernelEntry("ima", 6, 9)
    case .evm: KernelEntry("evm", 6, 9)
    case .ipe: KernelEntry("ipe", 6, 12)
    }
  }
}

/// A part of what root may do: `CAP_*` (include/uapi/linux/capability.h, capabilities(7)). The number is the bit in a set of
/// capabilities.
public enum Capability: UInt64, KernelConstant {
  case chown = 0
  case dacOverride = 1
  case dacReadSearch = 2
  case fowner = 3
  case fsetid = 4
  case kill = 5
  case setgid = 6
  case setuid = 7
  case setpcap = 8
  case linuxImmutable = 9
  case netBindService = 10
  case netBroadcast = 11
  case netAdmin = 12
  case netRaw = 13
  case ipcLock = 14
  case ipcOwner = 15
  case sysModule = 16
  case sysRawio = 17
  case sysChroot = 18
  case sysPtrace = 19
  case sysPacct = 20
  case sysAdmin = 21
  case sysBoot = 22
  case sysNice = 23
  case sysResource = 24
  case sysTime = 25
  case sysTtyConfig = 26
  case mknod = 27
  case lease = 28
  case auditWrite = 29
  case auditControl = 30
  case setfcap = 31
  case macOverride = 32
  case macAdmin = 33
  case syslog = 34
  case wakeAlarm = 35
  case blockSuspend = 36
  case auditRead = 37
  case perfmon = 38
  case bpf = 39
  case checkpointRestore = 40

  public static let prefix = ""

  public var entry: KernelEntry {
    switch self {
    case .chown: KernelEntry("CAP_CHOWN", 2, 2)
    case .dacOverride: KernelEntry("CAP_DAC_OVERRIDE", 2, 2)
    case .dacReadSearch: KernelEntry("CAP_DAC_READ_SEARCH", 2, 2)
    case .fowner: KernelEntry("CAP_FOWNER", 2, 2)
    case .fsetid: KernelEntry("CAP_FSETID", 2, 2)
    case .kill: KernelEntry("CAP_KILL", 2, 2)
    case .setgid: KernelEntry("CAP_SETGID", 2, 2)
    case .setuid: KernelEntry("CAP_SETUID", 2, 2)
    case .setpcap: KernelEntry("CAP_SETPCAP", 2, 2)
    case .linuxImmutable: KernelEntry("CAP_LINUX_IMMUTABLE", 2, 2)
    case .netBindService: KernelEntry("CAP_NET_BIND_SERVICE", 2, 2)
    case .netBroadcast: KernelEntry("CAP_NET_BROADCAST", 2, 2)
    case .netAdmin: KernelEntry("CAP_NET_ADMIN", 2, 2)
    case .netRaw: KernelEntry("CAP_NET_RAW", 2, 2)
    case .ipcLock: KernelEntry("CAP_IPC_LOCK", 2, 2)
    case .ipcOwner: KernelEntry("CAP_IPC_OWNER", 2, 2)
    case .sysModule: KernelEntry("CAP_SYS_MODULE", 2, 2)
    case .sysRawio: KernelEntry("CAP_SYS_RAWIO", 2, 2)
    case .sysChroot: KernelEntry("CAP_SYS_CHROOT", 2, 2)
    case .sysPtrace: KernelEntry("CAP_SYS_PTRACE", 2, 2)
    case .sysPacct: KernelEntry("CAP_SYS_PACCT", 2, 2)
    case .sysAdmin: KernelEntry("CAP_SYS_ADMIN", 2, 2)
    case .sysBoot: KernelEntry("CAP_SYS_BOOT", 2, 2)
    case .sysNice: KernelEntry("CAP_SYS_NICE", 2, 2)
    case .sysResource: KernelEntry("CAP_SYS_RESOURCE", 2, 2)
    case .sysTime: KernelEntry("CAP_SYS_TIME", 2, 2)
    case .sysTtyConfig: KernelEntry("CAP_SYS_TTY_CONFIG", 2, 2)
    case .mknod: KernelEntry("CAP_MKNOD", 2, 4)
    case .lease: KernelEntry("CAP_LEASE", 2, 4)
    case .auditWrite: KernelEntry("CAP_AUDIT_WRITE", 2, 6, 11)
    case .auditControl: KernelEntry("CAP_AUDIT_CONTROL", 2, 6, 11)
    case .setfcap: KernelEntry("CAP_SETFCAP", 2, 6, 24)
    case .macOverride: KernelEntry("CAP_MAC_OVERRIDE", 2, 6, 25)
    case .macAdmin: KernelEntry("CAP_MAC_ADMIN", 2, 6, 25)
    case .syslog: KernelEntry("CAP_SYSLOG", 2, 6, 37)
    case .wakeAlarm: KernelEntry("CAP_WAKE_ALARM", 3, 0)
    case .blockSuspend: KernelEntry("CAP_BLOCK_SUSPEND", 3, 5)
    case .auditRead: KernelEntry("CAP_AUDIT_READ", 3, 16)
    case .perfmon: KernelEntry("CAP_PERFMON", 5, 8)
    case .bpf: KernelEntry("CAP_BPF", 5, 8)
    case .checkpointRestore: KernelEntry("CAP_CHECKPOINT_RESTORE", 5, 9)
    }
  }
}

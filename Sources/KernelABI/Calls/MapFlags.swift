/// How a map is made: `map_flags` of BPF_MAP_CREATE (include/uapi/linux/bpf.h).
public enum MapFlag: UInt32, KernelConstant {
  case noPrealloc = 0x1
  case noCommonLRU = 0x2
  case numaNode = 0x4
  case readOnly = 0x8
  case writeOnly = 0x10
  case stackBuildID = 0x20
  case zeroSeed = 0x40
  case readOnlyProgram = 0x80
  case writeOnlyProgram = 0x100
  case clone = 0x200
  case mmapable = 0x400
  case preserveElements = 0x800
  case innerMap = 0x1000
  case link = 0x2000
  case pathFD = 0x4000
  case valueTypeBTFObjectFD = 0x8000
  case tokenFD = 0x1_0000
  case segvOnFault = 0x2_0000
  case noUserConversion = 0x4_0000
  case ringbufOverwrite = 0x8_0000

  public static let prefix = "BPF_F_"

  public var entry: KernelEntry {
    switch self {
    case .noPrealloc: KernelEntry("no_prealloc", 4, 6)
    case .noCommonLRU: KernelEntry("no_common_lru", 4, 10)
    case .numaNode: KernelEntry("numa_node", 4, 14)
    case .readOnly: KernelEntry("rdonly", 4, 15)
    case .writeOnly: KernelEntry("wronly", 4, 15)
    case .stackBuildID: KernelEntry("stack_build_id", 4, 17)
    case .zeroSeed: KernelEntry("zero_seed", 5, 0)
    case .readOnlyProgram: KernelEntry("rdonly_prog", 5, 2)
    case .writeOnlyProgram: KernelEntry("wronly_prog", 5, 2)
    case .clone: KernelEntry("clone", 5, 4)
    case .mmapable: KernelEntry("mmapable", 5, 5)
    case .preserveElements: KernelEntry("preserve_elems", 5, 10)
    case .innerMap: KernelEntry("inner_map", 5, 10)
    case .link: KernelEntry("link", 6, 4)
    case .pathFD: KernelEntry("path_fd", 6, 5)
    case .valueTypeBTFObjectFD: KernelEntry("vtype_btf_obj_fd", 6, 9)
    case .tokenFD: KernelEntry("token_fd", 6, 9)
    case .segvOnFault: KernelEntry("segv_on_fault", 6, 9)
    case .noUserConversion: KernelEntry("no_user_conv", 6, 9)
    case .ringbufOverwrite: KernelEntry("rb_overwrite", 6, 19)
    }
  }
}

/// What is to be there before an update: `flags` of BPF_MAP_UPDATE_ELEM (include/uapi/linux/bpf.h).
public enum MapUpdateFlag: UInt64, KernelConstant {
  case any = 0
  case noExist = 1
  case exist = 2
  case lock = 4
  case cpu = 8
  case allCPUs = 16

  public static let prefix = "BPF_"

  public var entry: KernelEntry {
    switch self {
    case .any: KernelEntry("any", 3, 19)
    case .noExist: KernelEntry("noexist", 3, 19)
    case .exist: KernelEntry("exist", 3, 19)
    case .lock: KernelEntry("f_lock", 5, 1)
    case .cpu: KernelEntry("f_cpu", 7, 0)
    case .allCPUs: KernelEntry("f_all_cpus", 7, 0)
    }
  }
}

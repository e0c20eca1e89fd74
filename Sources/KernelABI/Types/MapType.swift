/// How a map keeps its entries: `enum bpf_map_type` (include/uapi/linux/bpf.h).
///
/// The two types of cgroup storage that the header calls deprecated have the names they had before, as bpftool prints them.
public enum MapType: UInt32, KernelConstant {
  case unspec = 0
  case hash = 1
  case array = 2
  case progArray = 3
  case perfEventArray = 4
  case percpuHash = 5
  case percpuArray = 6
  case stackTrace = 7
  case cgroupArray = 8
  case lruHash = 9
  case lruPercpuHash = 10
  case lpmTrie = 11
  case arrayOfMaps = 12
  case hashOfMaps = 13
  case devmap = 14
  case sockmap = 15
  case cpumap = 16
  case xskmap = 17
  case sockhash = 18
  case cgroupStorage = 19
  case reuseportSockarray = 20
  case percpuCgroupStorage = 21
  case queue = 22
  case stack = 23
  case skStorage = 24
  case devmapHash = 25
  case structOps = 26
  case ringbuf = 27
  case inodeStorage = 28
  case taskStorage = 29
  case bloomFilter = 30
  case userRingbuf = 31
  case cgrpStorage = 32
  case arena = 33
  case insnArray = 34
  case rhash = 35

  public static let prefix = "BPF_MAP_TYPE_"

  public var entry: KernelEntry {
    switch self {
    case .unspec: KernelEntry("unspec", 3, 18)
    case .hash: KernelEntry("hash", 3, 19)
    case .array: KernelEntry("array", 3, 19)
    case .progArray: KernelEntry("prog_array", 4, 2)
    case .perfEventArray: KernelEntry("perf_event_array", 4, 3)
    case .percpuHash: KernelEntry("percpu_hash", 4, 6)
    case .percpuArray: KernelEntry("percpu_array", 4, 6)
    case .stackTrace: KernelEntry("stack_trace", 4, 6)
    case .cgroupArray: KernelEntry("cgroup_array", 4, 8)
    case .lruHash: KernelEntry("lru_hash", 4, 10)
    case .lruPercpuHash: KernelEntry("lru_percpu_hash", 4, 10)
    case .lpmTrie: KernelEntry("lpm_trie", 4, 11)
    case .arrayOfMaps: KernelEntry("array_of_maps", 4, 12)
    case .hashOfMaps: KernelEntry("hash_of_maps", 4, 12)
    case .devmap: KernelEntry("devmap", 4, 14)
    case .sockmap: KernelEntry("sockmap", 4, 14)
    case .cpumap: KernelEntry("cpumap", 4, 15)
    case .xskmap: KernelEntry("xskmap", 4, 18)
    case .sockhash: KernelEntry("sockhash", 4, 18)
    case .cgroupStorage: KernelEntry("cgroup_storage", 4, 19)
    case .reuseportSockarray: KernelEntry("reuseport_sockarray", 4, 19)
    case .percpuCgroupStorage: KernelEntry("percpu_cgroup_storage", 4, 20)
    case .queue: KernelEntry("queue", 4, 20)
    case .stack: KernelEntry("stack", 4, 20)
    case .skStorage: KernelEntry("sk_storage", 5, 2)
    case .devmapHash: KernelEntry("devmap_hash", 5, 4)
    case .structOps: KernelEntry("struct_ops", 5, 6)
    case .ringbuf: KernelEntry("ringbuf", 5, 8)
    case .inodeStorage: KernelEntry("inode_storage", 5, 10)
    case .taskStorage: KernelEntry("task_storage", 5, 11)
    case .bloomFilter: KernelEntry("bloom_filter", 5, 16)
    case .userRingbuf: KernelEntry("user_ringbuf", 6, 1)
    case .cgrpStorage: KernelEntry("cgrp_storage", 6, 2)
    case .arena: KernelEntry("arena", 6, 9)
    case .insnArray: KernelEntry("insn_array", 6, 19)
    case .rhash: KernelEntry("rhash", 7, 2)
    }
  }
}

internal import KernelABI

extension MapType {
  /// Whether an object's `.maps` section may declare maps of this type.
  ///
  /// Not those of `struct_ops`, which have sections of their own. Arrays of instructions may be declared, and nothing here
  /// fills them: the kernel refuses a program that uses an empty one.
  var canBeDeclared: Bool {
    switch self {
    case .unspec, .structOps: false
    case .hash, .array, .progArray, .perfEventArray, .percpuHash, .percpuArray, .stackTrace, .cgroupArray, .lruHash,
      .lruPercpuHash, .lpmTrie, .arrayOfMaps, .hashOfMaps, .devmap, .sockmap, .cpumap, .xskmap, .sockhash,
      .cgroupStorage, .reuseportSockarray, .percpuCgroupStorage, .queue, .stack, .skStorage, .devmapHash, .ringbuf,
      .inodeStorage, .taskStorage, .bloomFilter, .userRingbuf, .cgrpStorage, .arena, .insnArray, .rhash:
      true
    }
  }

  /// Which types the kernel takes for a map's keys.
  enum KeyTypes {
    /// An int of 32 bits and nothing else (kernel/bpf/arraymap.c, array_map_check_btf).
    case int32
    /// A structure (kernel/bpf/lpm_trie.c, trie_check_btf).
    case structure
    case any
  }

  var keyTypes: KeyTypes {
    switch self {
    case .array, .percpuArray: .int32
    case .lpmTrie: .structure
    case .unspec, .hash, .progArray, .perfEventArray, .percpuHash, .stackTrace, .cgroupArray, .lruHash, .lruPercpuHash,
      .arrayOfMaps, .hashOfMaps, .devmap, .sockmap, .cpumap, .xskmap, .sockhash, .cgroupStorage, .reuseportSockarray,
      .percpuCgroupStorage, .queue, .stack, .skStorage, .devmapHash, .structOps, .ringbuf, .inodeStorage, .taskStorage,
      .bloomFilter, .userRingbuf, .cgrpStorage, .arena, .insnArray, .rhash:
      .any
    }
  }

  /// Whether BPF_MAP_CREATE takes no map of this type without BTF type ids (kernel/bpf/bpf_local_storage.c,
  /// bpf_local_storage_map_alloc_check).
  var needsBTF: Bool {
    switch self {
    case .skStorage, .inodeStorage, .taskStorage, .cgrpStorage, .structOps: true
    case .unspec, .hash, .array, .progArray, .perfEventArray, .percpuHash, .percpuArray, .stackTrace, .cgroupArray,
      .lruHash, .lruPercpuHash, .lpmTrie, .arrayOfMaps, .hashOfMaps, .devmap, .sockmap, .cpumap, .xskmap, .sockhash,
      .cgroupStorage, .reuseportSockarray, .percpuCgroupStorage, .queue, .stack, .devmapHash, .ringbuf, .bloomFilter,
      .userRingbuf, .arena, .insnArray, .rhash:
      false
    }
  }

  /// Whether BPF_MAP_CREATE takes BTF type ids for this type (libbpf, bpf_object__create_map).
  var takesBTF: Bool {
    switch self {
    case .perfEventArray, .cgroupArray, .stackTrace, .arrayOfMaps, .hashOfMaps, .devmap, .devmapHash, .cpumap, .xskmap,
      .sockmap, .sockhash, .queue, .stack, .ringbuf, .userRingbuf, .arena, .insnArray, .unspec:
      false
    case .hash, .array, .progArray, .percpuHash, .percpuArray, .lruHash, .lruPercpuHash, .lpmTrie, .cgroupStorage,
      .reuseportSockarray, .percpuCgroupStorage, .skStorage, .structOps, .inodeStorage, .taskStorage, .bloomFilter,
      .cgrpStorage, .rhash:
      true
    }
  }
}

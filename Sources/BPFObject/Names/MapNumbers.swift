/// `enum bpf_map_type` numbers that linking distinguishes (include/uapi/linux/bpf.h).
enum MapType {
  static let hash: UInt32 = 1
  static let array: UInt32 = 2
  static let programArray: UInt32 = 3
  static let perfEventArray: UInt32 = 4
  static let perCPUArray: UInt32 = 6
  static let stackTrace: UInt32 = 7
  static let cgroupArray: UInt32 = 8
  static let lpmTrie: UInt32 = 11
  static let arrayOfMaps: UInt32 = 12
  static let hashOfMaps: UInt32 = 13
  static let devmap: UInt32 = 14
  static let sockmap: UInt32 = 15
  static let cpumap: UInt32 = 16
  static let xskmap: UInt32 = 17
  static let sockhash: UInt32 = 18
  static let queue: UInt32 = 22
  static let stack: UInt32 = 23
  static let devmapHash: UInt32 = 25
  static let structOps: UInt32 = 26
  static let ringBuffer: UInt32 = 27
  static let userRingBuffer: UInt32 = 31
  static let arena: UInt32 = 33

  /// Types for which BPF_MAP_CREATE refuses BTF type ids (libbpf, bpf_object__create_map).
  static let withoutBTF: Set<UInt32> = [
    perfEventArray, cgroupArray, stackTrace, arrayOfMaps, hashOfMaps, devmap, devmapHash, cpumap, xskmap, sockmap,
    sockhash, queue, stack, ringBuffer, userRingBuffer, arena,
  ]
}

/// `BPF_F_*` of BPF_MAP_CREATE that linking sets.
enum MapFlag {
  static let readOnlyProgram: UInt32 = 128
  static let mmapable: UInt32 = 1024
}

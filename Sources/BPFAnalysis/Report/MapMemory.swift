internal import BPFObject
internal import KernelABI

/// How much of the kernel's memory a map of plain values can take once it is full, from its shape alone.
///
/// A map's entries are dearer than their keys and values: a hash table of one-byte keys and values takes 64 bytes an
/// entry. The figures are the sizes of the kernel's own structures on 64-bit machines (kernel/bpf/arraymap.c, hashtab.c,
/// lpm_trie.c, queue_stack_maps.c, ringbuf.c, devmap.c of Linux 6.18), rounded up; the map's head is left out.
enum MapMemory {
  /// `struct htab_elem` before its key, and `struct bucket`, of which there is one an entry at least.
  private static let hashEntry: UInt64 = 48 + 2 * 16
  /// `struct lpm_trie_node`, whose `data` takes the key behind its prefix length; and the node above, without a value.
  private static let trieEntry: UInt64 = 2 * 40
  /// `struct bpf_dtab_netdev` or `bpf_cpu_map_entry`, and the pointer to it.
  private static let place: UInt64 = 8 + 192

  /// Bytes at most; values of per-CPU maps count once, though every processor has its own. 0 for the types that
  /// ``RestrictedClass`` does not take at all.
  static func bytes(of map: LinkedMap) -> UInt64 {
    let key = rounded(map.keySize)
    let value = rounded(map.valueSize)
    let entries = UInt64(map.maxEntries)
    switch map.type {
    case .array: return product(entries, value)
    case .percpuArray: return product(entries, 8 + value)
    case .hash, .lruHash: return product(entries, hashEntry + key + value)
    case .percpuHash, .lruPercpuHash: return product(entries, hashEntry + key + 8 + value)
    case .lpmTrie: return product(entries, trieEntry + 2 * key + value)
    case .queue, .stack: return product(entries + 1, UInt64(map.valueSize))
    // As many bytes as entries, and a page or two for the positions.
    case .ringbuf: return entries
    // At most 15 hashes: 21 bits an entry, to the next power of two.
    case .bloomFilter: return product(entries, 8)
    case .perfEventArray, .xskmap, .reuseportSockarray: return product(entries, 8)
    case .devmap, .devmapHash, .cpumap: return product(entries, place)
    case .unspec, .progArray, .stackTrace, .cgroupArray, .arrayOfMaps, .hashOfMaps, .sockmap, .sockhash,
      .cgroupStorage, .percpuCgroupStorage, .skStorage, .structOps, .inodeStorage, .taskStorage, .userRingbuf,
      .cgrpStorage, .arena, .insnArray, .rhash:
      return 0
    }
  }

  /// Both fit into 33 bits, so the sum of a few does not overflow either.
  private static func rounded(_ size: UInt32) -> UInt64 { (UInt64(size) + 7) & ~7 }

  private static func product(_ count: UInt64, _ size: UInt64) -> UInt64 {
    let (bytes, overflow) = count.multipliedReportingOverflow(by: size)
    return overflow ? .max : bytes
  }
}

internal import KernelABI

/// What a program does beyond the packet or socket it was called for (`x_class=RESTRICTED` in a policy).
///
/// A restricted program can look at, change or drop what it was called with, keep bounded notes in maps of its own, and
/// tell the time. It cannot read or write any other memory, of the kernel or of a process, nor look for other sockets; it
/// cannot stop, wait, run for longer than the verifier has followed it, or be called from anywhere in the kernel; it
/// cannot reach another program or another program's maps. Everything is allowed by name, so what a newer kernel brings
/// is not restricted until it is looked at.
enum RestrictedClass {
  /// Bytes that the maps of a restricted program may take together, those of per-CPU maps for each processor.
  static let mapByteLimit: UInt64 = 16 << 20

  /// Why a program is not restricted; empty when it is.
  ///
  /// - Parameter maps: all of the object's, for they are made whether this program uses them or not.
  static func objections(
    kind: String, isSleepable: Bool, maysGoOn: Bool, helpers: [HelperUse], kernelReads: [KernelRead],
    kernelSymbols: [String], maps: [LinkedMap], unfollowed: [UnfollowedConstruct]
  ) -> [ClassObjection] {
    var found: [ClassObjection] = []
    if !hasPacketOrSocket(kind) { found.append(.programType(kind)) }
    if isSleepable { found.append(.sleeps) }
    if maysGoOn { found.append(.goesOn) }
    for helper in helpers where KnownHelper[helper.id]?.traits.contains(.restricted) != true {
      found.append(.helper(helper))
    }
    for symbol in kernelSymbols { found.append(.kernelSymbol(symbol)) }
    if kernelReads.contains(where: { $0.means == .pointer }) { found.append(.followsPointers) }
    for map in maps {
      if !holdsPlainValues(TypeNames.map(map.type)) { found.append(.mapType(map)) }
      if map.pinsByName { found.append(.sharedMap(map.name)) }
    }
    let byteCount = maps.reduce(UInt64(0)) { sum, map in
      let (total, overflow) = sum.addingReportingOverflow(MapMemory.bytes(of: map))
      return overflow ? .max : total
    }
    if byteCount > mapByteLimit { found.append(.mapMemory) }
    for construct in unfollowed { found.append(.unfollowed(construct)) }
    return found
  }

  /// Types of programs that are called with a packet or a socket, and with nothing else.
  private static func hasPacketOrSocket(_ programType: String) -> Bool {
    switch programType {
    case "socket_filter", "sched_cls", "sched_act", "xdp", "cgroup_skb", "lwt_in", "lwt_out", "lwt_xmit", "sk_skb",
      "sk_msg", "sk_reuseport", "sk_lookup", "flow_dissector":
      true
    default: false
    }
  }

  /// Types of maps that hold plain values, or where packets go.
  private static func holdsPlainValues(_ mapType: String) -> Bool {
    switch mapType {
    case "hash", "array", "percpu_hash", "percpu_array", "lru_hash", "lru_percpu_hash", "lpm_trie", "queue", "stack",
      "ringbuf", "perf_event_array", "bloom_filter", "devmap", "devmap_hash", "cpumap", "xskmap",
      "reuseport_sockarray":
      true
    default: false
    }
  }
}

/// One reason why a program is not restricted.
public enum ClassObjection: Equatable, Sendable, CustomStringConvertible {
  case programType(String)
  case sleeps
  case goesOn
  case helper(HelperUse)
  case kernelSymbol(String)
  case followsPointers
  case mapType(LinkedMap)
  case sharedMap(String)
  case mapMemory
  case unfollowed(UnfollowedConstruct)

  /// In words, for people.
  public var description: String {
    switch self {
    case .programType(let kind): "programs of type \(kind) are called for more than a packet or socket"
    case .sleeps: "it may sleep"
    case .goesOn: "it has a loop that only a clock or counter ends when it runs (may_goto)"
    case .helper(let helper): "it calls \(helper.label)"
    case .kernelSymbol(let symbol): "it uses the kernel's own \(symbol)"
    case .followsPointers: "it follows pointers into the kernel"
    case .mapType(let map): "map \(map.name) is of type \(TypeNames.map(map.type))"
    case .sharedMap(let name): "map \(name) is shared by its name"
    case .unfollowed(let construct): "it has \(construct.description), which the analysis does not follow"
    case .mapMemory: "its maps take more than \(RestrictedClass.mapByteLimit >> 20) MiB"
    }
  }
}

public import BPFObject
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
  /// Maps that the object of a restricted program may have. Each takes some kilobytes for itself, a ring buffer twenty, which
  /// ``mapByteLimit`` does not count.
  static let mapLimit = 256
  /// How many times a function may run that the verifier follows once, by itself.
  static let callLimit = 16

  /// Why a program is not restricted; empty when it is.
  ///
  /// - Parameter shared: what ``objections(to:limit:)`` says of all of the object's maps, for they are made whether this
  ///   program uses them or not.
  static func objections(
    type: ProgramType, isSleepable: Bool, maysGoOn: Bool, helpers: [HelperUse], kernelReads: [KernelRead],
    kernelSymbols: [String], shared: [ClassObjection], unfollowed: [UnfollowedConstruct]
  ) -> [ClassObjection] {
    var found: [ClassObjection] = []
    if !hasPacketOrSocket(type) { found.append(.programType(type.name)) }
    if isSleepable { found.append(.sleeps) }
    if maysGoOn { found.append(.goesOn) }
    for helper in helpers where KnownHelper[helper.id]?.traits.contains(.restricted) != true {
      found.append(.helper(helper))
    }
    for symbol in kernelSymbols { found.append(.kernelSymbol(symbol)) }
    if kernelReads.contains(where: { $0.means == .pointer }) { found.append(.followsPointers) }
    found += shared
    for construct in unfollowed { found.append(.unfollowed(construct)) }
    return found
  }

  /// What keeps the programs of an object with these maps from being restricted.
  ///
  /// - Parameter limit: objections that are listed at most; one is as good as many.
  static func objections(to maps: [LinkedMap], limit: Int) -> [ClassObjection] {
    var found: [ClassObjection] = []
    for map in maps where found.count < limit {
      if !holdsPlainValues(map.type) { found.append(.mapType(map)) }
      if map.pinsByName { found.append(.sharedMap(map.name)) }
    }
    let byteCount = maps.reduce(UInt64(0)) { sum, map in
      let (total, overflow) = sum.addingReportingOverflow(MapMemory.bytes(of: map))
      return overflow ? .max : total
    }
    if byteCount > mapByteLimit { found.append(.mapMemory) }
    if maps.count > mapLimit { found.append(.mapCount) }
    return found
  }

  /// Types of programs that are called with a packet or a socket, and with nothing else.
  static func hasPacketOrSocket(_ type: ProgramType) -> Bool {
    switch type {
    case .socketFilter, .schedCls, .schedAct, .xdp, .cgroupSkb, .lwtIn, .lwtOut, .lwtXmit, .skSkb, .skMsg,
      .skReuseport, .skLookup, .flowDissector:
      true
    case .unspec, .kprobe, .tracepoint, .perfEvent, .cgroupSock, .sockOps, .cgroupDevice, .rawTracepoint,
      .cgroupSockAddr, .lwtSeg6local, .lircMode2, .cgroupSysctl, .rawTracepointWritable, .cgroupSockopt, .tracing,
      .structOps, .ext, .lsm, .syscall, .netfilter:
      false
    }
  }

  /// Types of maps that hold plain values, or where packets go.
  private static func holdsPlainValues(_ type: MapType) -> Bool {
    switch type {
    case .hash, .array, .percpuHash, .percpuArray, .lruHash, .lruPercpuHash, .lpmTrie, .queue, .stack, .ringbuf,
      .perfEventArray, .bloomFilter, .devmap, .devmapHash, .cpumap, .xskmap, .reuseportSockarray:
      true
    case .unspec, .progArray, .stackTrace, .cgroupArray, .arrayOfMaps, .hashOfMaps, .sockmap, .sockhash,
      .cgroupStorage, .percpuCgroupStorage, .skStorage, .structOps, .inodeStorage, .taskStorage, .userRingbuf,
      .cgrpStorage, .arena, .insnArray, .rhash:
      false
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
  case mapCount
  /// It may read its stack where it has not written, at this instruction.
  case readsUnwrittenStack(Int)
  /// A function that the verifier follows once, which starts at this instruction, runs many times.
  case repeatsFunction(Int)
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
    case .mapType(let map): "map \(map.name) is of type \(map.unknownType.map { "\($0)" } ?? map.type.name)"
    case .sharedMap(let name): "map \(name) is shared by its name"
    case .unfollowed(let construct): "it has \(construct.description), which the analysis does not follow"
    case .mapCount: "its object has more than \(RestrictedClass.mapLimit) maps"
    case .readsUnwrittenStack(let index): "it may read its stack at instruction \(index) without having written there"
    case .repeatsFunction(let index):
      "the global function at instruction \(index) may run more than \(RestrictedClass.callLimit) times a call, and is "
        + "verified once"
    case .mapMemory: "its maps take more than \(RestrictedClass.mapByteLimit >> 20) MiB"
    }
  }
}

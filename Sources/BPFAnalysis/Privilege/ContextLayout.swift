internal import BPFObject
internal import KernelABI

/// Where a program's context holds pointers (include/uapi/linux/bpf.h; the `is_valid_access` of net/core/filter.c).
enum ContextLayout {
  /// What a load from the context brings.
  static func sorts(_ type: ProgramType, _ place: DecodedInstruction.Place) -> PointerUse.Sorts {
    if place.size == .word { return packetPlaces(type).contains(place.offset) ? .packet : .number }
    guard place.size == .doubleWord else { return .number }
    switch type {
    // `struct __sk_buff`: flow_keys and sk; tstamp and hwtstamp are numbers.
    case .socketFilter, .schedCls, .schedAct, .cgroupSkb, .lwtIn, .lwtOut, .lwtXmit, .lwtSeg6local, .skSkb,
      .flowDissector:
      return [144, 168].contains(place.offset) ? .other : .number
    // data and data_end, and the like: the beginning and the end of memory are compared as those of a packet are.
    case .skMsg, .skReuseport, .cgroupSockopt: return place.offset < 24 ? .packet : .other
    case .sockOps: return place.offset >= 184 ? .packet : .number
    case .skLookup: return place.offset == 0 ? .other : .number
    case .cgroupSockAddr, .cgroupSock, .netfilter: return .other
    case .unspec, .kprobe, .tracepoint, .xdp, .perfEvent, .cgroupDevice, .rawTracepoint, .lircMode2, .cgroupSysctl,
      .rawTracepointWritable, .tracing, .structOps, .ext, .lsm, .syscall:
      return .number
    }
  }

  /// Offsets of words that stand for addresses of a packet.
  private static func packetPlaces(_ type: ProgramType) -> [Int] {
    switch type {
    // `struct xdp_md`: data, data_end, data_meta.
    case .xdp: [0, 4, 8]
    // `struct __sk_buff`: data, data_end, data_meta.
    case .schedCls, .schedAct, .cgroupSkb, .lwtIn, .lwtOut, .lwtXmit, .lwtSeg6local, .skSkb, .flowDissector:
      [76, 80, 140]
    case .unspec, .socketFilter, .kprobe, .tracepoint, .perfEvent, .cgroupSock, .sockOps, .cgroupDevice, .skMsg,
      .rawTracepoint, .cgroupSockAddr, .lircMode2, .skReuseport, .cgroupSysctl, .rawTracepointWritable, .cgroupSockopt,
      .tracing, .structOps, .ext, .lsm, .skLookup, .syscall, .netfilter:
      []
    }
  }
}

internal import BPFObject
internal import KernelABI

/// An argument of a helper that is the address of memory: how much of it the helper reads, and whether it has written all of
/// it when it returns.
///
/// Source: the `bpf_func_proto` of each helper, and what it does where it fails (net/core/filter.c, kernel/bpf/helpers.c,
/// kernel/bpf/ringbuf.c).
struct MemoryArgument {
  /// How long the memory is.
  enum Size {
    case bytes(Int)
    /// As the number in this register says.
    case register(Int)
    /// A key of the map in this register.
    case key(ofMap: Int)
    /// A value of the map in the first register.
    case value
  }

  let register: Int
  let size: Size
  let isRead: Bool
  /// Whether all of it is written whatever the helper returns.
  let isWritten: Bool

  private static func read(_ register: Int, _ size: Size) -> MemoryArgument {
    MemoryArgument(register: register, size: size, isRead: true, isWritten: false)
  }

  /// Read, and perhaps written over.
  private static func changed(_ register: Int, _ size: Size) -> MemoryArgument { read(register, size) }

  private static func written(_ register: Int, _ size: Size) -> MemoryArgument {
    MemoryArgument(register: register, size: size, isRead: false, isWritten: true)
  }

  /// Bytes, where what is known before the call says how many.
  func size(_ state: borrowing MachineState, _ surroundings: Interpreter.Surroundings) -> Int? {
    switch size {
    case .bytes(let count): return count
    case .register(let register):
      guard case .constant(let number) = state[register].number else { return nil }
      return Int(exactly: number)
    case .key(let register): return Self.map(state[register], surroundings).map { Int($0.keySize) }
    case .value: return Self.map(state[1], surroundings).map { Int($0.valueSize) }
    }
  }

  private static func map(_ value: AbstractValue, _ surroundings: Interpreter.Surroundings) -> LinkedMap? {
    guard case .map(let index) = value.number, surroundings.maps.indices.contains(Int(index)) else { return nil }
    return surroundings.maps[Int(index)]
  }

  /// Of all helpers that a restricted program may call.
  static let all: [Helper: [MemoryArgument]] = [
    .mapLookupElem: [.read(2, .key(ofMap: 1))],
    .mapUpdateElem: [.read(2, .key(ofMap: 1)), .read(3, .value)],
    .mapDeleteElem: [.read(2, .key(ofMap: 1))],
    .ktimeGetNs: [], .getPrandomU32: [], .getSmpProcessorId: [],
    .skbStoreBytes: [.read(3, .register(4))],
    .l3CsumReplace: [], .l4CsumReplace: [], .getCgroupClassid: [], .skbVlanPush: [], .skbVlanPop: [],
    .skbGetTunnelKey: [.written(2, .register(3))],
    .skbSetTunnelKey: [.read(2, .register(3))],
    .redirect: [], .getRouteRealm: [],
    .perfEventOutput: [.read(4, .register(5))],
    .skbLoadBytes: [.written(3, .register(4))],
    .csumDiff: [.read(1, .register(2)), .read(3, .register(4))],
    .skbGetTunnelOpt: [.written(2, .register(3))],
    .skbSetTunnelOpt: [.read(2, .register(3))],
    .skbChangeProto: [], .skbChangeType: [], .getHashRecalc: [], .skbChangeTail: [], .skbPullData: [], .csumUpdate: [],
    .setHashInvalid: [], .getNumaNodeId: [], .skbChangeHead: [], .xdpAdjustHead: [], .getSocketCookie: [],
    .getSocketUid: [], .setHash: [], .skbAdjustRoom: [], .redirectMap: [], .xdpAdjustMeta: [], .msgApplyBytes: [],
    .msgCorkBytes: [], .msgPullData: [], .xdpAdjustTail: [],
    .skbLoadBytesRelative: [.written(3, .register(4))],
    .fibLookup: [.changed(2, .register(3))],
    .skSelectReuseport: [.read(3, .key(ofMap: 2))],
    .skRelease: [],
    .mapPushElem: [.read(2, .value)],
    // What is not there is all zeros; a bloom filter is asked about the value.
    .mapPopElem: [.written(2, .value)],
    .mapPeekElem: [.changed(2, .value)],
    .msgPushData: [], .msgPopData: [], .spinLock: [], .spinUnlock: [], .skFullsock: [], .tcpSock: [], .skbEcnSetCe: [],
    .getListenerSock: [],
    .tcpCheckSyncookie: [.read(2, .register(3)), .read(4, .register(5))],
    // A text that is no number leaves the result alone before Linux 6.12.
    .strtol: [.read(1, .register(2)), .changed(4, .bytes(8))],
    .strtoul: [.read(1, .register(2)), .changed(4, .bytes(8))],
    .tcpGenSyncookie: [.read(2, .register(3)), .read(4, .register(5))],
    .jiffies64: [], .getNetnsCookie: [], .skAssign: [], .ktimeGetBootNs: [],
    .ringbufOutput: [.read(2, .register(3))],
    .ringbufReserve: [], .ringbufSubmit: [], .ringbufDiscard: [], .ringbufQuery: [], .csumLevel: [],
    .skbCgroupClassid: [],
    .redirectNeigh: [.read(2, .register(3))],
    .redirectPeer: [], .ktimeGetCoarseNs: [],
    .checkMtu: [.changed(3, .bytes(4))],
    .strncmp: [.read(1, .register(2))],
    .xdpGetBuffLen: [],
    // Nothing is written where the packet is shorter.
    .xdpLoadBytes: [.changed(3, .register(4))],
    .xdpStoreBytes: [.read(3, .register(4))],
    .mapLookupPercpuElem: [.read(2, .key(ofMap: 1))],
    .ktimeGetTaiNs: [],
  ]
}

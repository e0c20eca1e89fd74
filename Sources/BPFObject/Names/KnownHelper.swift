internal import KernelABI

/// What is known of one helper: the properties that the analyses ask about.
///
/// One table, for all of them are asked about every call of every program, and a literal is laid out by the compiler and
/// needs no time at the start. What nobody has looked at has no property; the analyses take it for the worst.
package struct KnownHelper: Sendable {
  package struct Traits: OptionSet, Sendable {
    package let rawValue: UInt8

    /// It stays with maps, time and the packet or socket in hand, and may be called by a restricted program
    /// (``RestrictedClass``). Left out are those that call back a number of times which the verifier does not follow
    /// (`loop`, `for_each_map_elem`: nested, they hold a processor for hours), those that find other sockets than the one
    /// in hand, and `snprintf`, which prints the string behind any address (`%s`) without asking lockdown.
    package static let restricted = Traits(rawValue: 1)
    /// It finds other sockets, and copies nothing from the kernel but what its arguments point to.
    static let findsSockets = Traits(rawValue: 2)
    /// It needs CAP_PERFMON.
    package static let needsPerfmon = Traits(rawValue: 4)
    /// It copies kernel memory: size in r2, address in r3.
    package static let copiesKernel = Traits(rawValue: 8)
    /// It returns a pointer to a kernel structure (RET_PTR_TO_BTF_ID and its like, net/core/filter.c,
    /// kernel/bpf/helpers.c, kernel/trace/bpf_trace.c).
    package static let returnsPointer = Traits(rawValue: 16)
    /// It calls a function of the program's own, whose address it is given.
    package static let callsBack = Traits(rawValue: 32)

    package init(rawValue: UInt8) {
      self.rawValue = rawValue
    }
  }

  let helper: Helper
  package let traits: Traits
  /// One bit a register: arguments that it reads memory through, for a helper that reads no kernel memory but what its
  /// arguments point to; nil for those that may read more, and for those that nobody looked at. A pointer to a kernel
  /// structure in one of these registers would have the structure's bytes copied (kernel/bpf/verifier.c, mem_types).
  package let memory: UInt16?
  /// What calling it lets a program do, as annotations have it; nil when that follows from the traits, or is nothing.
  package let power: ProgramPower?

  /// - Parameters:
  ///   - arguments: how many it has, as far as that was looked at (kernel/bpf/helpers.c, kernel/trace/bpf_trace.c).
  ///   - handle: the argument that names a structure of the kernel without its being read; 0 for none.
  private init(
    _ helper: Helper, arguments: UInt16? = nil, handle: UInt16 = 0, _ traits: Traits = [], power: ProgramPower? = nil
  ) {
    self.helper = helper
    self.traits = traits
    self.power = power
    if let arguments {
      // Registers 1 to the last argument.
      let all = (UInt16(1) << (arguments + 1)) &- 2
      memory = handle == 0 ? all : all & ~(1 << handle)
    } else {
      memory = traits.isDisjoint(with: [.restricted, .findsSockets]) ? nil : 0x3e
    }
  }

  /// By number; nil for a number that no kernel has.
  package static subscript(_ id: UInt32) -> KnownHelper? { id > 0 && id < UInt32(all.count) ? all[Int(id)] : nil }

  /// By number.
  static let all: [KnownHelper] = [
    KnownHelper(.unspec),
    KnownHelper(.mapLookupElem, arguments: 2, .restricted),
    KnownHelper(.mapUpdateElem, arguments: 4, .restricted),
    KnownHelper(.mapDeleteElem, arguments: 2, .restricted),
    KnownHelper(.probeRead, [.needsPerfmon, .copiesKernel]),
    KnownHelper(.ktimeGetNs, arguments: 0, .restricted),
    KnownHelper(.tracePrintk, .needsPerfmon, power: .readKernel),
    KnownHelper(.getPrandomU32, arguments: 0, .restricted),
    KnownHelper(.getSmpProcessorId, arguments: 0, .restricted),
    KnownHelper(.skbStoreBytes, .restricted),
    KnownHelper(.l3CsumReplace, .restricted),
    KnownHelper(.l4CsumReplace, .restricted),
    KnownHelper(.tailCall, arguments: 3),
    KnownHelper(.cloneRedirect),
    KnownHelper(.getCurrentPidTgid, arguments: 0),
    KnownHelper(.getCurrentUidGid, arguments: 0),
    KnownHelper(.getCurrentComm, arguments: 2),
    KnownHelper(.getCgroupClassid, .restricted),
    KnownHelper(.skbVlanPush, .restricted),
    KnownHelper(.skbVlanPop, .restricted),
    KnownHelper(.skbGetTunnelKey, .restricted),
    KnownHelper(.skbSetTunnelKey, .restricted),
    KnownHelper(.perfEventRead),
    KnownHelper(.redirect, .restricted),
    KnownHelper(.getRouteRealm, .restricted),
    KnownHelper(.perfEventOutput, arguments: 5, .restricted),
    KnownHelper(.skbLoadBytes, .restricted),
    KnownHelper(.getStackid, power: .readKernel),
    KnownHelper(.csumDiff, .restricted),
    KnownHelper(.skbGetTunnelOpt, .restricted),
    KnownHelper(.skbSetTunnelOpt, .restricted),
    KnownHelper(.skbChangeProto, .restricted),
    KnownHelper(.skbChangeType, .restricted),
    KnownHelper(.skbUnderCgroup),
    KnownHelper(.getHashRecalc, .restricted),
    KnownHelper(.getCurrentTask, arguments: 0, .needsPerfmon),
    KnownHelper(.probeWriteUser, power: .writeUser),
    KnownHelper(.currentTaskUnderCgroup, arguments: 2),
    KnownHelper(.skbChangeTail, .restricted),
    KnownHelper(.skbPullData, .restricted),
    KnownHelper(.csumUpdate, .restricted),
    KnownHelper(.setHashInvalid, .restricted),
    KnownHelper(.getNumaNodeId, arguments: 0, .restricted),
    KnownHelper(.skbChangeHead, .restricted),
    KnownHelper(.xdpAdjustHead, .restricted),
    KnownHelper(.probeReadStr, [.needsPerfmon, .copiesKernel]),
    KnownHelper(.getSocketCookie, .restricted),
    KnownHelper(.getSocketUid, .restricted),
    KnownHelper(.setHash, .restricted),
    KnownHelper(.setsockopt),
    KnownHelper(.skbAdjustRoom, .restricted),
    KnownHelper(.redirectMap, .restricted),
    KnownHelper(.skRedirectMap),
    KnownHelper(.sockMapUpdate),
    KnownHelper(.xdpAdjustMeta, .restricted),
    KnownHelper(.perfEventReadValue),
    KnownHelper(.perfProgReadValue),
    KnownHelper(.getsockopt),
    KnownHelper(.overrideReturn, arguments: 2, power: .overrideReturn),
    KnownHelper(.sockOpsCbFlagsSet),
    KnownHelper(.msgRedirectMap),
    KnownHelper(.msgApplyBytes, .restricted),
    KnownHelper(.msgCorkBytes, .restricted),
    KnownHelper(.msgPullData, .restricted),
    KnownHelper(.bind),
    KnownHelper(.xdpAdjustTail, .restricted),
    KnownHelper(.skbGetXfrmState),
    KnownHelper(.getStack, power: .readKernel),
    KnownHelper(.skbLoadBytesRelative, .restricted),
    KnownHelper(.fibLookup, .restricted),
    KnownHelper(.sockHashUpdate),
    KnownHelper(.msgRedirectHash),
    KnownHelper(.skRedirectHash),
    KnownHelper(.lwtPushEncap),
    KnownHelper(.lwtSeg6StoreBytes),
    KnownHelper(.lwtSeg6AdjustSrh),
    KnownHelper(.lwtSeg6Action),
    KnownHelper(.rcRepeat),
    KnownHelper(.rcKeydown),
    KnownHelper(.skbCgroupId),
    KnownHelper(.getCurrentCgroupId, arguments: 0),
    KnownHelper(.getLocalStorage),
    KnownHelper(.skSelectReuseport, .restricted),
    KnownHelper(.skbAncestorCgroupId),
    KnownHelper(.skLookupTcp, .findsSockets),
    KnownHelper(.skLookupUdp, .findsSockets),
    KnownHelper(.skRelease, .restricted),
    KnownHelper(.mapPushElem, arguments: 3, .restricted),
    KnownHelper(.mapPopElem, arguments: 2, .restricted),
    KnownHelper(.mapPeekElem, arguments: 2, .restricted),
    KnownHelper(.msgPushData, .restricted),
    KnownHelper(.msgPopData, .restricted),
    KnownHelper(.rcPointerRel),
    KnownHelper(.spinLock, arguments: 1, .restricted),
    KnownHelper(.spinUnlock, arguments: 1, .restricted),
    KnownHelper(.skFullsock, .restricted),
    KnownHelper(.tcpSock, .restricted),
    KnownHelper(.skbEcnSetCe, .restricted),
    KnownHelper(.getListenerSock, .restricted),
    KnownHelper(.skcLookupTcp, .findsSockets),
    KnownHelper(.tcpCheckSyncookie, .restricted),
    KnownHelper(.sysctlGetName),
    KnownHelper(.sysctlGetCurrentValue),
    KnownHelper(.sysctlGetNewValue),
    KnownHelper(.sysctlSetNewValue),
    KnownHelper(.strtol, arguments: 4, .restricted),
    KnownHelper(.strtoul, arguments: 4, .restricted),
    KnownHelper(.skStorageGet, arguments: 4, handle: 2),
    KnownHelper(.skStorageDelete, arguments: 2, handle: 2),
    KnownHelper(.sendSignal, arguments: 1, power: .signal),
    KnownHelper(.tcpGenSyncookie, .restricted),
    KnownHelper(.skbOutput, power: .readKernel),
    KnownHelper(.probeReadUser, arguments: 3, .needsPerfmon, power: .readUser),
    KnownHelper(.probeReadKernel, [.needsPerfmon, .copiesKernel]),
    KnownHelper(.probeReadUserStr, arguments: 3, .needsPerfmon, power: .readUser),
    KnownHelper(.probeReadKernelStr, [.needsPerfmon, .copiesKernel]),
    KnownHelper(.tcpSendAck),
    KnownHelper(.sendSignalThread, arguments: 1, power: .signal),
    KnownHelper(.jiffies64, arguments: 0, .restricted),
    KnownHelper(.readBranchRecords, power: .readKernel),
    KnownHelper(.getNsCurrentPidTgid, arguments: 4),
    KnownHelper(.xdpOutput, power: .readKernel),
    KnownHelper(.getNetnsCookie, .restricted),
    KnownHelper(.getCurrentAncestorCgroupId, arguments: 1),
    KnownHelper(.skAssign, .restricted),
    KnownHelper(.ktimeGetBootNs, arguments: 0, .restricted),
    KnownHelper(.seqPrintf, power: .readKernel),
    KnownHelper(.seqWrite),
    KnownHelper(.skCgroupId),
    KnownHelper(.skAncestorCgroupId),
    KnownHelper(.ringbufOutput, arguments: 4, .restricted),
    KnownHelper(.ringbufReserve, arguments: 3, .restricted),
    KnownHelper(.ringbufSubmit, arguments: 2, .restricted),
    KnownHelper(.ringbufDiscard, arguments: 2, .restricted),
    KnownHelper(.ringbufQuery, arguments: 2, .restricted),
    KnownHelper(.csumLevel, .restricted),
    KnownHelper(.skcToTcp6Sock, .returnsPointer),
    KnownHelper(.skcToTcpSock, .returnsPointer),
    KnownHelper(.skcToTcpTimewaitSock, .returnsPointer),
    KnownHelper(.skcToTcpRequestSock, .returnsPointer),
    KnownHelper(.skcToUdp6Sock, .returnsPointer),
    KnownHelper(.getTaskStack, power: .readKernel),
    KnownHelper(.loadHdrOpt),
    KnownHelper(.storeHdrOpt),
    KnownHelper(.reserveHdrOpt),
    KnownHelper(.inodeStorageGet, arguments: 4, handle: 2),
    KnownHelper(.inodeStorageDelete, arguments: 2, handle: 2),
    KnownHelper(.dPath, power: .readKernel),
    KnownHelper(.copyFromUser, arguments: 3, power: .readUser),
    KnownHelper(.snprintfBtf, .needsPerfmon, power: .readKernel),
    KnownHelper(.seqPrintfBtf, power: .readKernel),
    KnownHelper(.skbCgroupClassid, .restricted),
    KnownHelper(.redirectNeigh, .restricted),
    KnownHelper(.perCpuPtr, arguments: 2, handle: 1, .returnsPointer),
    KnownHelper(.thisCpuPtr, arguments: 1, handle: 1, .returnsPointer),
    KnownHelper(.redirectPeer, .restricted),
    KnownHelper(.taskStorageGet, arguments: 4, handle: 2),
    KnownHelper(.taskStorageDelete, arguments: 2, handle: 2),
    KnownHelper(.getCurrentTaskBtf, arguments: 0, [.needsPerfmon, .returnsPointer]),
    KnownHelper(.bprmOptsSet),
    KnownHelper(.ktimeGetCoarseNs, arguments: 0, .restricted),
    KnownHelper(.imaInodeHash, power: .readKernel),
    KnownHelper(.sockFromFile, .returnsPointer),
    KnownHelper(.checkMtu, .restricted),
    KnownHelper(.forEachMapElem, arguments: 4, .callsBack),
    KnownHelper(.snprintf, .needsPerfmon, power: .readKernel),
    KnownHelper(.sysBpf, .needsPerfmon, power: .kernelFunctions),
    KnownHelper(.btfFindByNameKind, power: .kernelFunctions),
    KnownHelper(.sysClose, power: .kernelFunctions),
    KnownHelper(.timerInit, arguments: 3),
    KnownHelper(.timerSetCallback, arguments: 2, .callsBack),
    KnownHelper(.timerStart, arguments: 3),
    KnownHelper(.timerCancel, arguments: 1),
    KnownHelper(.getFuncIp, arguments: 1),
    KnownHelper(.getAttachCookie, arguments: 1),
    KnownHelper(.taskPtRegs, [.needsPerfmon, .returnsPointer]),
    KnownHelper(.getBranchSnapshot, power: .readKernel),
    KnownHelper(.traceVprintk, .needsPerfmon, power: .readKernel),
    KnownHelper(.skcToUnixSock, .returnsPointer),
    KnownHelper(.kallsymsLookupName, .needsPerfmon, power: .kernelFunctions),
    KnownHelper(.findVma, .callsBack),
    KnownHelper(.loop, arguments: 4, .callsBack),
    KnownHelper(.strncmp, arguments: 3, .restricted),
    KnownHelper(.getFuncArg, arguments: 3),
    KnownHelper(.getFuncRet, arguments: 2),
    KnownHelper(.getFuncArgCnt, arguments: 1),
    KnownHelper(.getRetval, arguments: 0),
    KnownHelper(.setRetval, arguments: 1),
    KnownHelper(.xdpGetBuffLen, .restricted),
    KnownHelper(.xdpLoadBytes, .restricted),
    KnownHelper(.xdpStoreBytes, .restricted),
    KnownHelper(.copyFromUserTask, arguments: 5, handle: 4, power: .readUser),
    KnownHelper(.skbSetTstamp),
    KnownHelper(.imaFileHash, power: .readKernel),
    KnownHelper(.kptrXchg, arguments: 2, handle: 2, .returnsPointer),
    KnownHelper(.mapLookupPercpuElem, arguments: 3, .restricted),
    KnownHelper(.skcToMptcpSock, .returnsPointer),
    KnownHelper(.dynptrFromMem),
    KnownHelper(.ringbufReserveDynptr),
    KnownHelper(.ringbufSubmitDynptr),
    KnownHelper(.ringbufDiscardDynptr),
    KnownHelper(.dynptrRead),
    KnownHelper(.dynptrWrite),
    KnownHelper(.dynptrData),
    KnownHelper(.tcpRawGenSyncookieIpv4),
    KnownHelper(.tcpRawGenSyncookieIpv6),
    KnownHelper(.tcpRawCheckSyncookieIpv4),
    KnownHelper(.tcpRawCheckSyncookieIpv6),
    KnownHelper(.ktimeGetTaiNs, arguments: 0, .restricted),
    KnownHelper(.userRingbufDrain, .callsBack),
    KnownHelper(.cgrpStorageGet, arguments: 4, handle: 2),
    KnownHelper(.cgrpStorageDelete, arguments: 2, handle: 2),
  ]
}

public import BPFObject
internal import KernelABI

extension ProgramReport {
  /// Everything of the kind that the program can do, as its instructions and section say.
  public var powers: [ProgramPower] {
    var found: Set<ProgramPower> = []
    for read in kernelReads { found.insert(read.means == .pointer ? .readKernelPointers : .readKernel) }
    if undeclaredReads.contains(where: \.isHandedToHelper) { found.insert(.readKernel) }
    if !kernelSymbols.isEmpty { found.insert(.kernelFunctions) }
    if isSleepable { found.insert(.sleep) }
    if isListening { found.insert(.probe) }
    // What is not followed may read through any pointer; what is not known may do anything that a helper can.
    if !unfollowed.isEmpty { found.insert(.readKernelPointers) }
    if unfollowed.contains(where: \.isUnknown) { found.insert(.unknownHelpers) }
    for helper in helpers {
      guard let known = KnownHelper[helper.id] else {
        found.insert(.unknownHelpers)
        continue
      }
      if let power = known.power { found.insert(power) }
    }
    return found.sorted()
  }

  /// Whether it is called when others do something: every type of program but those that are called with a packet, a
  /// socket or a device, or by a system call of the process that holds the program.
  private var isListening: Bool {
    switch kind.type {
    case .socketFilter, .schedCls, .schedAct, .xdp, .cgroupSkb, .cgroupSock, .lwtIn, .lwtOut, .lwtXmit, .lwtSeg6local,
      .sockOps, .skSkb, .cgroupDevice, .skMsg, .cgroupSockAddr, .lircMode2, .skReuseport, .flowDissector,
      .cgroupSysctl, .cgroupSockopt, .skLookup, .netfilter, .syscall:
      false
    case .tracing: kind.expectedAttachType != .traceIter
    case .unspec, .kprobe, .tracepoint, .perfEvent, .rawTracepoint, .rawTracepointWritable, .structOps, .ext, .lsm:
      true
    }
  }
}

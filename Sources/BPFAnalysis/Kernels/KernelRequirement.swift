internal import BPFObject
public import KernelABI

/// The oldest kernel that can load a program, and what asks for it.
public struct KernelRequirement: Equatable, Sendable {
  /// What asks for a kernel.
  enum Demand: Equatable, Sendable {
    case programType(ProgramType)
    case attachType(AttachType)
    case mapType(MapType)
    /// One that came after all that are known here.
    case unknownMapType
    /// As above, for a program of unknown type.
    case unknownProgramType
    /// As above, for a program that could not be linked.
    case unlinkedProgram
    case mapFlag(MapFlag)
    case programFlag(ProgramFlag)
    case helper(HelperUse)
    /// Information about functions comes with every program. BTF_KIND_FLOAT and BTF_KIND_DECL_TAG are left out: the
    /// object's BTF tells no more than the compiler wrote.
    case typeInformation
    /// Linking refers to maps by their index in `fd_array` (BPF_PSEUDO_MAP_IDX).
    case mapIndexes
    /// `core_relos` of BPF_PROG_LOAD.
    case coreRelocations
    case kernelFunctions
    /// One that came later than the first of them.
    case kernelFunction(String)
  }

  public let version: KernelRelease
  let demand: Demand

  /// What came in that version: `helper bpf_ringbuf_output`, `map type ringbuf`.
  public var reason: String {
    switch demand {
    case .programType(let type): "program type \(type.name)"
    case .attachType(let type): "attach type \(type.name)"
    case .mapType(let type): "map type \(type.name)"
    case .unknownMapType: "a map type newer than this build knows"
    case .unknownProgramType: "a section that says no type of programs"
    case .unlinkedProgram: "a program that cannot be linked"
    case .mapFlag(let flag): "map flag \(flag.headerName)"
    case .programFlag(.sleepable): "sleepable programs"
    case .programFlag(let flag): "program flag \(flag.headerName)"
    case .helper(let helper): "helper \(helper.label)"
    case .typeInformation: "function information (BTF)"
    case .mapIndexes: "maps by index (fd_array)"
    case .coreRelocations: "CO-RE in the kernel"
    case .kernelFunctions: "kernel functions"
    case .kernelFunction(let name): "kernel function \(name)"
    }
  }

  /// Everything in a program that asks for a kernel, each thing once, in the order of the parameters.
  ///
  /// - Parameters:
  ///   - isLinked: whether its instructions are known.
  ///   - maps: those of the object, which are made with every program of it.
  ///   - kernelSymbols: functions and variables of the kernel that it uses.
  static func all(
    of kind: ProgramKind, isLinked: Bool, hasAttachType: Bool, maps: MapKinds, helpers: [HelperUse], hasMaps: Bool,
    relocations: [CoreRelocation], kernelSymbols: [String]
  ) -> [KernelRequirement] {
    var all = [KernelRequirement(version: ProgramLoadFeature.functionInformation.since, demand: .typeInformation)]
    func ask(_ version: KernelRelease?, _ demand: @autoclosure () -> Demand) {
      guard let version else { return }
      let asked = KernelRequirement(version: version, demand: demand())
      if !all.contains(asked) { all.append(asked) }
    }
    if kind.type == .unspec {
      ask(newestKnown, .unknownProgramType)
    } else {
      ask(kind.type.since, .programType(kind.type))
    }
    if !isLinked { ask(newestKnown, .unlinkedProgram) }
    if hasAttachType, isChecked(kind.expectedAttachType) {
      ask(kind.expectedAttachType.since, .attachType(kind.expectedAttachType))
    }
    for type in maps.types {
      if type == .unspec { ask(newestKnown, .unknownMapType) } else { ask(type.since, .mapType(type)) }
    }
    for flag in MapFlag.allCases where maps.flags & flag.rawValue != 0 { ask(flag.since, .mapFlag(flag)) }
    for helper in helpers { ask(Helper(called: helper.id)?.since, .helper(helper)) }
    if hasMaps { ask(ProgramLoadFeature.mapIndexes.since, .mapIndexes) }
    for version in Set(relocations.map { $0.kind?.since ?? ProgramLoadFeature.coreRelocations.since }).sorted() {
      ask(version, .coreRelocations)
    }
    for flag in ProgramFlag.allCases where kind.flags & flag.rawValue != 0 { ask(flag.since, .programFlag(flag)) }
    for symbol in kernelSymbols {
      ask(ProgramLoadFeature.kernelFunctions.since, .kernelFunctions)
      ask(KernelFunctions.since(symbol), .kernelFunction(symbol))
    }
    return all
  }

  /// The release of the newest type that is known here: what is unknown is not older.
  private static let newestKnown =
    max(MapType.allCases.map(\.since).max() ?? .init(0, 0), ProgramType.allCases.map(\.since).max() ?? .init(0, 0))

  /// Whether kernels that do not know an attach type refuse it when the program is loaded. The others take any number
  /// and do not look at it before the program is attached, if then (kernel/bpf/syscall.c, bpf_prog_load_check_attach).
  private static func isChecked(_ type: AttachType) -> Bool {
    switch type {
    case .xdp, .skReuseportSelect, .skReuseportSelectOrMigrate, .skSkbStreamParser, .skSkbStreamVerdict, .skSkbVerdict,
      .skMsgVerdict, .perfEvent, .lircMode2, .flowDissector:
      false
    case .cgroupInetIngress, .cgroupInetEgress, .cgroupInetSockCreate, .cgroupSockOps, .cgroupDevice,
      .cgroupInet4Bind, .cgroupInet6Bind, .cgroupInet4Connect, .cgroupInet6Connect, .cgroupInet4PostBind,
      .cgroupInet6PostBind, .cgroupUdp4Sendmsg, .cgroupUdp6Sendmsg, .cgroupSysctl, .cgroupUdp4Recvmsg,
      .cgroupUdp6Recvmsg, .cgroupGetsockopt, .cgroupSetsockopt, .traceRawTp, .traceFentry, .traceFexit, .modifyReturn,
      .lsmMac, .traceIter, .cgroupInet4Getpeername, .cgroupInet6Getpeername, .cgroupInet4Getsockname,
      .cgroupInet6Getsockname, .xdpDevmap, .cgroupInetSockRelease, .xdpCpumap, .skLookup, .traceKprobeMulti,
      .lsmCgroup, .structOps, .netfilter, .tcxIngress, .tcxEgress, .traceUprobeMulti, .cgroupUnixConnect,
      .cgroupUnixSendmsg, .cgroupUnixRecvmsg, .cgroupUnixGetpeername, .cgroupUnixGetsockname, .netkitPrimary,
      .netkitPeer, .traceKprobeSession, .traceUprobeSession, .traceFsession, .traceFentryMulti, .traceFexitMulti,
      .traceFsessionMulti:
      true
    }
  }
}

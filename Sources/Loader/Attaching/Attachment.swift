internal import Base
internal import KernelABI
internal import BPFObject

/// What a program is attached to. Its section says to what, or to what kind of place; the place then comes from the
/// options.
enum Attachment: Equatable {
  /// A raw tracepoint, by its name.
  case rawTracepoint(String)
  /// A target that was fixed when the program was loaded (`attach_btf_id`).
  case typed(String)
  /// An iterator without parameters.
  case iterator(String)
  /// A structure of functions that the program is a member of, and with which it is registered.
  case structure
  /// A network interface, by the attach type.
  case interface(String, AttachType)
  /// A cgroup's directory, likewise.
  case cgroup(String, AttachType)
  /// A network namespace's file, likewise; nil for this process's own.
  case networkNamespace(String?, AttachType)
  /// A tracepoint, as a performance event: `sched/sched_switch`.
  case tracepoint(String)
  /// A probe in the kernel.
  case kernelProbe(Probe)
  /// Probes in all functions of the kernel that a pattern names, by the attach type.
  case kernelProbes(pattern: String, atReturn: Bool, type: AttachType)
  /// A probe in an executable or library.
  case userProbe(file: String, Probe)
  /// Probes in all functions of a file that a pattern names, by the attach type.
  case userProbes(file: String, pattern: String, atReturn: Bool, type: AttachType)
  /// A place that a program's author marked (USDT).
  case marked(MarkedPlace)
  /// Samples of a performance event on every processor.
  case samples(SampledEvent)
  /// A netfilter hook of this process's network namespace.
  case netfilter(NetfilterHook)
  /// The sockets in a map of the object, by the attach type.
  case sockets(map: String, AttachType)

  /// A place in the code of a kernel or a file.
  struct Probe: Equatable {
    /// A function's name; empty when the offset counts from the file's start.
    var symbol: String
    /// Bytes behind it.
    var offset: UInt64
    /// When the function returns, not when it is called.
    var atReturn: Bool
  }

  /// A marked place: `PATH:PROVIDER:NAME`.
  struct MarkedPlace: Equatable {
    let file: String
    let provider: String
    let name: String
  }

  /// - Throws: ``BPFLoadError/notAttachable(program:section:)`` when nothing can say to what,
  ///   ``BPFLoadError/attachNeeds(program:section:option:)`` when an option has to, and
  ///   ``BPFLoadError/badAttachTarget(program:section:expected:found:)`` when what is said names no place.
  init(_ program: LinkedProgram, _ options: LoadOptions) throws(BPFLoadError) {
    let kind = program.kind
    let target = AttachTarget(program, options)
    let type = kind.expectedAttachType
    switch (kind.type, type) {
    case (.rawTracepoint, _), (.rawTracepointWritable, _): self = .rawTracepoint(try target.text("TRACEPOINT"))
    case (.tracing, .traceRawTp), (.tracing, .traceFentry), (.tracing, .traceFexit), (.tracing, .modifyReturn),
      (.tracing, .traceFsession), (.lsm, .lsmMac):
      self = .typed("kernel \(kind.target)")
    case (.ext, _): self = .typed("function \(kind.target) of \(options.attachTarget ?? "another program")")
    case (.tracing, .traceIter): self = .iterator(kind.target)
    case (.structOps, _): self = .structure
    case (.xdp, .xdp), (.schedCls, .tcxIngress), (.schedCls, .tcxEgress), (.schedCls, .netkitPrimary),
      (.schedCls, .netkitPeer):
      self = .interface(try target.interface(), type)
    // A section that names no direction.
    case (.schedCls, .unspecified):
      let interface = try target.interface()
      self = .interface(interface, try target.isEgress() ? .tcxEgress : .tcxIngress)
    // `cgroup/skb`
    case (.cgroupSkb, .unspecified) where !program.section.mentions("cgroup_skb"):
      let cgroup = try target.cgroup()
      self = .cgroup(cgroup, try target.isEgress() ? .cgroupInetEgress : .cgroupInetIngress)
    case (.cgroupSkb, _), (.cgroupSock, _), (.sockOps, _), (.cgroupDevice, _), (.cgroupSockAddr, _),
      (.cgroupSysctl, _), (.cgroupSockopt, _), (.lsm, .lsmCgroup):
      self = .cgroup(try target.cgroup(), type)
    case (.flowDissector, .flowDissector), (.skLookup, .skLookup):
      self = .networkNamespace(options.attachTarget, type)
    case (.tracepoint, _): self = .tracepoint(try target.tracepoint())
    case (.kprobe, .traceKprobeMulti), (.kprobe, .traceKprobeSession):
      self = .kernelProbes(pattern: try target.text("PATTERN"), atReturn: target.isReturnProbe, type: type)
    case (.kprobe, .traceUprobeMulti), (.kprobe, .traceUprobeSession):
      let (file, pattern) = try target.fileAndPlace()
      self = .userProbes(file: file, pattern: pattern, atReturn: target.isReturnProbe, type: type)
    case (.kprobe, .unspecified):
      switch target.word {
      case "kprobe", "kretprobe": self = .kernelProbe(try target.kernelProbe())
      case "ksyscall", "kretsyscall": self = .kernelProbe(try target.systemCallProbe())
      case "uprobe", "uretprobe":
        let (file, place) = try target.fileAndPlace()
        self = .userProbe(file: file, try target.probe(place))
      case "usdt": self = .marked(try target.markedPlace())
      default: throw .notAttachable(program: program.name, section: program.section)
      }
    case (.perfEvent, _): self = .samples(try target.sampledEvent())
    case (.netfilter, .netfilter): self = .netfilter(try target.netfilterHook())
    case (.skSkb, .skSkbStreamParser), (.skSkb, .skSkbStreamVerdict), (.skSkb, .skSkbVerdict),
      (.skMsg, .skMsgVerdict):
      self = .sockets(map: try target.text("MAP"), type)
    default: throw .notAttachable(program: program.name, section: program.section)
    }
  }
}

extension Attachment {
  /// The place in words, for people and for records; nil for a member of a structure, which is registered as a whole.
  var place: String? {
    switch self {
    case .rawTracepoint(let name): "raw tracepoint \(name)"
    case .typed(let name): name
    case .iterator(let name): "iterator \(name)"
    case .structure: nil
    case .interface(let name, let type): "interface \(name) (\(type.name))"
    case .cgroup(let path, let type): "cgroup \(path) (\(type.name))"
    case .networkNamespace(let path, _): path.map { "network namespace \($0)" } ?? "network namespace"
    case .tracepoint(let name): "tracepoint \(name)"
    case .kernelProbe(let probe): "kernel function \(probe.text)"
    case .kernelProbes(let pattern, let atReturn, _):
      "kernel functions \(pattern)" + (atReturn ? " (return)" : "")
    case .userProbe(let file, let probe): "\(file):\(probe.text)"
    case .userProbes(let file, let pattern, let atReturn, _):
      "\(file):\(pattern)" + (atReturn ? " (return)" : "")
    case .marked(let place): "\(place.file):\(place.provider):\(place.name)"
    case .samples(let event): "\(event.name)@\(event.frequency) on every processor"
    case .netfilter(let hook): "netfilter \(hook.text)"
    case .sockets(let map, let type): "sockets of map \(map) (\(type.name))"
    }
  }
}

extension Attachment.Probe {
  fileprivate var text: String {
    let place =
      symbol.isEmpty
      ? "0x\(String(offset, radix: 16))" : offset == 0 ? symbol : "\(symbol)+0x\(String(offset, radix: 16))"
    return atReturn ? "\(place) (return)" : place
  }
}

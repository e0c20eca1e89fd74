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
    // The number of an unspecified attach type is one of a cgroup's too.
    let site = type == .unspecified ? nil : type.site
    let notAttachable = BPFLoadError.notAttachable(program: program.name, section: program.section)
    guard site == nil || type.programType == kind.type else { throw notAttachable }
    switch kind.type {
    case .rawTracepoint, .rawTracepointWritable: self = .rawTracepoint(try target.text("TRACEPOINT"))
    case .tracing:
      if site == .kernelTarget {
        self = .typed("kernel \(kind.target)")
      } else if site == .iterator {
        self = .iterator(kind.target)
      } else {
        throw notAttachable
      }
    case .lsm:
      if site == .kernelTarget {
        self = .typed("kernel \(kind.target)")
      } else if site == .cgroup {
        self = .cgroup(try target.cgroup(), type)
      } else {
        throw notAttachable
      }
    case .ext: self = .typed("function \(kind.target) of \(options.attachTarget ?? "another program")")
    case .structOps: self = .structure
    case .xdp:
      guard site == .interface else { throw notAttachable }
      self = .interface(try target.interface(), type)
    case .schedCls:
      guard site == .interface || site == nil else { throw notAttachable }
      let interface = try target.interface()
      // A section that names no direction leaves it to the options.
      self = .interface(interface, site == nil ? try target.isEgress() ? .tcxEgress : .tcxIngress : type)
    case .cgroupSkb:
      let cgroup = try target.cgroup()
      // `cgroup/skb` names no direction; `cgroup_skb/ingress` has the same number.
      let isOpen = site == nil && !program.section.mentions("cgroup_skb")
      self = .cgroup(cgroup, isOpen ? try target.isEgress() ? .cgroupInetEgress : .cgroupInetIngress : type)
    case .cgroupSock, .sockOps, .cgroupDevice, .cgroupSockAddr, .cgroupSysctl, .cgroupSockopt:
      self = .cgroup(try target.cgroup(), type)
    case .flowDissector, .skLookup:
      guard site == .networkNamespace else { throw notAttachable }
      self = .networkNamespace(options.attachTarget, type)
    case .tracepoint: self = .tracepoint(try target.tracepoint())
    case .kprobe: self = try Self.probe(program, target, type, notAttachable)
    case .perfEvent: self = .samples(try target.sampledEvent())
    case .netfilter:
      guard site == .netfilterHook else { throw notAttachable }
      self = .netfilter(try target.netfilterHook())
    case .skSkb, .skMsg:
      guard site == .sockets else { throw notAttachable }
      self = .sockets(map: try target.text("MAP"), type)
    case .unspec, .socketFilter, .schedAct, .lwtIn, .lwtOut, .lwtXmit, .lwtSeg6local, .lircMode2, .skReuseport,
      .syscall:
      throw notAttachable
    }
  }

  /// What a program of the type `kprobe` is attached to: its attach type says it, or the first word of its section.
  private static func probe(
    _ program: LinkedProgram, _ target: AttachTarget, _ type: AttachType, _ notAttachable: BPFLoadError
  ) throws(BPFLoadError) -> Attachment {
    guard type == .unspecified else {
      if type.site == .kernelProbes {
        return .kernelProbes(pattern: try target.text("PATTERN"), atReturn: target.isReturnProbe, type: type)
      }
      guard type.site == .userProbes else { throw notAttachable }
      let (file, pattern) = try target.fileAndPlace()
      return .userProbes(file: file, pattern: pattern, atReturn: target.isReturnProbe, type: type)
    }
    guard let word = ProbeWord(rawValue: String(target.word)) else { throw notAttachable }
    switch word {
    case .kprobe, .kretprobe: return .kernelProbe(try target.kernelProbe())
    case .ksyscall, .kretsyscall: return .kernelProbe(try target.systemCallProbe())
    case .uprobe, .uretprobe:
      let (file, place) = try target.fileAndPlace()
      return .userProbe(file: file, try target.probe(place))
    case .usdt: return .marked(try target.markedPlace())
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

/// The words of sections whose programs are probes in one place.
private enum ProbeWord: String {
  case kprobe, kretprobe, ksyscall, kretsyscall, uprobe, uretprobe, usdt
}

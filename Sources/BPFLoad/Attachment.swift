internal import ByteKit
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
  /// A network interface, by `enum bpf_attach_type`.
  case interface(String, UInt32)
  /// A cgroup's directory, likewise.
  case cgroup(String, UInt32)
  /// A network namespace's file, likewise; nil for this process's own.
  case networkNamespace(String?, UInt32)
  /// A tracepoint, as a performance event: `sched/sched_switch`.
  case tracepoint(String)
  /// A probe in the kernel.
  case kernelProbe(Probe)
  /// Probes in all functions of the kernel that a pattern names, by `enum bpf_attach_type`.
  case kernelProbes(pattern: String, atReturn: Bool, type: UInt32)
  /// A probe in an executable or library.
  case userProbe(file: String, Probe)
  /// Probes in all functions of a file that a pattern names, by `enum bpf_attach_type`.
  case userProbes(file: String, pattern: String, atReturn: Bool, type: UInt32)
  /// A place that a program's author marked (USDT).
  case marked(MarkedPlace)
  /// Samples of a performance event on every processor.
  case samples(SampledEvent)
  /// A netfilter hook of this process's network namespace.
  case netfilter(NetfilterHook)
  /// The sockets in a map of the object, by `enum bpf_attach_type`.
  case sockets(map: String, UInt32)

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
  ///
  /// Numbers: `enum bpf_prog_type`, `enum bpf_attach_type`.
  init(_ program: LinkedProgram, _ options: LoadOptions) throws(BPFLoadError) {
    let kind = program.kind
    let target = AttachTarget(program, options)
    switch (kind.type, kind.expectedAttachType) {
    case (17, _), (24, _):  // RAW_TRACEPOINT, RAW_TRACEPOINT_WRITABLE
      self = .rawTracepoint(try target.text("TRACEPOINT"))
    // TRACING: RAW_TP, FENTRY, FEXIT, MODIFY_RETURN, FSESSION; LSM_MAC
    case (26, 23...26), (26, 58), (29, 27): self = .typed("kernel \(kind.target)")
    case (28, _): self = .typed("function \(kind.target) of \(options.attachTarget ?? "another program")")  // EXT
    case (26, 28): self = .iterator(kind.target)  // TRACING: TRACE_ITER
    case (27, _): self = .structure  // STRUCT_OPS
    case (6, 37), (3, 46), (3, 47), (3, 54), (3, 55):  // XDP; SCHED_CLS: TCX_INGRESS, TCX_EGRESS, NETKIT_*
      self = .interface(try target.interface(), kind.expectedAttachType)
    case (3, 0):  // SCHED_CLS of a section that names no direction
      let interface = try target.interface()
      self = .interface(interface, 46 + (try target.direction()))
    case (8, 0) where !program.section.mentions("cgroup_skb"):  // CGROUP_SKB of `cgroup/skb`
      let cgroup = try target.cgroup()
      self = .cgroup(cgroup, try target.direction())
    // CGROUP_SKB, CGROUP_SOCK, SOCK_OPS, CGROUP_DEVICE, CGROUP_SOCK_ADDR, CGROUP_SYSCTL, CGROUP_SOCKOPT, LSM_CGROUP
    case (8, _), (9, _), (13, _), (15, _), (18, _), (23, _), (25, _), (29, 43):
      self = .cgroup(try target.cgroup(), kind.expectedAttachType)
    // FLOW_DISSECTOR, SK_LOOKUP
    case (22, 17), (30, 36): self = .networkNamespace(options.attachTarget, kind.expectedAttachType)
    case (5, _): self = .tracepoint(try target.tracepoint())  // TRACEPOINT
    case (2, 42), (2, 56):  // KPROBE: TRACE_KPROBE_MULTI, TRACE_KPROBE_SESSION
      self = .kernelProbes(
        pattern: try target.text("PATTERN"), atReturn: target.isReturnProbe, type: kind.expectedAttachType)
    case (2, 48), (2, 57):  // KPROBE: TRACE_UPROBE_MULTI, TRACE_UPROBE_SESSION
      let (file, pattern) = try target.fileAndPlace()
      self = .userProbes(
        file: file, pattern: pattern, atReturn: target.isReturnProbe, type: kind.expectedAttachType)
    case (2, 0):  // KPROBE
      switch target.word {
      case "kprobe", "kretprobe": self = .kernelProbe(try target.kernelProbe())
      case "ksyscall", "kretsyscall": self = .kernelProbe(try target.systemCallProbe())
      case "uprobe", "uretprobe":
        let (file, place) = try target.fileAndPlace()
        self = .userProbe(file: file, try target.probe(place))
      case "usdt": self = .marked(try target.markedPlace())
      default: throw .notAttachable(program: program.name, section: program.section)
      }
    case (7, _): self = .samples(try target.sampledEvent())  // PERF_EVENT
    case (32, 45): self = .netfilter(try target.netfilterHook())  // NETFILTER
    // SK_SKB: STREAM_PARSER, STREAM_VERDICT, SKB_VERDICT; SK_MSG
    case (14, 4), (14, 5), (14, 38), (16, 7):
      self = .sockets(map: try target.text("MAP"), kind.expectedAttachType)
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
    case .interface(let name, let type): "interface \(name) (\(TypeNames.attach(type)))"
    case .cgroup(let path, let type): "cgroup \(path) (\(TypeNames.attach(type)))"
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
    case .sockets(let map, let type): "sockets of map \(map) (\(TypeNames.attach(type)))"
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

internal import BPFNames
internal import BPFObject
internal import Glibc
internal import LinuxSys

/// How a program is attached. Its section says to what, or to what kind of place; the place then comes from the
/// options.
enum Attachment: Equatable {
  /// A raw tracepoint, by its name.
  case rawTracepoint(String)
  /// A target that was fixed when the program was loaded (`attach_btf_id`).
  case typed
  /// An iterator without parameters.
  case iterator
  /// A structure of functions that the program is a member of, and with which it is registered.
  case structure
  /// A network interface, by `enum bpf_attach_type`.
  case interface(UInt32)
  /// A cgroup, likewise.
  case cgroup(UInt32)
  /// A network namespace, likewise.
  case networkNamespace(UInt32)

  /// - Throws: ``BPFLoadError/notAttachable(program:section:)`` when nothing says to what, and
  ///   ``BPFLoadError/attachNeeds(program:section:option:)`` when an option has to.
  ///
  /// Numbers: `enum bpf_prog_type`, `enum bpf_attach_type`.
  init(_ program: LinkedProgram, _ options: LoadOptions) throws(BPFLoadError) {
    let kind = program.kind
    func needs(_ option: String) -> BPFLoadError {
      .attachNeeds(program: program.name, section: program.section, option: option)
    }
    switch (kind.type, kind.expectedAttachType) {
    case (17, _), (24, _):  // RAW_TRACEPOINT, RAW_TRACEPOINT_WRITABLE
      guard let name = kind.target.isEmpty ? options.attachTarget : kind.target else {
        throw needs("--target TRACEPOINT")
      }
      self = .rawTracepoint(name)
    case (26, 23...26), (29, 27): self = .typed  // TRACING: RAW_TP, FENTRY, FEXIT, MODIFY_RETURN; LSM_MAC
    case (26, 28): self = .iterator  // TRACING: TRACE_ITER
    case (27, _): self = .structure  // STRUCT_OPS
    case (6, 37), (3, 46), (3, 47), (3, 54), (3, 55):  // XDP; SCHED_CLS: TCX_INGRESS, TCX_EGRESS, NETKIT_*
      guard options.interface != nil else { throw needs("--interface IFACE") }
      self = .interface(kind.expectedAttachType)
    case (3, 0):  // SCHED_CLS of a section that names no direction
      guard options.interface != nil else { throw needs("--interface IFACE") }
      guard let direction = Self.direction(options) else { throw needs("--target ingress|egress") }
      self = .interface(46 + direction)
    case (8, 0) where !program.section.contains("cgroup_skb"):  // CGROUP_SKB of `cgroup/skb`
      guard options.cgroup != nil else { throw needs("--cgroup PATH") }
      guard let direction = Self.direction(options) else { throw needs("--target ingress|egress") }
      self = .cgroup(direction)
    // CGROUP_SKB, CGROUP_SOCK, SOCK_OPS, CGROUP_DEVICE, CGROUP_SOCK_ADDR, CGROUP_SYSCTL, CGROUP_SOCKOPT, LSM_CGROUP
    case (8, _), (9, _), (13, _), (15, _), (18, _), (23, _), (25, _), (29, 43):
      guard options.cgroup != nil else { throw needs("--cgroup PATH") }
      self = .cgroup(kind.expectedAttachType)
    case (22, 17), (30, 36): self = .networkNamespace(kind.expectedAttachType)  // FLOW_DISSECTOR, SK_LOOKUP
    default: throw .notAttachable(program: program.name, section: program.section)
    }
  }

  /// 0 for ingress, 1 for egress, as the attach types are ordered.
  private static func direction(_ options: LoadOptions) -> UInt32? {
    switch options.attachTarget {
    case "ingress": 0
    case "egress": 1
    default: nil
    }
  }
}

extension LoadSteps {
  /// Attaches every program; a link that has been made goes with the load when a later one is refused.
  func attach(_ objects: [KernelObject]) throws(BPFLoadError) -> [MadeLink] {
    var links: [MadeLink] = []
    for (program, object) in zip(programs, objects) {
      let attachment = try Attachment(program, options)
      // Registered as a whole, by its map.
      if attachment == .structure { continue }
      do throws(SystemError) {
        links.append(MadeLink(name: program.name, object: try attach(object, attachment)))
      } catch {
        throw .attachRefused(program: program.name, section: program.section, error: error)
      }
    }
    return links
  }

  private func attach(_ program: KernelObject, _ attachment: Attachment) throws(SystemError) -> KernelObject {
    switch attachment {
    case .rawTracepoint(let name): return try BPF.openRawTracepoint(program, tracepoint: name)
    case .typed: return try BPF.openRawTracepoint(program)
    case .iterator: return try BPF.linkIterator(program)
    case .interface(let type):
      return try BPF.link(
        program, attachType: type, interface: try NetworkInterface.index(named: options.interface ?? ""))
    case .cgroup(let type):
      let cgroup = try OwnedFD.open(options.cgroup ?? "", [.readOnly, .directory])
      return try BPF.link(program, attachType: type, cgroup: cgroup)
    case .networkNamespace(let type):
      let namespace = try OwnedFD.open(options.attachTarget ?? "/proc/thread-self/ns/net", .readOnly)
      return try BPF.link(program, attachType: type, cgroup: namespace)
    case .structure: throw SystemError("attach", errno: EINVAL)
    }
  }
}

/// A link and the name it is pinned under: that of its program, or of its struct_ops map.
struct MadeLink {
  let name: String
  let object: KernelObject
}

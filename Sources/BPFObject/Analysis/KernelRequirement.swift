/// A release of the kernel, as `major.minor`.
public struct KernelVersion: Comparable, Hashable, Sendable, CustomStringConvertible {
  public let major: Int
  public let minor: Int

  public init(_ major: Int, _ minor: Int) {
    self.major = major
    self.minor = minor
  }

  public static func < (left: Self, right: Self) -> Bool { (left.major, left.minor) < (right.major, right.minor) }

  public var description: String { "\(major).\(minor)" }
}

/// The oldest kernel that can load a program, and what asks for it.
public struct KernelRequirement: Equatable, Sendable {
  /// What asks for a kernel.
  enum Demand: Equatable, Sendable {
    case programType(String)
    case attachType(String)
    case mapType(String)
    case helper(HelperUse)
    /// Information about functions comes with every program. BTF_KIND_FLOAT and BTF_KIND_DECL_TAG are left out: the
    /// object's BTF tells no more than the compiler wrote.
    case typeInformation
    /// Linking refers to maps by their index in `fd_array` (BPF_PSEUDO_MAP_IDX).
    case mapIndexes
    /// `core_relos` of BPF_PROG_LOAD.
    case coreRelocations
    case sleepable
    case kernelFunctions
  }

  public let version: KernelVersion
  let demand: Demand

  /// What came in that version: `helper bpf_ringbuf_output`, `map type ringbuf`.
  public var reason: String {
    switch demand {
    case .programType(let name): "program type \(name)"
    case .attachType(let name): "attach type \(name)"
    case .mapType(let name): "map type \(name)"
    case .helper(let helper): "helper \(helper.label)"
    case .typeInformation: "function information (BTF)"
    case .mapIndexes: "maps by index (fd_array)"
    case .coreRelocations: "CO-RE in the kernel"
    case .sleepable: "sleepable programs"
    case .kernelFunctions: "kernel functions"
    }
  }

  /// The newest kernel that anything in a program asks for; of several things the first in the order of the parameters.
  static func newest(
    kind: String, attachType: String?, mapTypes: [String], helpers: [HelperUse], hasMaps: Bool,
    hasCoreRelocations: Bool, isSleepable: Bool, usesKernelFunctions: Bool
  ) -> KernelRequirement {
    var newest = KernelRequirement(version: KernelVersion(5, 0), demand: .typeInformation)
    func ask(_ version: KernelVersion?, _ demand: @autoclosure () -> Demand) {
      if let version, version > newest.version { newest = KernelRequirement(version: version, demand: demand()) }
    }
    ask(version(ofProgramType: kind), .programType(kind))
    if let attachType { ask(version(ofAttachType: attachType), .attachType(attachType)) }
    for type in mapTypes { ask(version(ofMapType: type), .mapType(type)) }
    for helper in helpers { ask(HelperNames.version(helper.id), .helper(helper)) }
    if hasMaps { ask(KernelVersion(5, 14), .mapIndexes) }
    if hasCoreRelocations { ask(KernelVersion(5, 17), .coreRelocations) }
    if isSleepable { ask(KernelVersion(5, 10), .sleepable) }
    if usesKernelFunctions { ask(KernelVersion(5, 13), .kernelFunctions) }
    return newest
  }

  /// When a program type came (include/uapi/linux/bpf.h, enum bpf_prog_type); older ones are left out.
  private static func version(ofProgramType name: String) -> KernelVersion? {
    switch name {
    case "raw_tracepoint_writable", "cgroup_sysctl": KernelVersion(5, 2)
    case "cgroup_sockopt": KernelVersion(5, 3)
    case "tracing": KernelVersion(5, 5)
    case "struct_ops", "ext": KernelVersion(5, 6)
    case "lsm": KernelVersion(5, 7)
    case "sk_lookup": KernelVersion(5, 9)
    case "syscall": KernelVersion(5, 14)
    case "netfilter": KernelVersion(6, 4)
    default: nil
    }
  }

  /// The same for attach types.
  private static func version(ofAttachType name: String) -> KernelVersion? {
    switch name {
    case "modify_return": KernelVersion(5, 7)
    case "trace_iter", "xdp_devmap": KernelVersion(5, 8)
    case "xdp_cpumap": KernelVersion(5, 9)
    case "trace_kprobe_multi": KernelVersion(5, 18)
    case "lsm_cgroup": KernelVersion(6, 0)
    case "tcx_ingress", "tcx_egress", "trace_uprobe_multi": KernelVersion(6, 6)
    case "netkit_primary", "netkit_peer", "cgroup_unix_connect", "cgroup_unix_sendmsg", "cgroup_unix_recvmsg",
      "cgroup_unix_getpeername", "cgroup_unix_getsockname":
      KernelVersion(6, 7)
    case "trace_kprobe_session": KernelVersion(6, 10)
    case "trace_uprobe_session": KernelVersion(6, 13)
    case "trace_fsession": KernelVersion(7, 0)
    default: nil
    }
  }

  /// The same for map types.
  private static func version(ofMapType name: String) -> KernelVersion? {
    switch name {
    case "sk_storage": KernelVersion(5, 2)
    case "devmap_hash": KernelVersion(5, 4)
    case "struct_ops": KernelVersion(5, 6)
    case "ringbuf": KernelVersion(5, 8)
    case "inode_storage": KernelVersion(5, 10)
    case "task_storage": KernelVersion(5, 11)
    case "bloom_filter": KernelVersion(5, 16)
    case "user_ringbuf": KernelVersion(6, 1)
    case "cgrp_storage": KernelVersion(6, 2)
    case "arena": KernelVersion(6, 9)
    default: nil
    }
  }
}

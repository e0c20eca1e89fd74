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
  public let version: KernelVersion
  /// What came in that version: `helper bpf_ringbuf_output`, `map type ringbuf`.
  public let reason: String

  /// Linking refers to maps by their index in `fd_array` (BPF_PSEUDO_MAP_IDX).
  static let mapIndexes = KernelRequirement(version: KernelVersion(5, 14), reason: "maps by index (fd_array)")
  /// `core_relos` of BPF_PROG_LOAD.
  static let coreRelocations = KernelRequirement(version: KernelVersion(5, 17), reason: "CO-RE in the kernel")
  /// BTF_KIND_FLOAT and BTF_KIND_DECL_TAG are left out: the object's BTF tells no more than the compiler wrote.
  static let typeInformation = KernelRequirement(version: KernelVersion(5, 0), reason: "function information (BTF)")

  /// What a program asks for, the newest first.
  static func all(
    kind: String, attachType: String?, helpers: [HelperUse], mapTypes: [String], hasMaps: Bool,
    hasCoreRelocations: Bool, isSleepable: Bool, usesKernelFunctions: Bool
  ) -> [KernelRequirement] {
    var found = [typeInformation]
    func add(_ table: [String: KernelVersion], _ name: String, _ what: String) {
      if let version = table[name] { found.append(.init(version: version, reason: "\(what) \(name)")) }
    }
    add(programTypes, kind, "program type")
    if let attachType { add(attachTypes, attachType, "attach type") }
    for type in mapTypes { add(Self.mapTypes, type, "map type") }
    for helper in helpers {
      if let version = HelperNames.version(helper.id) {
        found.append(.init(version: version, reason: "helper \(helper.label)"))
      }
    }
    if hasMaps { found.append(mapIndexes) }
    if hasCoreRelocations { found.append(coreRelocations) }
    if isSleepable { found.append(.init(version: KernelVersion(5, 10), reason: "sleepable programs")) }
    if usesKernelFunctions { found.append(.init(version: KernelVersion(5, 13), reason: "kernel functions")) }
    return found.sorted { $0.version > $1.version }
  }

  /// When a program type came (include/uapi/linux/bpf.h, enum bpf_prog_type); older ones are left out.
  private static let programTypes: [String: KernelVersion] = [
    "raw_tracepoint_writable": .init(5, 2), "cgroup_sysctl": .init(5, 2), "cgroup_sockopt": .init(5, 3),
    "tracing": .init(5, 5), "struct_ops": .init(5, 6), "ext": .init(5, 6), "lsm": .init(5, 7),
    "sk_lookup": .init(5, 9), "syscall": .init(5, 14), "netfilter": .init(6, 4),
  ]

  /// The same for attach types.
  private static let attachTypes: [String: KernelVersion] = [
    "modify_return": .init(5, 7), "trace_iter": .init(5, 8), "xdp_devmap": .init(5, 8), "xdp_cpumap": .init(5, 9),
    "trace_kprobe_multi": .init(5, 18), "lsm_cgroup": .init(6, 0), "tcx_ingress": .init(6, 6),
    "tcx_egress": .init(6, 6), "trace_uprobe_multi": .init(6, 6), "netkit_primary": .init(6, 7),
    "netkit_peer": .init(6, 7), "cgroup_unix_connect": .init(6, 7), "cgroup_unix_sendmsg": .init(6, 7),
    "cgroup_unix_recvmsg": .init(6, 7), "cgroup_unix_getpeername": .init(6, 7),
    "cgroup_unix_getsockname": .init(6, 7), "trace_kprobe_session": .init(6, 10),
    "trace_uprobe_session": .init(6, 13), "trace_fsession": .init(7, 0),
  ]

  /// The same for map types.
  private static let mapTypes: [String: KernelVersion] = [
    "sk_storage": .init(5, 2), "devmap_hash": .init(5, 4), "struct_ops": .init(5, 6), "ringbuf": .init(5, 8),
    "inode_storage": .init(5, 10), "task_storage": .init(5, 11), "bloom_filter": .init(5, 16),
    "user_ringbuf": .init(6, 1), "cgrp_storage": .init(6, 2), "arena": .init(6, 9),
  ]
}

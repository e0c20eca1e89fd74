internal import Base
public import KernelABI
internal import CLinuxShim

/// Links to events, probes and hooks: BPF_LINK_CREATE with attributes of its own for each kind.
extension BPF {
  /// Attaches the program to an event, which the link keeps open (Linux 5.15).
  ///
  /// - Parameter cookie: what the program learns of this link from bpf_get_attach_cookie.
  public static func link(
    _ program: KernelObject, event: borrowing OwnedFD, cookie: UInt64 = 0
  ) throws(SystemError) -> KernelObject {
    var attributes = vb_bpf_link_perf_event()
    attributes.prog_fd = UInt32(bitPattern: program.descriptor.withRaw { $0 })
    attributes.target_fd = UInt32(bitPattern: event.withRaw { $0 })
    attributes.attach_type = AttachType.perfEvent.rawValue
    attributes.bpf_cookie = cookie
    defer { withExtendedLifetime(program) {} }
    return try open(.linkCreate, &attributes)
  }

  /// Attaches the program to many functions of the kernel at once, by their names.
  ///
  /// - Parameters:
  ///   - type: `trace_kprobe_multi` or `trace_kprobe_session`.
  ///   - atReturn: when the functions return, not when they are called (BPF_F_KPROBE_MULTI_RETURN).
  public static func link(
    _ program: KernelObject, type: AttachType, kernelFunctions names: [String], atReturn: Bool
  ) throws(SystemError) -> KernelObject {
    // One buffer with all names in it, and their addresses.
    var text: [UInt8] = []
    var starts: [Int] = []
    for name in names {
      starts.append(text.count)
      text += Array(name.utf8) + [0]
    }
    let outcome: Result<KernelObject, SystemError> = unsafe text.withUnsafeBytes { bytes in
      let base = unsafe address(bytes)
      let addresses = starts.map { base &+ UInt64($0) }
      return unsafe addresses.withUnsafeBytes { table in
        var attributes = vb_bpf_link_kprobe_multi()
        attributes.prog_fd = UInt32(bitPattern: program.descriptor.withRaw { $0 })
        attributes.attach_type = type.rawValue
        attributes.probe_flags = atReturn ? 1 : 0
        attributes.cnt = UInt32(clamping: names.count)
        attributes.syms = unsafe address(table)
        return Result { () throws(SystemError) in
          try open(.linkCreate, &attributes)
        }
      }
    }
    withExtendedLifetime(program) {}
    return try outcome.get()
  }

  /// Attaches the program to many places of an executable or library at once, by their offsets in the file.
  ///
  /// - Parameters:
  ///   - type: `trace_uprobe_multi` or `trace_uprobe_session`.
  ///   - atReturn: when the functions return (BPF_F_UPROBE_MULTI_RETURN).
  public static func link(
    _ program: KernelObject, type: AttachType, file: String, offsets: [UInt64], atReturn: Bool
  ) throws(SystemError) -> KernelObject {
    let path = file.systemBytes + [0]
    let outcome: Result<KernelObject, SystemError> = unsafe path.withUnsafeBytes { path in
      unsafe offsets.withUnsafeBytes { offsetBytes in
        var attributes = vb_bpf_link_uprobe_multi()
        attributes.prog_fd = UInt32(bitPattern: program.descriptor.withRaw { $0 })
        attributes.attach_type = type.rawValue
        attributes.path = unsafe address(path)
        attributes.offsets = unsafe address(offsetBytes)
        attributes.cnt = UInt32(clamping: offsets.count)
        attributes.probe_flags = atReturn ? 1 : 0
        return Result { () throws(SystemError) in
          try open(.linkCreate, &attributes, path: file)
        }
      }
    }
    withExtendedLifetime(program) {}
    return try outcome.get()
  }

  /// Attaches the program to a netfilter hook of this process's network namespace.
  ///
  /// - Parameters:
  ///   - family: NFPROTO_IPV4 (2) or NFPROTO_IPV6 (10).
  ///   - hook: NF_INET_PRE_ROUTING (0), LOCAL_IN, FORWARD, LOCAL_OUT, POST_ROUTING.
  ///   - priority: lower ones run first; the kernel refuses the two ends.
  public static func link(
    _ program: KernelObject, netfilter family: UInt32, hook: UInt32, priority: Int32
  ) throws(SystemError) -> KernelObject {
    var attributes = vb_bpf_link_netfilter()
    attributes.prog_fd = UInt32(bitPattern: program.descriptor.withRaw { $0 })
    attributes.attach_type = AttachType.netfilter.rawValue
    attributes.pf = family
    attributes.hooknum = hook
    attributes.priority = priority
    defer { withExtendedLifetime(program) {} }
    return try open(.linkCreate, &attributes)
  }

  /// Attaches a program that looks at sockets' data to the map of those sockets (Linux 6.10).
  public static func link(
    _ program: KernelObject, _ type: AttachType, sockets map: KernelObject
  ) throws(SystemError) -> KernelObject {
    try map.descriptor.withRaw { (raw) throws(SystemError) in
      try link(program, type, target: UInt32(bitPattern: raw))
    }
  }
}

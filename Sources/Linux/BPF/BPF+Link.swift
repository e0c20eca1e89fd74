public import KernelABI
internal import CLinuxShim

extension BPF {
  /// BPF_LINK_CREATE: attaches the program to a network interface, by its index.
  public static func link(
    _ program: KernelObject, _ type: AttachType, interface: UInt32, flags: UInt32 = 0
  ) throws(SystemError) -> KernelObject {
    try link(program, type, target: interface, flags: flags)
  }

  /// BPF_LINK_CREATE of a struct_ops map that holds its value: registers it.
  public static func linkStructure(_ map: KernelObject) throws(SystemError) -> KernelObject {
    // The first field is `map_fd` here.
    try link(map, .structOps, target: 0)
  }

  /// BPF_LINK_CREATE: attaches the program to a cgroup, by its open directory, or to a network namespace, by its file.
  public static func link(
    _ program: KernelObject, _ type: AttachType, cgroup: borrowing OwnedFD
  ) throws(SystemError) -> KernelObject {
    try cgroup.withRaw { (raw) throws(SystemError) in
      try link(program, type, target: UInt32(bitPattern: raw))
    }
  }

  /// BPF_LINK_CREATE of an iterator without parameters.
  public static func linkIterator(_ program: KernelObject) throws(SystemError) -> KernelObject {
    try link(program, .traceIter, target: 0)
  }

  static func link(
    _ program: KernelObject, _ type: AttachType, target: UInt32, flags: UInt32 = 0
  ) throws(SystemError) -> KernelObject {
    var attributes = vb_bpf_link_create()
    attributes.prog_fd = UInt32(bitPattern: program.descriptor.withRaw { $0 })
    attributes.target_fd_or_ifindex = target
    attributes.attach_type = type.rawValue
    attributes.flags = flags
    defer { withExtendedLifetime(program) {} }
    return try open(.linkCreate, &attributes)
  }

  /// BPF_RAW_TRACEPOINT_OPEN.
  ///
  /// - Parameter tracepoint: the name, for a raw_tp program; nil for tp_btf, fentry, fexit and LSM programs, whose
  ///   target was fixed when they were loaded.
  public static func openRawTracepoint(
    _ program: KernelObject, tracepoint: String? = nil
  ) throws(SystemError) -> KernelObject {
    let name: [UInt8] = tracepoint.map { Array($0.utf8) + [0] } ?? []
    let outcome: Result<KernelObject, SystemError> = unsafe name.withUnsafeBytes { bytes in
      var attributes = vb_bpf_raw_tracepoint()
      attributes.name = unsafe address(bytes)
      attributes.prog_fd = UInt32(bitPattern: program.descriptor.withRaw { $0 })
      return Result { () throws(SystemError) in
        try open(.rawTracepointOpen, &attributes, path: tracepoint)
      }
    }
    withExtendedLifetime(program) {}
    return try outcome.get()
  }

  /// BPF_ITER_CREATE: a descriptor that gives the iterator's output when it is read.
  public static func openIterator(_ link: KernelObject) throws(SystemError) -> OwnedFD {
    var attributes = vb_bpf_iter_create()
    attributes.link_fd = UInt32(bitPattern: link.descriptor.withRaw { $0 })
    defer { withExtendedLifetime(link) {} }
    return OwnedFD(adopting: try call(.iterCreate, &attributes))
  }
}

/// One thing beyond its own context, stack and maps that a program can do; the raw value is the word of annotations.
public enum ProgramPower: String, Sendable, CaseIterable, Comparable {
  /// Copies kernel memory by a helper.
  case readKernel = "read-kernel"
  /// Loads through pointers to kernel structures, which lockdown does not see.
  case readKernelPointers = "read-kernel-pointers"
  /// Copies the memory of processes.
  case readUser = "read-user"
  case writeUser = "write-user"
  /// Calls functions of the kernel, or uses its variables.
  case kernelFunctions = "kernel-functions"
  case sleep
  /// Sends signals to processes.
  case signal
  /// Makes a function of the kernel return something else.
  case overrideReturn = "override-return"
  /// Is called at a place in the kernel or a process whenever anybody comes there: probes, tracepoints, entries and ends
  /// of functions, security hooks, events of the processor.
  case probe
  /// Calls helpers that nobody here knows.
  case unknownHelpers = "unknown-helpers"

  /// In the order they are listed in.
  public static func < (left: Self, right: Self) -> Bool {
    (allCases.firstIndex(of: left) ?? 0) < (allCases.firstIndex(of: right) ?? 0)
  }
}

extension ProgramReport {
  /// Everything of the kind that the program can do, as its instructions and section say.
  public var powers: [ProgramPower] {
    var found: Set<ProgramPower> = []
    for read in kernelReads { found.insert(read.means == .pointer ? .readKernelPointers : .readKernel) }
    if !kernelSymbols.isEmpty { found.insert(.kernelFunctions) }
    if isSleepable { found.insert(.sleep) }
    if isListening { found.insert(.probe) }
    // What is not followed may read through any pointer; what is not known may do anything that a helper can.
    if !unfollowed.isEmpty { found.insert(.readKernelPointers) }
    if unfollowed.contains(where: \.isUnknownInstruction) { found.insert(.unknownHelpers) }
    for helper in helpers {
      switch helper.id {
      case LockdownRestriction.probeWriteUser: found.insert(.writeUser)
      // probe_read_user, probe_read_user_str, copy_from_user, copy_from_user_task.
      case 112, 114, 148, 191: found.insert(.readUser)
      // send_signal, send_signal_thread.
      case 109, 117: found.insert(.signal)
      case 58: found.insert(.overrideReturn)
      default: if helper.name == nil { found.insert(.unknownHelpers) }
      }
    }
    return found.sorted()
  }

  /// Whether it is called when others do something: every type of program but those that are called with a packet, a
  /// socket or a device, or by a system call of whoever holds the program.
  private var isListening: Bool {
    switch typeName {
    case "socket_filter", "sched_cls", "sched_act", "xdp", "cgroup_skb", "cgroup_sock", "lwt_in", "lwt_out", "lwt_xmit",
      "lwt_seg6local", "sock_ops", "sk_skb", "cgroup_device", "sk_msg", "cgroup_sock_addr", "lirc_mode2",
      "sk_reuseport",
      "flow_dissector", "cgroup_sysctl", "cgroup_sockopt", "sk_lookup", "netfilter", "syscall":
      false
    case "tracing": attachTypeName != "trace_iter"
    default: true
    }
  }
}

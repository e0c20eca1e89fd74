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
  /// Stops the kernel or a process at a place of its choice, or listens to a tracepoint.
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
    if typeName == "kprobe" || typeName == "tracepoint" { found.insert(.probe) }
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
}

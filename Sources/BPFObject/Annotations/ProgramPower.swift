internal import KernelABI

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
  /// Is called at a place in the kernel or a process each time any task passes it: probes, tracepoints, entries and ends
  /// of functions, security hooks, events of the processor.
  case probe
  /// Calls helpers that this build does not know.
  case unknownHelpers = "unknown-helpers"

  /// In the order they are listed in.
  public static func < (left: Self, right: Self) -> Bool {
    (allCases.firstIndex(of: left) ?? 0) < (allCases.firstIndex(of: right) ?? 0)
  }
}

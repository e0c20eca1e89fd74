/// What has happened to the running kernel that makes its word worth less: a bit of kernel.tainted
/// (Documentation/admin-guide/tainted-kernels.rst). A bit that was set stays until the machine starts anew.
public enum Taint: UInt64, Sendable, CaseIterable {
  /// A module was loaded although it is of another kernel (TAINT_FORCED_MODULE).
  case forcedModule = 1
  /// A module was removed although it was in use (TAINT_FORCED_RMMOD).
  case forcedRemoval = 3

  /// Whether the bit is set in the number that the kernel gives.
  public func isSet(in tainted: UInt64) -> Bool { tainted & (1 << rawValue) != 0 }
}

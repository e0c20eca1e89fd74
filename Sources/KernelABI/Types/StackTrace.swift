/// Stack traces in maps of the type `stack_trace`.
public enum StackTrace {
  /// Frames of a trace (PERF_MAX_STACK_DEPTH, include/uapi/linux/perf_event.h): what `kernel.perf_event_max_stack` is unless it was
  /// changed, and what perf and libbpf-tools ask for.
  public static let frames: UInt32 = 127

  /// Bytes of a trace of so many frames: addresses, or with BPF_F_STACK_BUILD_ID a `struct bpf_stack_build_id` each
  /// (include/uapi/linux/bpf.h).
  public static func valueSize(flags: UInt32) -> UInt32 {
    frames * (flags & MapFlag.stackBuildID.rawValue == 0 ? 8 : 32)
  }
}

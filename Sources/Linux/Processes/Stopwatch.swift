internal import Glibc

/// The time since a moment, by a clock that nobody sets (CLOCK_MONOTONIC).
///
/// The standard library's clocks are part of the concurrency runtime, which every start of a program with it has to pay
/// for.
public struct Stopwatch: Sendable {
  private let start: timespec

  /// Begins now.
  public init() { start = Self.now() }

  /// Seconds since it began.
  public var seconds: Double {
    let now = Self.now()
    return Double(now.tv_sec - start.tv_sec) + Double(now.tv_nsec - start.tv_nsec) / 1e9
  }

  private static func now() -> timespec {
    var time = timespec()
    unsafe clock_gettime(CLOCK_MONOTONIC, &time)
    return time
  }
}

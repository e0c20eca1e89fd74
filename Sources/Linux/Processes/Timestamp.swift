internal import Base
internal import Glibc

/// A moment of the system's clock.
public struct Timestamp: Equatable, Sendable {
  /// Seconds since 1970-01-01 UTC.
  public let seconds: Int64
  /// 0 to 999,999,999.
  public let nanoseconds: Int64

  public init(seconds: Int64, nanoseconds: Int64) {
    self.seconds = seconds
    self.nanoseconds = nanoseconds
  }

  /// Now (clock_gettime CLOCK_REALTIME).
  public static func now() -> Timestamp {
    var time = timespec()
    unsafe clock_gettime(CLOCK_REALTIME, &time)
    return Timestamp(seconds: Int64(time.tv_sec), nanoseconds: Int64(time.tv_nsec))
  }

  /// Nanoseconds since an earlier moment; negative since a later one.
  public func nanoseconds(since other: Timestamp) -> Int64 {
    (seconds &- other.seconds) &* 1_000_000_000 &+ (nanoseconds - other.nanoseconds)
  }

  /// Waits (nanosleep(2)), for a tick longer than asked at most; a signal ends it early.
  public static func pause(milliseconds: Int) {
    var time = timespec(tv_sec: milliseconds / 1000, tv_nsec: milliseconds % 1000 * 1_000_000)
    unsafe nanosleep(&time, nil)
  }

  /// `2026-11-22T18:53:04.123Z` (RFC 3339, UTC, milliseconds).
  public var rfc3339: String { RFC3339.text(seconds: seconds, milliseconds: nanoseconds / 1_000_000) }
}

extension Timestamp {
  /// The moment that lies so many nanoseconds after the system's start, time asleep included (CLOCK_BOOTTIME, as the
  /// kernel gives a program's load time).
  public static func sinceBoot(_ nanoseconds: UInt64) -> Timestamp {
    var boot = timespec()
    unsafe clock_gettime(CLOCK_BOOTTIME, &boot)
    let now = Timestamp.now()
    let since = Timestamp(
      seconds: Int64(clamping: nanoseconds / 1_000_000_000), nanoseconds: Int64(nanoseconds % 1_000_000_000))
    let rest = now.nanoseconds - Int64(boot.tv_nsec) + since.nanoseconds
    let carry = rest < 0 ? -1 : rest / 1_000_000_000
    return Timestamp(
      seconds: now.seconds - Int64(boot.tv_sec) &+ since.seconds + carry, nanoseconds: rest - carry * 1_000_000_000)
  }
}

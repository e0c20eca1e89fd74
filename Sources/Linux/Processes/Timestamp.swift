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
  public var rfc3339: String {
    let day = seconds >= 0 ? seconds / 86400 : (seconds - 86399) / 86400
    let second = seconds - day * 86400
    let (year, month, date) = Self.civil(fromDays: day)
    var text: [UInt8] = []
    func add(_ value: Int64, _ width: Int, _ end: Unicode.Scalar) {
      let digits = String(value).utf8
      text += repeatElement(UInt8(ascii: "0"), count: max(0, width - digits.count))
      text += digits
      text.append(UInt8(ascii: end))
    }
    add(year, 4, "-")
    add(month, 2, "-")
    add(date, 2, "T")
    add(second / 3600, 2, ":")
    add(second / 60 % 60, 2, ":")
    add(second % 60, 2, ".")
    add(nanoseconds / 1_000_000, 3, "Z")
    return String(decoding: text, as: UTF8.self)
  }

  /// The Gregorian date of a day number, counted in eras of 400 years that begin on 1 March.
  private static func civil(fromDays day: Int64) -> (year: Int64, month: Int64, day: Int64) {
    let shifted = day + 719_468
    let era = (shifted >= 0 ? shifted : shifted - 146_096) / 146_097
    let dayOfEra = shifted - era * 146_097
    let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36524 - dayOfEra / 146_096) / 365
    let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
    let shiftedMonth = (5 * dayOfYear + 2) / 153
    let month = shiftedMonth < 10 ? shiftedMonth + 3 : shiftedMonth - 9
    let year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0)
    return (year, month, dayOfYear - (153 * shiftedMonth + 2) / 5 + 1)
  }
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

/// Moments as RFC 3339 writes them.
public enum RFC3339 {
  /// `2026-11-22T18:53:04.123Z`.
  ///
  /// - Parameters:
  ///   - seconds: since 1970-01-01 UTC, no farther from it than a hundred million years.
  ///   - milliseconds: 0 to 999.
  public static func text(seconds: Int64, milliseconds: Int64) -> String {
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
    add(milliseconds, 3, "Z")
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

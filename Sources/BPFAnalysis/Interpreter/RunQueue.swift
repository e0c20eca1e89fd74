/// Runs of instructions that have to be followed, of which the first is always next: ways are followed to their end before
/// they are followed again.
///
/// A bit a run, and a bit for each 64 of these: the next of a quarter of a million is found in some dozens of steps wherever
/// it is. A program whose ways lead to and fro between its ends would otherwise have the whole list looked through for each.
struct RunQueue {
  private var words: [UInt64]
  /// Which of ``words`` have a bit.
  private var summary: [UInt64]

  /// - Parameter count: runs are numbered from 0 to one below this.
  init(count: Int) {
    words = Array(repeating: 0, count: (count + 63) / 64)
    summary = Array(repeating: 0, count: (words.count + 63) / 64)
  }

  /// Adds a run that is not there yet.
  mutating func insert(_ run: Int) {
    words[run / 64] |= 1 << UInt64(run % 64)
    summary[run / 4096] |= 1 << UInt64(run / 64 % 64)
  }

  /// Takes the lowest run; nil where there is none.
  mutating func takeFirst() -> Int? {
    guard let group = summary.firstIndex(where: { $0 != 0 }) else { return nil }
    let word = group * 64 + summary[group].trailingZeroBitCount
    let run = word * 64 + words[word].trailingZeroBitCount
    words[word] &= words[word] &- 1
    if words[word] == 0 { summary[group] &= summary[group] &- 1 }
    return run
  }
}

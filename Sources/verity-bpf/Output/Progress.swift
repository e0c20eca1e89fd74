import Linux

/// A line of progress on standard error, only where a person may be watching.
struct Progress {
  /// What is counted.
  enum Unit {
    case bytes, files
  }

  private let label: String
  private let unit: Unit
  private let isShown: Bool
  private let running = Stopwatch()
  private var sinceShown = Stopwatch()

  init(_ label: String, unit: Unit = .bytes, quiet: Bool = false) {
    self.label = label
    self.unit = unit
    isShown = !quiet && StandardStream.error.isTerminal
  }

  /// Shows how far the work has come, at most ten times a second, with throughput and remaining time.
  mutating func update(done: UInt64, total: UInt64) {
    guard isShown, total > 0, sinceShown.seconds > 0.1 else { return }
    sinceShown = Stopwatch()
    let elapsed = running.seconds
    guard elapsed > 0 else { return }
    let rate = Double(done) / elapsed
    let remaining = rate > 0 ? Double(total - min(done, total)) / rate : 0
    let percent = Int(Double(done) * 100 / Double(total))
    let counts =
      switch unit {
      case .bytes: "\(Self.bytes(done)) of \(Self.bytes(total))  \(Self.bytes(UInt64(rate)))/s"
      case .files: "\(done) of \(total) files"
      }
    let line = "\(label) \(percent)%  \(counts)  \(Int(remaining)) s left"
    let width = StandardStream.error.terminalWidth ?? 80
    try? StandardStream.error.write("\r\u{1b}[K" + line.prefix(max(1, width - 1)))
  }

  /// Clears the line.
  func finish() {
    if isShown { try? StandardStream.error.write("\r\u{1b}[K") }
  }

  /// A byte count for people: binary units, one decimal.
  static func bytes(_ count: UInt64) -> String {
    let units = ["B", "KiB", "MiB", "GiB", "TiB"]
    var value = Double(count)
    var unit = 0
    while value >= 1024, unit < units.count - 1 {
      value /= 1024
      unit += 1
    }
    guard unit > 0 else { return "\(count) B" }
    let tenths = Int((value * 10).rounded())
    return "\(tenths / 10).\(tenths % 10) \(units[unit])"
  }
}

import Base

/// Files of an image that this build cannot read on this host: how many, and the first of them with the reason for each.
struct UnreadableFiles: Sendable {
  private(set) var count = 0
  private(set) var first: [(path: String, reason: Diagnostic)] = []
  /// Files that are named at most.
  private static let named = 20

  /// How many are not named.
  var unnamed: Int { count - first.count }

  mutating func add(_ path: String, _ reason: Diagnostic) {
    count += 1
    if first.count < Self.named { first.append((path, reason)) }
  }

  /// Adds those that come behind.
  mutating func add(_ others: UnreadableFiles) {
    count += others.count
    first += others.first.prefix(Self.named - first.count)
  }
}

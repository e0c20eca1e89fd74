/// A sum over paths, whatever their order: two lists with equal sums have the same paths, each as often.
///
/// It takes no memory, so that any number of paths can be compared. It is 128 bits over `Hasher`, a hash function whose key is
/// random and different in each process (unless SWIFT_DETERMINISTIC_HASHING is set, which is for debugging): the maker of an
/// image cannot choose other paths of the same sum.
struct PathSum: Equatable, Sendable {
  private var sums: (low: UInt64, high: UInt64) = (0, 0)
  /// How many paths were added.
  private(set) var count = 0

  /// Adds a path, given by its UTF-8.
  mutating func add(_ path: borrowing RawSpan) {
    sums.low &+= Self.hash(path, 0)
    sums.high &+= Self.hash(path, 1)
    count += 1
  }

  private static func hash(_ path: borrowing RawSpan, _ half: UInt8) -> UInt64 {
    var hasher = Hasher()
    hasher.combine(half)
    unsafe path.withUnsafeBytes { unsafe hasher.combine(bytes: $0) }
    return UInt64(bitPattern: Int64(hasher.finalize()))
  }

  static func == (left: PathSum, right: PathSum) -> Bool { left.sums == right.sums && left.count == right.count }
}

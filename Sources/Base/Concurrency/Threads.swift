/// The threads that share a piece of work. Where they come from is the caller's business, so that pure modules can use
/// them.
public struct Threads: Sendable {
  /// How many, at least 1.
  public let count: Int
  private let share: @Sendable (Int, _ work: @Sendable (Int) -> Void) -> Void

  /// - Parameters:
  ///   - count: how many; fewer than 1 are 1.
  ///   - share: calls `work` with each number below its first argument, each on a thread of its own if it can, and
  ///     returns when all these calls have.
  public init(_ count: Int, share: @escaping @Sendable (Int, _ work: @Sendable (Int) -> Void) -> Void) {
    self.count = max(1, count)
    self.share = share
  }

  /// The calling thread alone.
  public static var one: Threads { Threads(1) { count, work in for number in 0..<count { work(number) } } }

  /// No more than so many of them.
  public func limited(to limit: Int) -> Threads { Threads(min(count, limit), share: share) }

  /// Calls `work` on each of the threads, and returns when all these calls have.
  func callAsFunction(_ work: @Sendable () -> Void) { share(count) { _ in work() } }
}

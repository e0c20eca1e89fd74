public import Synchronization

/// Numbered pieces of work that several threads share.
///
/// The numbers are handed out in ascending order, each once, to whichever thread is free. Every thread has a worker of
/// its own: what it reads into, hashes with or keeps open from one piece to the next.
///
/// The first failure ends the handing out, but what was begun is finished. As every smaller number was handed out
/// before, the error that is thrown is always that of the smallest number that fails, whichever thread was faster:
/// equal input ends with equal errors.
///
/// A pool is for one run, which consumes it. Where the threads come from is said by ``Threads``.
public struct WorkerPool<Failure: Error>: ~Copyable, Sendable {
  private let threads: Threads
  private let next = Atomic<Int>(0)
  private let isOver = Atomic<Bool>(false)
  private let failure = Mutex<Failed?>(nil)

  private struct Failed {
    /// -1 for a worker that could not be made.
    let number: Int
    let error: Failure
  }

  public init(_ threads: Threads) { self.threads = threads }

  /// Does the work of every number below `count`, in any order.
  ///
  /// - Parameters:
  ///   - count: how many pieces there are; `.max` where `work` says when it was the last.
  ///   - make: makes a thread's worker, on that thread. No more are made than there are pieces.
  ///   - work: does one piece. Returns whether to go on: after a `false` no further piece is begun.
  /// - Throws: what `make` threw, or what `work` threw for the smallest number for which it threw anything.
  public consuming func run<Worker: ~Copyable>(
    _ count: Int, make: @Sendable () throws(Failure) -> Worker,
    work: @Sendable (inout Worker, Int) throws(Failure) -> Bool
  ) throws(Failure) {
    share(count, make: make, work: work)
    try end()
  }

  /// Does the work of every number below `count`, in any order, and takes the results in the order of the numbers.
  ///
  /// One thread at a time takes what is ready and next; another that has finished a piece meanwhile does not wait for
  /// it but begins the next piece. So results wait in memory for an earlier one, and `count` bounds how many.
  ///
  /// - Parameters:
  ///   - count: how many pieces there are.
  ///   - target: what the results go into. Locked while one of the threads puts something there.
  ///   - make: makes a thread's worker, on that thread. No more are made than there are pieces.
  ///   - work: does one piece.
  ///   - take: puts the result of a piece into the target. Nothing is taken after a piece that failed.
  /// - Throws: what `make` threw, or what `work` or `take` threw for the smallest number for which they did.
  public consuming func run<Worker: ~Copyable, Piece: Sendable, Target: ~Copyable & Sendable>(
    _ count: Int, into target: borrowing Mutex<Target>, make: @Sendable () throws(Failure) -> Worker,
    work: @Sendable (inout Worker, Int) throws(Failure) -> Piece,
    take: @Sendable (inout Target, Piece) throws(Failure) -> Void
  ) throws(Failure) {
    shareInOrder(count, into: target, make: make, work: work, take: take)
    try end()
  }

  private borrowing func shareInOrder<Worker: ~Copyable, Piece: Sendable, Target: ~Copyable & Sendable>(
    _ count: Int, into target: borrowing Mutex<Target>, make: @Sendable () throws(Failure) -> Worker,
    work: @Sendable (inout Worker, Int) throws(Failure) -> Piece,
    take: @Sendable (inout Target, Piece) throws(Failure) -> Void
  ) {
    let waiting = Mutex(PiecesInOrder<Piece>())
    share(count, make: make) { worker, number throws(Failure) in
      let piece = try work(&worker, number)
      waiting.withLock { $0.add(piece, at: number) }
      // The thread that holds the target takes this piece as well; or the last of them does, below.
      target.withLockIfAvailable { takeReady(waiting, into: &$0, take) }
      return true
    }
    target.withLock { takeReady(waiting, into: &$0, take) }
  }

  /// Hands out the numbers below `count`, and returns when what was begun is finished.
  private borrowing func share<Worker: ~Copyable>(
    _ count: Int, make: @Sendable () throws(Failure) -> Worker,
    work: @Sendable (inout Worker, Int) throws(Failure) -> Bool
  ) {
    guard count > 0 else { return }
    threads.limited(to: count)() {
      var number = -1
      do throws(Failure) {
        var worker = try make()
        while !isOver.load(ordering: .relaxed) {
          number = next.add(1, ordering: .relaxed).oldValue
          guard number < count else { return }
          if try !work(&worker, number) { isOver.store(true, ordering: .relaxed) }
        }
      } catch {
        fail(number, error)
      }
    }
  }

  /// Puts into the target what is ready and next, until something is missing or fails.
  private borrowing func takeReady<Piece: Sendable, Target: ~Copyable & Sendable>(
    _ waiting: borrowing Mutex<PiecesInOrder<Piece>>, into target: inout Target,
    _ take: (inout Target, Piece) throws(Failure) -> Void
  ) {
    while let (number, piece) = waiting.withLock({ $0.takeNext() }) {
      do throws(Failure) {
        try take(&target, piece)
      } catch {
        waiting.withLock { $0.close() }
        fail(number, error)
      }
    }
  }

  private borrowing func fail(_ number: Int, _ error: Failure) {
    isOver.store(true, ordering: .relaxed)
    failure.withLock { known in
      if known.map({ number < $0.number }) ?? true { known = Failed(number: number, error: error) }
    }
  }

  private borrowing func end() throws(Failure) {
    if let failed = failure.withLock({ $0 }) { throw failed.error }
  }
}

/// Results that are ready and wait for one with a smaller number.
struct PiecesInOrder<Piece: Sendable>: Sendable {
  private var ready: [Int: Piece] = [:]
  /// The number of the result that is taken next.
  private var next = 0
  private var isClosed = false

  /// Keeps a result until its turn comes.
  mutating func add(_ piece: Piece, at number: Int) { ready[number] = piece }

  /// The next result in the order of the numbers; nil while it is not ready.
  mutating func takeNext() -> (number: Int, piece: Piece)? {
    guard !isClosed, let piece = ready.removeValue(forKey: next) else { return nil }
    defer { next += 1 }
    return (next, piece)
  }

  /// Nothing is taken any more.
  mutating func close() { isClosed = true }
}

import Base
import Linux
import Synchronization
import Testing

/// The order does not hang on how fast a thread is: where a test says that one piece is done after another, the piece
/// waits for it.
@Suite struct WorkerPoolTests {
  struct Failed: Error, Equatable { let number: Int }

  private static func failure(_ run: () throws(Failed) -> Void) -> Failed? {
    do throws(Failed) {
      try run()
      return nil
    } catch {
      return error
    }
  }

  static let counts = [0, 1, 2, 3, 7, 64, 1000]

  @Test(arguments: counts, [1, 2, 3, 16])
  func everyNumberComesOnce(count: Int, threads: Int) {
    let numbers = Mutex<[Int]>([])
    let makes = Atomic<Int>(0)
    WorkerPool<Never>(Processors.threads(threads)).run(count) {
      makes.add(1, ordering: .relaxed)
      return [Int]()
    } work: { worker, number in
      // A worker belongs to one thread, which takes its numbers in their order.
      #expect(worker.last ?? -1 < number)
      worker.append(number)
      numbers.withLock { $0.append(number) }
      return true
    }
    #expect(numbers.withLock { $0.sorted() } == Array(0..<count))
    #expect(makes.load(ordering: .relaxed) <= min(threads, count))
  }

  @Test(arguments: counts, [1, 2, 3, 16])
  func resultsAreTakenInOrder(count: Int, threads: Int) {
    let taken = Mutex<[Int]>([])
    WorkerPool<Never>(Processors.threads(threads)).run(count, into: taken) {
      SystemRandomNumberGenerator()
    } work: { generator, number in
      // Some take longer than others, so that they are ready in another order than they were begun.
      if Int.random(in: 0..<4, using: &generator) == 0 { Timestamp.pause(milliseconds: 1) }
      return number
    } take: { taken, number in
      taken.append(number)
    }
    #expect(taken.withLock { $0 } == Array(0..<count))
  }

  /// The first piece is ready when all others are.
  @Test func theSlowestIsFirst() {
    let others = Semaphore()
    let taken = Mutex<[Int]>([])
    WorkerPool<Never>(Processors.threads(2)).run(50, into: taken) {
    } work: { _, number in
      if number == 0 { for _ in 1..<50 { others.wait() } } else { others.signal() }
      return number
    } take: { taken, number in
      taken.append(number)
    }
    #expect(taken.withLock { $0 } == Array(0..<50))
  }

  /// A piece that fails later than one behind it is still the one that is named.
  @Test(arguments: [false, true])
  func theFirstOfSeveralFailuresIsThrown(inOrder: Bool) {
    let second = Semaphore()
    let taken = Mutex<[Int]>([])
    @Sendable func work(_: inout Void, _ number: Int) throws(Failed) -> Int {
      switch number {
      case 3: second.wait()
      case 4: second.signal()
      default: return number
      }
      throw Failed(number: number)
    }
    let failed = Self.failure { () throws(Failed) in
      let pool = WorkerPool<Failed>(Processors.threads(2))
      if inOrder {
        try pool.run(100, into: taken, make: {}, work: work) { $0.append($1) }
        return
      }
      try pool.run(100, make: {}) { (worker: inout Void, number) throws(Failed) in
        let number = try work(&worker, number)
        taken.withLock { $0.append(number) }
        return true
      }
    }
    #expect(failed == Failed(number: 3))
    // What comes before the failure is there; of what comes behind it, nothing is in an order.
    #expect(taken.withLock { $0.sorted().starts(with: [0, 1, 2]) })
    if inOrder { #expect(taken.withLock { $0 } == [0, 1, 2]) }
  }

  /// A result that cannot be taken counts before a later piece that failed, even when that failed first.
  @Test func aFailureOfTakingEndsTheTaking() {
    let hasFailed = Semaphore()
    let taken = Mutex<[Int]>([])
    let failed = Self.failure { () throws(Failed) in
      try WorkerPool<Failed>(Processors.threads(2)).run(100, into: taken) {
      } work: { _, number throws(Failed) in
        if number == 5 { hasFailed.wait() }
        if number == 6 {
          hasFailed.signal()
          throw Failed(number: 6)
        }
        return number
      } take: { taken, number throws(Failed) in
        if number == 5 { throw Failed(number: 5) }
        taken.append(number)
      }
    }
    #expect(failed == Failed(number: 5))
    #expect(taken.withLock { $0 } == [0, 1, 2, 3, 4])
  }

  /// What was ready behind the result that could not be taken is left where it is.
  @Test func nothingIsTakenBehindAFailure() {
    let areReady = Semaphore()
    let taken = Mutex<[Int]>([])
    let failed = Self.failure { () throws(Failed) in
      try WorkerPool<Failed>(Processors.threads(2)).run(20, into: taken) {
      } work: { _, number in
        if number == 5 { for _ in 6..<20 { areReady.wait() } }
        if number > 5 { areReady.signal() }
        return number
      } take: { taken, number throws(Failed) in
        if number == 5 { throw Failed(number: 5) }
        taken.append(number)
      }
    }
    #expect(failed == Failed(number: 5))
    #expect(taken.withLock { $0 } == [0, 1, 2, 3, 4])
  }

  /// Two threads, the second of which comes when the first has ended.
  private static let oneAfterTheOther = Threads(2) { count, work in for number in 0..<count { work(number) } }

  /// No thread begins anything after a failure, or after a piece that says that it was the last.
  @Test func nothingIsBegunAfterTheEnd() {
    let begun = Mutex<[Int]>([])
    let failed = Self.failure { () throws(Failed) in
      try WorkerPool<Failed>(Self.oneAfterTheOther).run(10, make: {}) { _, number throws(Failed) in
        begun.withLock { $0.append(number) }
        if number == 2 { throw Failed(number: 2) }
        return true
      }
    }
    #expect(failed == Failed(number: 2))
    #expect(begun.withLock { $0 } == [0, 1, 2])
    WorkerPool<Never>(Self.oneAfterTheOther).run(.max, make: {}) { _, number in
      begun.withLock { $0.append(number) }
      return number < 4
    }
    #expect(begun.withLock { $0 } == [0, 1, 2, 0, 1, 2, 3, 4])
  }

  @Test(arguments: [1, 3])
  func aWorkerThatCannotBeMade(threads: Int) {
    let failed = Self.failure { () throws(Failed) in
      try WorkerPool<Failed>(Processors.threads(threads)).run(10) { () throws(Failed) in
        throw Failed(number: -1)
      } work: { (_: inout Void, _) throws(Failed) in
        true
      }
    }
    #expect(failed == Failed(number: -1))
  }
}

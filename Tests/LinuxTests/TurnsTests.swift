import Base
import Linux
import Synchronization
import Testing

@Suite struct TurnsTests {
  /// Several threads take turns in the order of the numbers, whatever each has to do before.
  @Test(arguments: [1, 2, 5])
  func turnsComeInOrder(threads: Int) {
    let turns = Turns()
    let passed = Mutex<[Int]>([])
    WorkerPool<Never>(Processors.threads(threads)).run(200) {
      SystemRandomNumberGenerator()
    } work: { generator, number in
      let turn = turns.turn(number)
      if Int.random(in: 0..<8, using: &generator) == 0 { Timestamp.pause(milliseconds: 1) }
      // Some do what they have to do in their turn; the others only go.
      if number.isMultiple(of: 3) { return true }
      turn.wait()
      passed.withLock { $0.append(number) }
      turn.pass()
      return true
    }
    #expect(passed.withLock { $0 } == (0..<200).filter { !$0.isMultiple(of: 3) })
  }

  /// The second thread is past its wait only when the first has let its turn go.
  @Test func aTurnWaitsForTheOneBefore() {
    let turns = Turns()
    let events = Mutex<[String]>([])
    let hasBegun = Semaphore()
    WorkerPool<Never>(Processors.threads(2)).run(2, make: {}) { _, number in
      let turn = turns.turn(number)
      if number == 0 {
        hasBegun.wait()
        events.withLock { $0.append("first") }
      } else {
        hasBegun.signal()
        turn.wait()
        events.withLock { $0.append("second") }
      }
      return true
    }
    #expect(events.withLock { $0 } == ["first", "second"])
  }

  /// What waits for a turn without having one of its own.
  @Test func severalWaitForOneTurn() {
    let turns = Turns()
    let isOver = Atomic<Bool>(false)
    WorkerPool<Never>(Processors.threads(4)).run(4, make: {}) { _, number in
      if number == 0 {
        let turn = turns.turn(0)
        Timestamp.pause(milliseconds: 5)
        isOver.store(true, ordering: .sequentiallyConsistent)
        turn.pass()
      } else {
        turns.wait(for: 1)
        let seen = isOver.load(ordering: .sequentiallyConsistent)
        #expect(seen)
      }
      return true
    }
    turns.wait(for: 0)
    turns.wait(for: 1)
  }
}

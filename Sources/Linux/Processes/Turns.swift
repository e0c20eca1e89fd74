internal import Synchronization

/// Turns that come one after the other, for what several threads have to do in an order while the rest of their work goes
/// on side by side.
///
/// A turn comes when all those with a smaller number have passed. Where the numbers are taken in ascending order, as by
/// the workers of a `WorkerPool`, a thread that waits therefore waits for one that is at work.
public final class Turns: Sendable {
  private let state = Mutex(State())

  private struct State {
    /// The number whose turn it is.
    var current = 0
    var waiting: [(number: Int, pause: Semaphore)] = []
  }

  /// The first turn is that of 0.
  public init() {}

  /// The turn of a number; each is taken once.
  public func turn(_ number: Int) -> Turn { Turn(self, number) }

  /// Returns when every turn below `number` has passed.
  public func wait(for number: Int) {
    let pause = state.withLock { state -> Semaphore? in
      guard state.current < number else { return nil }
      let pause = Semaphore()
      state.waiting.append((number, pause))
      return pause
    }
    pause?.wait()
  }

  /// Called when the turn of `number` has come.
  fileprivate func pass(_ number: Int) {
    state.withLock { state in
      state.current = number + 1
      for (_, pause) in state.waiting.filter({ $0.number <= number + 1 }) { pause.signal() }
      state.waiting.removeAll { $0.number <= number + 1 }
    }
  }
}

/// One number's place in the order. Whatever comes of its work, the next one gets its turn when this value goes, which it
/// does not before its own has come.
public struct Turn: ~Copyable {
  private let turns: Turns
  private let number: Int

  fileprivate init(_ turns: Turns, _ number: Int) {
    self.turns = turns
    self.number = number
  }

  deinit {
    turns.wait(for: number)
    turns.pass(number)
  }

  /// Returns when every turn before this one has passed.
  public borrowing func wait() { turns.wait(for: number) }

  /// Gives the turn to the next one, when it has come.
  public consuming func pass() {}
}

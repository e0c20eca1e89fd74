import Base
import Linux
import Synchronization

/// What there is to say about one object, gathered so that it is printed in one piece.
struct Printout: Sendable {
  private var output = ""
  private var errors = ""

  /// What goes to standard output.
  var answer: String { output }

  /// A line for people on standard output.
  mutating func line(_ text: String) { output += text.visibleLine + "\n" }

  /// One JSON object on one line of standard output.
  mutating func json(_ value: JSONValue) { output += value.compact + "\n" }

  /// A line on standard error.
  mutating func note(_ text: String) { errors += text.visibleLine + "\n" }

  /// A diagnostic on standard error.
  mutating func report(_ diagnostic: Diagnostic) { errors += Output.text(of: diagnostic) }

  /// Prints what was gathered, standard output first.
  func print() throws(OutputFailure) {
    // Nothing can be said when that fails.
    defer { if !errors.isEmpty { try? StandardStream.error.write(errors) } }
    if !output.isEmpty { try Output.bytes(Array(output.utf8)) }
  }

  /// Prints lines for people, and nothing else, in one piece.
  static func print(_ lines: [String]) throws(OutputFailure) {
    var printout = Printout()
    for line in lines { printout.line(line) }
    try printout.print()
  }
}

/// Prints what several threads have to say, in the order of the objects it is about.
final class OrderedPrinting: Sendable {
  /// What there is to say about one object.
  struct Answer {
    let printout: Printout
    /// The exit code of a run with this object alone.
    let status: Int32
    /// What is done and stays, whether it is told or not; nil when nothing does.
    let done: String?
    /// Called when it was told, or is not going to be.
    let whenTold: @Sendable () -> Void
  }

  private struct State {
    var next = 0
    var waiting: [Int: Answer] = [:]
    var status: Int32 = 0
    var failure: OutputFailure?
    /// What is done and could not be told. What a signal would tell of it stays until ``finish()`` has.
    var untold: [(done: String, answer: Answer)] = []
  }

  private let state = Mutex(State())

  /// Takes what there is to say about the object of that index, and prints all that is due. False when standard output
  /// takes no more.
  func add(_ answer: Answer, at index: Int) -> Bool {
    state.withLock { state in
      state.waiting[index] = answer
      while let answer = state.waiting.removeValue(forKey: state.next) {
        state.next += 1
        if state.status == 0 { state.status = answer.status }
        Self.print(answer, &state)
      }
      return state.failure == nil
    }
  }

  private static func print(_ answer: Answer, _ state: inout State) {
    if state.failure == nil {
      do throws(OutputFailure) {
        try answer.printout.print()
        return answer.whenTold()
      } catch {
        state.failure = error
      }
    }
    if let done = answer.done { state.untold.append((done, answer)) }
  }

  /// The exit code of the first object that has another than 0, once everything has been added.
  ///
  /// - Throws: why standard output could not be written, and what is done all the same.
  func finish() throws -> Int32 {
    try state.withLock { state in
      // What comes after one that was not begun has not been printed.
      for index in state.waiting.keys.sorted() {
        if let answer = state.waiting[index] { Self.print(answer, &state) }
      }
      guard let failure = state.failure else { return state.status }
      guard !state.untold.isEmpty else { throw failure }
      let all = OutputFailure(text: state.untold.map(\.answer.printout.answer).joined(), error: failure.error)
      throw DiagnosedFailure(all.untold(state.untold.map(\.done).separated(by: "; ")))
    }
  }
}

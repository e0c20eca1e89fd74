import Base
import Linux
import Synchronization

/// What there is to say about one object, gathered so that it is printed in one piece.
struct Printout: Sendable {
  private var output = ""
  private var errors = ""

  /// A line for people on standard output.
  mutating func line(_ text: String) { output += text.visibleLine + "\n" }

  /// One JSON object on one line of standard output.
  mutating func json(_ value: JSONValue) { output += value.compact + "\n" }

  /// A line on standard error.
  mutating func note(_ text: String) { errors += text.visibleLine + "\n" }

  /// A diagnostic on standard error.
  mutating func report(_ diagnostic: Diagnostic) { errors += Output.text(of: diagnostic) }

  /// Prints what was gathered, standard output first.
  func print() throws(DiagnosedFailure) {
    do throws(SystemError) {
      if !output.isEmpty { try StandardStream.output.write(output) }
    } catch {
      throw DiagnosedFailure(error.diagnostic)
    }
    // Nothing can be said when that fails.
    if !errors.isEmpty { try? StandardStream.error.write(errors) }
  }
}

/// Prints what several threads have to say, in the order of the objects it is about.
final class OrderedPrinting: Sendable {
  private struct State {
    var next = 0
    var waiting: [Int: (printout: Printout, status: Int32)] = [:]
    var status: Int32 = 0
    var failure: DiagnosedFailure?
  }

  private let state = Mutex(State())

  /// Takes what there is to say about the object of that index, and prints all that is due. False when standard output
  /// takes no more.
  ///
  /// - Parameter status: the exit code of a run with this object alone.
  func add(_ printout: Printout, status: Int32, at index: Int) -> Bool {
    state.withLock { state in
      state.waiting[index] = (printout, status)
      while state.failure == nil, let (printout, status) = state.waiting.removeValue(forKey: state.next) {
        state.next += 1
        if state.status == 0 { state.status = status }
        do throws(DiagnosedFailure) { try printout.print() } catch { state.failure = error }
      }
      return state.failure == nil
    }
  }

  /// The exit code of the first object that has another than 0, once everything has been added.
  ///
  /// - Throws: why standard output could not be written.
  func finish() throws(DiagnosedFailure) -> Int32 {
    let (status, failure) = state.withLock { ($0.status, $0.failure) }
    if let failure { throw failure }
    return status
  }
}

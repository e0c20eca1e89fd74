import Base
import Linux

/// Standard output that takes no more: it is full, closed, or nobody reads it any more.
struct OutputFailure: Diagnosable {
  /// What could not be told.
  let text: String
  let error: SystemError

  var diagnostic: Diagnostic { error.diagnostic }

  /// The same when what was to be told is done: it is told on standard error, and the exit code says both.
  ///
  /// - Parameter done: what is done, as the first half of a sentence.
  func untold(_ done: String) -> Diagnostic {
    Diagnostic(
      "output.untold", .untold, "\(done), and standard output could not be told", expected: "space for the answer",
      found: error.description, why: "what is done stays, and is not to be repeated",
      next: "read the answer here, and have standard output take the next one",
      details: text.split(separator: "\n").map { String($0) })
  }

  /// The same when what was to be told goes with the command.
  func undone(_ what: String) -> Diagnostic {
    var diagnostic = diagnostic
    diagnostic.message += "; \(what)"
    return diagnostic
  }
}

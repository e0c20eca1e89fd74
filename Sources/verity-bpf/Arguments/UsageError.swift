import Base

/// A mistake on the command line.
struct UsageError: Error {
  /// What is wrong, as a sentence.
  let message: String
  /// The option or argument that it is about, which is then explained.
  let parameter: Parameter?

  init(_ message: String, _ parameter: Parameter? = nil) {
    self.message = message
    self.parameter = parameter
  }

  /// There is none of that name; the nearest that there is may have been meant.
  static func unknown(_ what: String, _ name: String, known: [String]) -> UsageError {
    UsageError("There is no \(what) `\(name)`\(suggestion(for: name, among: known))")
  }

  /// The nearest of the known words, when one is near, as the end of the sentence.
  private static func suggestion(for word: String, among known: [String]) -> String {
    guard word.utf8.count <= 40 else { return "." }
    let ranked = known.map { (distance: EditDistance.between(word.utf8, $0.utf8), word: $0) }
    guard let best = ranked.min(by: { $0.distance < $1.distance }), best.distance <= max(1, best.word.utf8.count / 3)
    else { return "." }
    return "; did you mean `\(best.word)`?"
  }

  /// What is printed: the mistake, what the parameter is, and how the command is used.
  func text(of path: VerbPath) -> String {
    var lines = TextLayout.wrap(message, first: "Error: ", rest: 7)
    if let parameter {
      lines += TextLayout.wrap("\(parameter.spelling): \(parameter.description)", first: "Help:  ", rest: 7)
    }
    lines += Help.usage(of: path, isBrief: true)
    lines.append("  See `\(path.text) --help`.")
    return lines.joined(separator: "\n")
  }
}

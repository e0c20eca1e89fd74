/// What `--help` prints, in lines of at most 80 columns.
enum Help {
  /// Where the second column begins.
  private static let column = 26

  static func text(of path: VerbPath) -> String {
    var lines = TextLayout.wrap(path.verb.summary, first: "", rest: 0) + [""] + usage(of: path)
    switch path.verb.meaning {
    case .command(let command):
      let declaration = command.declaration
      if !declaration.discussion.isEmpty { lines += [""] + paragraphs(declaration.discussion) }
      lines += section("Arguments:", declaration.arguments.map { ($0.name, $0.description) })
      lines += section("Options:", declaration.options.map { (spellings(of: $0), $0.description) })
      lines += section("Examples:", declaration.examples.flatMap { example($0) })
    case .group(_, let verbs):
      lines += section("Commands:", verbs.map { ($0.name, $0.summary) })
      if path.words.count == 1 {
        lines += section("Options:", Invocation.rootOptions.map { (spellings(of: $0), $0.help) })
      }
      lines += ["", "See `\(path.text) COMMAND --help` for one of them."]
    }
    return lines.joined(separator: "\n")
  }

  /// How a command is called.
  ///
  /// - Parameter isBrief: whether options that can be left out are not named one by one.
  static func usage(of path: VerbPath, isBrief: Bool = false) -> [String] {
    let parts: [String]
    switch path.verb.meaning {
    case .command(let command):
      let options = command.declaration.options.filter { $0.name != Declaration.help.parameter.name }
      let named = isBrief ? options.filter(\.occurrence.isRequired) : options
      parts = named.map(\.synopsis) + (isBrief ? ["[OPTION ...]"] : []) + command.declaration.arguments.map(\.synopsis)
    case .group: parts = ["COMMAND"]
    }
    return filled(parts, first: "Usage: \(path.text)", rest: "          ", end: "")
  }

  /// Lines of parts that stay together, each with a blank before it.
  ///
  /// - Parameter end: what a line ends with that goes on.
  private static func filled(_ parts: [String], first: String, rest: String, end: String) -> [String] {
    var lines: [String] = []
    var line = first
    for part in parts {
      if line.count + 1 + part.count + end.count > TextLayout.width, line != first, line != rest {
        lines.append(line + end)
        line = rest
      }
      line += " " + part
    }
    return lines + [line]
  }

  /// `-o, --output IMAGE`
  static func spellings(of option: Parameter) -> String {
    option.short.map { "\($0), \(option.spelling)" } ?? option.spelling
  }

  /// Paragraphs are filled; lines that begin with blanks stay as they are.
  private static func paragraphs(_ text: String) -> [String] {
    text.split(separator: "\n", omittingEmptySubsequences: false).flatMap { line in
      line.hasPrefix(" ") ? [String(line)] : TextLayout.wrap(String(line), first: "", rest: 0)
    }
  }

  private static func section(_ title: String, _ rows: [(String, String)]) -> [String] {
    guard !rows.isEmpty else { return [] }
    var lines = ["", title]
    for (left, right) in rows {
      guard !right.isEmpty else {
        lines.append("  " + left)
        continue
      }
      let label = "  " + left
      if label.count + 2 > column { lines.append(label) }
      lines += TextLayout.wrap(
        right, first: TextLayout.pad(label.count + 2 > column ? "" : label, column), rest: column)
    }
    return lines
  }

  /// A command line that can be pasted as it is printed: where it is too long it goes on behind a backslash, before an
  /// option or what only the shell reads.
  private static func example(_ text: String) -> [(String, String)] {
    var parts: [String] = []
    for word in text.split(separator: " ") {
      let begins = word.hasPrefix("-") || word.hasSuffix("<") || word == ">" || word == "&&"
      if begins || parts.isEmpty { parts.append(String(word)) } else { parts[parts.count - 1] += " \(word)" }
    }
    return filled(parts, first: " ", rest: "     ", end: " \\").map { (String($0.dropFirst(2)), "") }
  }
}

/// The manual pages, with the man(7) macros: one a command, `verity-bpf-policy-check.1`, and one about the settings.
enum Manual {
  /// Every page, by the name of its file.
  static func pages(_ root: Verb, version: String) -> [(file: String, text: String)] {
    pages(VerbPath(root), version) + [SettingsManual.page(version: version)]
  }

  private static func pages(_ path: VerbPath, _ version: String) -> [(file: String, text: String)] {
    var found = [(file: "\(name(path.words)).1", text: page(path, version))]
    for child in path.verb.children {
      var below = path
      if below.descend(to: child.name) { found += pages(below, version) }
    }
    return found
  }

  private static func name(_ words: [String]) -> String { words.joined(separator: "-") }

  private static func page(_ path: VerbPath, _ version: String) -> String {
    let name = name(path.words)
    let summary = path.verb.summary
    var lines = head(name, section: 1, of: "User Commands", version, summary: lowered(summary))
    lines += [".SH SYNOPSIS", ".B \(escaped(path.text))"]
    switch path.verb.meaning {
    case .command(let command):
      let declaration = command.declaration
      lines += (declaration.options + declaration.arguments).map { parameter in
        let text = marked(parameter) + (parameter.occurrence.isRepeated ? " ..." : "")
        return parameter.occurrence.isRequired ? text : "[\(text)]"
      }
      lines += [".SH DESCRIPTION", escaped(summary)] + paragraphs(declaration.discussion)
      lines += section("ARGUMENTS", declaration.arguments.map { (marked($0), $0.description) })
      lines += section("OPTIONS", declaration.options.map { (marked($0, allSpellings: true), $0.description) })
      if !declaration.examples.isEmpty { lines += [".SH EXAMPLES"] + example(declaration.examples) }
    case .group(_, let verbs):
      lines += ["\\fIcommand\\fR ...", ".SH DESCRIPTION", escaped(summary)]
      lines += section("COMMANDS", verbs.map { ("\\fB\(escaped("\(name)-\($0.name)"))\\fR(1)", $0.summary) })
      if path.words.count == 1 { lines += section("OPTIONS", Invocation.rootOptions.map { (marked($0), $0.help) }) }
    }
    lines += section("EXIT STATUS", ExitCodes.all.map { ("\($0.code)", $0.meaning) })
    lines.append(".SH SEE ALSO")
    var others = path.verb.children.map { (self.name(path.words + [$0.name]), 1) }
    if path.words.count > 1 { others.insert((self.name(path.words.dropLast()), 1), at: 0) }
    if path.words.count == 1 { others += [(SettingsManual.name, 5), ("veritysetup", 8), ("bpftool", 8)] }
    if path.words == SettingsManual.command { others.append((SettingsManual.name, 5)) }
    lines.append(references(others))
    return lines.joined(separator: "\n") + "\n"
  }

  /// How a page begins: its title, and what it is about.
  static func head(_ name: String, section: Int, of volume: String, _ version: String, summary: String) -> [String] {
    [
      ".\\\" Written by verity-bpf --generate-manual.",
      ".TH \"\(escaped(name.uppercased()))\" \(section) \"\" \"verity\\-bpf \(escaped(version))\" \"\(volume)\"",
      ".SH NAME", "\(escaped(name)) \\- \(escaped(summary))",
    ]
  }

  /// Other pages, each with the section that it is in.
  static func references(_ pages: [(String, Int)]) -> String {
    pages.map { "\\fB\(escaped($0.0))\\fR(\($0.1))" }.joined(separator: ",\n")
  }

  private static func lowered(_ summary: String) -> String {
    let text = summary.hasSuffix(".") ? summary.dropLast() : summary[...]
    return text.prefix(1).lowercased() + text.dropFirst()
  }

  private static func marked(_ parameter: Parameter, allSpellings: Bool = false) -> String {
    guard parameter.isOption else { return "\\fI\(escaped(parameter.name))\\fR" }
    let short = allSpellings ? parameter.short.map { "\\fB\(escaped($0))\\fR, " } ?? "" : ""
    let value = parameter.occurrence == .flag ? "" : " \\fI\(escaped(parameter.kind.placeholder))\\fR"
    return "\(short)\\fB\(escaped(parameter.name))\\fR\(value)"
  }

  static func section(_ title: String, _ rows: [(String, String)]) -> [String] {
    rows.isEmpty ? [] : [".SH \(title)"] + rows.flatMap { [".TP", $0.0, escaped($0.1)] }
  }

  static func paragraphs(_ text: String) -> [String] {
    guard !text.isEmpty else { return [] }
    var lines = [".PP"]
    var isExample = false
    for row in text.split(separator: "\n", omittingEmptySubsequences: false) {
      if row.hasPrefix(" ") != isExample {
        isExample.toggle()
        lines.append(isExample ? ".RS 4\n.nf" : ".fi\n.RE")
      }
      lines.append(row.isEmpty ? ".PP" : escaped(String(isExample ? row.dropFirst(2) : row)))
    }
    return isExample ? lines + [".fi\n.RE"] : lines
  }

  static func example(_ texts: [String]) -> [String] {
    texts.flatMap { [".PP", ".nf", escaped($0), ".fi"] }
  }

  /// What roff would read as something else than the character.
  private static let escapes: [Unicode.Scalar: String] = [
    "\\": "\\e", "-": "\\-", "^": "\\(ha", "~": "\\(ti", "`": "\\(ga",
  ]

  /// Text as roff takes it: no request by accident, hyphens that can be copied.
  static func escaped(_ text: String) -> String {
    var result = text.hasPrefix(".") || text.hasPrefix("'") ? "\\&" : ""
    for character in text.unicodeScalars { result += escapes[character] ?? String(character) }
    return result
  }
}

/// One start of the program: what its words ask for.
enum Invocation {
  case command(any Command)
  case help(VerbPath)
  case version
  case completionScript(CompletionScript)
  /// What completes the last of the words.
  case completion([String])
  /// The manual pages, into a directory.
  case manual(String)
  /// What binfmt.d(5) takes, for an interpreter of that path.
  case binaryFormat(String)

  private static let versionFlag = Key.flag("--version", "Print the version.")
  private static let script: Key<CompletionScript?> = .optional(
    "--generate-completion-script", "Print what a shell's completion needs.")
  private static let manual: Key<String?> = .optional(
    "--generate-manual", takes: .directory, "Write the manual pages into a directory.")

  private static let binaryFormat: Key<String?> = .optional(
    "--generate-binfmt", takes: .file,
    "Print what binfmt.d(5) takes to have BPF objects executed by a verity-bpf there.")

  /// What can stand in the place of a command. These are options of the first word only, so that no mistake behind a
  /// command passes for such a question. `--complete WORD ...` is for the completion scripts.
  static let rootOptions = [
    Declaration.help.parameter, versionFlag.parameter, script.parameter, manual.parameter, binaryFormat.parameter,
  ]

  /// Reads the words behind the program's name.
  ///
  /// - Parameter path: where the words lead, also when they hold a mistake.
  static func read(_ words: [String], path: inout VerbPath) throws(UsageError) -> Invocation {
    var rest = words[...]
    if rest.first == "--complete" { return .completion(Array(rest.dropFirst())) }
    let asksForHelp = rest.first == "help"
    if asksForHelp { rest = rest.dropFirst() }
    while let word = rest.first, path.descend(to: word) { rest = rest.dropFirst() }
    if asksForHelp {
      guard let word = rest.first, !Words.askForHelp(rest, of: noOptions) else { return .help(path) }
      throw unknown(word, path)
    }
    switch path.verb.meaning {
    case .command(let command):
      if Words.askForHelp(rest, of: command.declaration) { return .help(path) }
      return .command(try command.init(try Words(rest, of: command.declaration)))
    case .group:
      guard let word = rest.first, rest != ["--"], !Words.askForHelp(rest, of: noOptions) else { return .help(path) }
      if path.words.count == 1, let question = try question(rest) { return question }
      throw unknown(word, path)
    }
  }

  /// A group has no options but the one for help.
  private static let noOptions = Declaration("", options: [])

  private static func unknown(_ word: String, _ path: VerbPath) -> UsageError {
    guard Words.isOption(word) else { return .unknown("command", word, known: path.verb.children.map(\.name)) }
    return .unknown("option", word, known: (path.words.count == 1 ? rootOptions : noOptions.options).map(\.name))
  }

  /// What the options in the place of a command ask for.
  private static func question(_ words: ArraySlice<String>) throws(UsageError) -> Invocation? {
    guard let name = words.first.map({ Words.split($0).name }), rootOptions.contains(where: { $0.name == name }) else {
      return nil
    }
    let given = try Words(words, of: Declaration("", options: [versionFlag, script, manual, binaryFormat]))
    if let shell = try given[script] { return .completionScript(shell) }
    if let directory = try given[manual] { return .manual(directory) }
    if let interpreter = try given[binaryFormat] { return .binaryFormat(interpreter) }
    return try given[versionFlag] ? .version : nil
  }
}

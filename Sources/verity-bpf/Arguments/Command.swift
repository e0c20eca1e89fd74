/// A command: what it takes is its declaration, of which parsing, help, manual and completion are made.
protocol Command: SendableMetatype {
  static var declaration: Declaration { get }

  /// The `schema` of this command's JSON, `verity-bpf/NAME/1`.
  static var schema: String { get }

  /// Whether something has to be removed when the command is told to stop: files half-written, pins, mounts.
  static var makesThings: Bool { get }

  /// Whether the libraries that the command loads may be configured by their files and the environment: for signing, with
  /// keys that a provider or an engine keeps.
  static var configuresLibraries: Bool { get }

  /// Reads what was given, and refuses what does not go together.
  init(_ words: Words) throws(UsageError)

  /// Whether the user asked for JSON; a failure is then also one JSON object on standard output.
  var wantsJSON: Bool { get }

  /// What is done by the time the command prints its answer, as the first half of a sentence; nil for one that only tells.
  /// When the answer cannot be printed, it is done all the same, and that is said.
  var done: String? { get }

  /// The work. Returns the exit code of a run that came to a result (0 unless the result itself is a refusal).
  func execute() throws -> Int32
}

extension Command {
  static var makesThings: Bool { true }
  static var configuresLibraries: Bool { false }
  var wantsJSON: Bool { false }
  var done: String? { nil }
}

/// What a command is for and what it takes.
struct Declaration: Sendable {
  /// One sentence, which lists of commands show.
  let summary: String
  /// More about it: paragraphs, and lines that begin with blanks and stay as they are.
  var discussion = ""
  /// Command lines that work as they are, given the files that they name.
  var examples: [String] = []
  let arguments: [Parameter]
  let options: [Parameter]

  /// - Parameters:
  ///   - arguments: what is known by its place, in that order; the last one may be repeated.
  ///   - options: in the order in which help lists them.
  init(
    _ summary: String, discussion: String = "", examples: [String] = [], arguments: [any AnyKey] = [],
    options: [any AnyKey]
  ) {
    self.summary = summary
    self.discussion = discussion
    self.examples = examples
    self.arguments = arguments.map(\.parameter)
    self.options = options.map(\.parameter) + [Self.help.parameter]
  }

  /// The option of that spelling.
  func option(_ name: String) -> Parameter? { options.first { $0.name == name || $0.short == name } }

  /// The options without value whose letters stand behind one dash: `-wh`.
  func flags(joinedIn word: String) -> [Parameter]? {
    guard word.utf8.count > 2, word.utf8.first == UInt8(ascii: "-") else { return nil }
    let flags = word.unicodeScalars.dropFirst().map { option("-\($0)") }
    return flags.allSatisfy { $0?.occurrence == .flag } ? flags.compactMap { $0 } : nil
  }

  /// Every command has it.
  static let help = Key.flag("--help", short: "-h", "Show this help.")
}

/// A word that names a command, or a group of commands.
struct Verb: Sendable {
  enum Meaning: Sendable {
    case command(any Command.Type)
    case group(summary: String, [Verb])
  }

  let name: String
  let meaning: Meaning

  init(_ name: String, _ command: any Command.Type) {
    self.name = name
    meaning = .command(command)
  }

  init(_ name: String, _ summary: String, _ verbs: [Verb]) {
    self.name = name
    meaning = .group(summary: summary, verbs)
  }

  var summary: String {
    switch meaning {
    case .command(let command): command.declaration.summary
    case .group(let summary, _): summary
    }
  }

  /// The verbs of a group.
  var children: [Verb] {
    switch meaning {
    case .command: []
    case .group(_, let verbs): verbs
    }
  }
}

/// A verb as it was reached: `verity-bpf policy check`.
struct VerbPath {
  private(set) var words: [String]
  private(set) var verb: Verb

  init(_ root: Verb) {
    words = [root.name]
    verb = root
  }

  var text: String { words.joined(separator: " ") }

  /// Goes on to the verb of that name; false when there is none.
  mutating func descend(to name: String) -> Bool {
    guard let next = verb.children.first(where: { $0.name == name }) else { return false }
    words.append(name)
    verb = next
    return true
  }
}

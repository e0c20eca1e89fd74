/// What the shells propose. Their scripts ask the command itself (`verity-bpf --complete WORD ...`), so that one table
/// serves all of them and no script can be older than its command.
enum Completion {
  /// What can stand where the last word is.
  enum Answer: Equatable {
    /// The shell completes file names.
    case files
    /// The same, of directories.
    case directories
    /// One of these, each with what it means.
    case words([Proposal])
    case nothing
  }

  struct Proposal: Equatable {
    let word: String
    var meaning = ""
  }

  /// - Parameter words: those behind `verity-bpf`, the last of them the one that is completed, as far as it is typed.
  static func answer(to words: [String], below root: Verb) -> Answer {
    var path = VerbPath(root)
    var rest = words.dropLast()[...]
    while let word = rest.first, path.descend(to: word) { rest = rest.dropFirst() }
    let current = words.last ?? ""
    guard case .command(let command) = path.verb.meaning else {
      guard rest.isEmpty else { return .nothing }
      guard path.words.count == 1, current.hasPrefix("-") else {
        return .words(path.verb.children.map { Proposal(word: $0.name, meaning: $0.summary) })
      }
      return .words(Invocation.rootOptions.map { Proposal(word: $0.name, meaning: $0.help) })
    }
    return answer(Array(rest), current, command.declaration)
  }

  private static func answer(_ words: [String], _ current: String, _ declaration: Declaration) -> Answer {
    let (name, value) = Words.split(current)
    var place = 0
    var open: Parameter?
    var isBehindDashes = false
    var image: String?
    for word in words {
      if let option = open {
        if option.kind == .image { image = word }
        open = nil
      } else if word == "--" {
        isBehindDashes = true
      } else if !isBehindDashes, Words.isOption(word) {
        let (name, value) = Words.split(word)
        guard let option = declaration.option(name), option.occurrence != .flag else { continue }
        if value == nil { open = option } else if option.kind == .image { image = value }
      } else {
        place += 1
      }
    }
    if let open { return proposals(open.kind, image: image) }
    if !isBehindDashes, current.hasPrefix("-") {
      if value != nil { return declaration.option(name).map { proposals($0.kind, image: image) } ?? .nothing }
      return .words(declaration.options.map { Proposal(word: $0.name, meaning: $0.help) })
    }
    guard let last = declaration.arguments.last else { return .nothing }
    if place < declaration.arguments.count { return proposals(declaration.arguments[place].kind, image: image) }
    return last.occurrence.isRepeated ? proposals(last.kind, image: image) : .nothing
  }

  /// - Parameter image: the image that the other words name.
  private static func proposals(_ kind: ValueKind, image: String?) -> Answer {
    switch kind {
    case .file, .image, .object, .key: .files
    case .directory: .directories
    case .objectInImage: image.map { words(Known.objects(inImage: $0)) } ?? .files
    case .policyName: words(Known.policies())
    case .errorCode: words(Known.errorCodes)
    case .interface: words(Known.interfaces())
    case .choice(let choices): words(choices)
    case .place, .word: .nothing
    }
  }

  private static func words(_ words: [String]) -> Answer { .words(words.map { Proposal(word: $0) }) }

  /// The answer as the scripts read it: what it is, then a proposal a line with what it means behind a tab.
  static func lines(_ answer: Answer) -> [String] {
    switch answer {
    case .files: ["files"]
    case .directories: ["directories"]
    case .nothing: ["nothing"]
    case .words(let proposals): ["words"] + proposals.map { $0.meaning.isEmpty ? $0.word : "\($0.word)\t\($0.meaning)" }
    }
  }
}

import Base
import Linux

/// `./agent.bpf.o`: an object that was executed, which binfmt_misc has handed over.
///
/// It is no command of the table: nothing but an execution leads here, so that whatever judges executions has seen the object.
struct ExecutedObjectCommand: Command {
  static let declaration = Declaration(
    "Prove this object, ask the policy, load its programs, and attach them.",
    discussion: """
      The object is judged as by `verity-bpf load --attach`. Without --pin-path its programs live as long as this process, which a \
      signal ends (Ctrl-C); with it they stay, and the process ends when they are loaded. A policy sees that the object was \
      executed: x_executed=TRUE.
      """,
    options: LoadCommand.optionsOfObjects(attach: []))
  static let schema = LoadCommand.schema

  private let load: LoadCommand

  /// Only with a file: see ``read(_:path:)``.
  init(_ words: Words) throws(UsageError) { throw UsageError("An object is executed by its name.") }

  private init(_ words: Words, _ file: ExecutedFile) throws(UsageError) {
    load = try LoadCommand(words, objects: ObjectChoice(executed: file), isWhole: false, attaches: true)
  }

  /// How the object was called.
  static func path(of file: ExecutedFile) -> VerbPath { VerbPath(Verb(file.path, Self.self)) }

  /// Reads the words behind the object's name.
  static func read(_ file: ExecutedFile, path: VerbPath) throws -> Invocation {
    guard !file.hasOthersRights else { throw BinfmtRefusal.othersRights(file.path) }
    let words = file.arguments[...]
    if Words.askForHelp(words, of: declaration) { return .help(path) }
    return .command(try Self(Words(words, of: declaration), file))
  }

  var wantsJSON: Bool { load.wantsJSON }
  var done: String? { load.done }

  func execute() throws -> Int32 { try load.execute() }
}

import Base
import HostReport
import Linux

/// The program: reads its words, does what they ask for, and ends with the exit code that comes of it.
@main
enum VerityBPF {
  /// What `--version` prints.
  static let version = Release.current

  static func main() {
    let words = ProcessImage.words()
    // First of all: where a standard stream is closed, the descriptor may have its number.
    let executed = ExecutedFile.take(words)
    StandardStream.fillGaps()
    KernelFile.keepRoots()
    // Where the kernel has started this process for a file, the words are the file's name and its arguments, whatever they
    // say: a file that is called like a command is none.
    let status = executed.map { run($0) } ?? run(words)
    if status != 0 { ProcessImage.end(status) }
  }

  private static func run(_ words: [String]) -> Int32 {
    answering(VerbPath(root)) { path in try perform(try Invocation.read(words, path: &path)) }
  }

  /// The program as the interpreter of an object.
  private static func run(_ file: ExecutedFile) -> Int32 {
    answering(ExecutedObjectCommand.path(of: file)) { path in
      try perform(try ExecutedObjectCommand.read(file, path: path))
    }
  }

  /// - Parameter path: the command that a usage error names, which `work` may change.
  private static func answering(_ path: VerbPath, _ work: (inout VerbPath) throws -> Int32) -> Int32 {
    var path = path
    do {
      return try work(&path)
    } catch let mistake as UsageError {
      Output.notes(mistake.text(of: path))
      return Diagnostic.Category.usage.rawValue
    } catch let error as any Diagnosable {
      Output.report(error.diagnostic)
      return error.diagnostic.category.rawValue
    } catch {
      // Everything that is thrown here explains itself; what does not is still a failure.
      Output.note("Error: \(error)")
      return Diagnostic.Category.incomplete.rawValue
    }
  }

  private static func perform(_ invocation: Invocation) throws -> Int32 {
    switch invocation {
    case .command(let command): return try run(command)
    case .help(let path): try Output.lines(Help.text(of: path))
    case .version: try Output.line(version)
    case .completionScript(let shell): try Output.lines(shell.text)
    case .completion(let words):
      for line in Completion.lines(Completion.answer(to: words, below: root)) { try Output.lines(line) }
    case .binaryFormat(let interpreter):
      try BinfmtRefusal.requirePath(interpreter)
      try Output.bytes(Array(BPFObjectFormat.configuration(interpreter).utf8))
    case .manual(let directory):
      for page in Manual.pages(root, version: version) {
        try PolicyFile.save(Array(page.text.utf8), to: "\(directory)/\(page.file)", keeping: RunInputs())
      }
    }
    return 0
  }

  private static func run<Chosen: Command>(_ command: Chosen) throws -> Int32 {
    if !Chosen.configuresLibraries { Environment.forget(Environment.ofLibraries) }
    return try Diagnosing.status(
      schema: Chosen.schema, makesThings: Chosen.makesThings, wantsJSON: command.wantsJSON, done: command.done,
      command.execute)
  }
}

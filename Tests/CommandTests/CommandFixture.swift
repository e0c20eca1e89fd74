import Linux
import TestSupport

@testable import verity_bpf

/// Texts under Tests/Fixtures/command-line that the command's answers are held against. With VERITY_BPF_REWRITE=yes the
/// tests write them anew, to be reviewed as a difference.
enum CommandFixture {
  static func read(_ name: String) throws -> String {
    String(decoding: try TemporaryDirectory().read(path(name)), as: UTF8.self)
  }

  static func rewrite(_ name: String, _ text: String) throws {
    guard isRewriting else { return }
    let directory = try TemporaryDirectory()
    try Tools.run("cp", try directory.write("new", text), path(name))
  }

  static var isRewriting: Bool { Environment.value("VERITY_BPF_REWRITE") == "yes" }

  private static func path(_ name: String) -> String { "\(Tools.repository)/Tests/Fixtures/command-line/\(name)" }

  /// The paths of all commands, and of the groups where they are wanted.
  static func paths(groups: Bool = false, below path: VerbPath = VerbPath(VerityBPF.root)) -> [VerbPath] {
    guard !path.verb.children.isEmpty else { return [path] }
    return (groups ? [path] : [])
      + path.verb.children.flatMap { child in
        var below = path
        return below.descend(to: child.name) ? paths(groups: groups, below: below) : []
      }
  }

  /// The words of a command line as a shell hands them over: without what it reads itself, one list a command.
  static func commands(in line: String) -> [[String]] {
    var found: [[String]] = [[]]
    var words = line.split(separator: " ").map { String($0) }[...]
    while let word = words.popFirst() {
      switch word {
      case "\\": continue
      case "&&": found.append([])
      case ">": words = words.dropFirst()
      default:
        if word.hasSuffix("<") { words = words.dropFirst() } else { found[found.count - 1].append(word) }
      }
    }
    return found
  }
}

import TestSupport
import Testing

@testable import verity_bpf

/// Every option of every command in every spelling, with what was made of it before the parser was ours.
///
/// A line of the fixture is the exit code, the words, and what they mean: the command's type with its values, `help of`
/// a command, or the refusal.
@Suite struct ReplayTests {
  static let name = "answers.txt"

  struct Answer: Equatable {
    let status: Int
    let meaning: String
  }

  static func answer(to words: [String]) -> Answer {
    var path = VerbPath(VerityBPF.root)
    do throws(UsageError) {
      switch try Invocation.read(words, path: &path) {
      case .command(let command):
        return Answer(status: 0, meaning: (["\(type(of: command))"] + values(of: command)).joined(separator: " "))
      case .help(let path): return Answer(status: 0, meaning: "help of \(path.text)")
      case .version: return Answer(status: 0, meaning: "version")
      case .completionScript(let shell): return Answer(status: 0, meaning: "completion of \(shell)")
      case .completion(let words): return Answer(status: 0, meaning: "completes \(words)")
      case .binaryFormat(let interpreter): return Answer(status: 0, meaning: "binfmt.d for \(interpreter)")
      case .manual(let directory): return Answer(status: 0, meaning: "manual into \(directory)")
      }
    } catch {
      return Answer(status: 64, meaning: error.message)
    }
  }

  /// What a command holds: each value by the name of its property, of groups of options too.
  private static func values(of subject: Any) -> [String] {
    Mirror(reflecting: subject).children.flatMap { child -> [String] in
      let name = child.label ?? "?"
      switch child.value {
      case let flag as Bool: return flag ? ["\(name)=true"] : []
      case let value as any ArgumentValue: return ["\(name)=\(value.argument)"]
      case let values as [any ArgumentValue]: return values.map { "\(name)=\($0.argument)" }
      case let value as (any ArgumentValue)?: return value.map { ["\(name)=\($0.argument)"] } ?? []
      default: return values(of: child.value)
      }
    }
  }

  private static func sorted(_ meaning: String) -> [String] {
    let words = meaning.split(separator: " ").map { String($0) }
    // Of several values of one option the order counts, of different ones it does not.
    return words.enumerated().sorted {
      let (left, right) = ($0.element.prefix { $0 != "=" }, $1.element.prefix { $0 != "=" })
      return left == right ? $0.offset < $1.offset : left < right
    }.map(\.element)
  }

  @Test func answersAsBefore() throws {
    let text = try CommandFixture.read(Self.name)
    var rewritten = ""
    var count = 0
    for line in text.split(separator: "\n", omittingEmptySubsequences: false).dropLast() {
      let columns = line.split(separator: "\t", omittingEmptySubsequences: false)
      guard columns.count == 3 else {
        #expect(line.hasPrefix("#"), "\(line)")
        rewritten += "\(line)\n"
        continue
      }
      let words = columns[1].split(separator: " ").map { $0 == "''" ? "" : String($0) }
      let answer = Self.answer(to: words)
      rewritten += "\(answer.status)\t\(columns[1])\t\(answer.meaning)\n"
      count += 1
      #expect("\(answer.status)" == columns[0], "\(columns[1]): \(answer.meaning)")
      let expected = String(columns[2])
      #expect(Self.sorted(answer.meaning) == Self.sorted(expected), "\(columns[1])")
    }
    #expect(count > 3000)
    try CommandFixture.rewrite(Self.name, rewritten)
  }

  /// A new option is added to the fixture in its spellings.
  @Test func everyOptionIsRecorded() throws {
    let text = try CommandFixture.read(Self.name)
    let lines = text.split(separator: "\n").map { $0.split(separator: "\t", omittingEmptySubsequences: false) }
    let accepted = Set(lines.filter { $0.first == "0" && $0.count == 3 }.map { " \($0[1]) " })
    for path in CommandFixture.paths() {
      guard case .command(let command) = path.verb.meaning else { continue }
      let start = " \(path.words.dropFirst().joined(separator: " ")) "
      let own = accepted.filter { $0.hasPrefix(start) }
      for option in command.declaration.options where option.name != "--help" {
        for name in [option.name, option.short].compactMap({ $0 }) {
          #expect(own.contains { $0.contains(" \(name) ") }, "\(path.text) \(name)")
          guard option.occurrence != .flag else { continue }
          #expect(own.contains { $0.contains(" \(name)=") }, "\(path.text) \(name)=")
        }
      }
    }
  }
}

import ArgumentParser
import Testing

@testable import verity_bpf

/// What is read without the argument parser is read as the parser would.
@Suite struct PlainArgumentsTests {
  static let image = ["--image", "i.raw", "--object", "a"]
  static let hash = String(repeating: "0f", count: 32)

  @Test(arguments: [
    image, ["--fd", "3"], ["--fd", "3", "--fd", "7"], image + ["--object", "b/c"], image + ["--policy", "p"],
    image + ["--pin-path", "/x", "--json"], image + ["--dry-run"], image + ["--audit-dir", "d"],
    image + ["--verifier-log", "v"], image + ["--root-hash", hash], image + ["--root-hash-file", "r"],
    image + ["--attach", "--interface", "lo", "--cgroup", "/c", "--target", "t"], ["--policy", "p"] + image,
    ["--fd", "3", "--policy", "p", "--pin-path", "/x"], image + ["--map-entries", "a=1", "--map-entries", "b=2"],
  ])
  func asTheParser(arguments: [String]) throws {
    let plain = try #require(PlainArguments.load(arguments[...]))
    let parsed = try LoadCommand.parse(arguments).loadRun
    #expect(String(describing: plain) == String(describing: parsed))
  }

  @Test(arguments: [
    ["i.raw"], ["i.raw", "--json"], ["--root-hash", hash, "i.raw"], ["i.raw", "--root-hash-file", "r"],
    ["i.raw", "--verity-data", "t", "--hash-offset", "4096"],
  ])
  func verifyAsTheParser(arguments: [String]) throws {
    let plain = try #require(PlainArguments.verify(arguments[...]))
    let parsed = try VerifyCommand.parse(arguments).verifyRun
    #expect(String(describing: plain) == String(describing: parsed))
  }

  @Test(arguments: [
    [], ["--help"], ["a", "b"], ["i.raw", "--hash-offset", "x"], ["i.raw", "--certificate", "c"], ["i.raw", "--"],
    ["i.raw", "--root-hash", "12"], ["i.raw", "--root-hash", hash, "--root-hash-file", "r"],
    ["i.raw", "--json", "--json"],
  ])
  func verifyLeavesTheRest(arguments: [String]) {
    #expect(PlainArguments.verify(arguments[...]) == nil)
  }

  /// Every option the parser knows is known here too, so that a new one is not forgotten.
  @Test func noOptionIsMissing() throws {
    let help = LoadCommand.helpMessage(columns: 200)
    let names = help.split(separator: "\n").compactMap { line -> (String, Bool)? in
      let words = line.split(separator: " ")
      guard let first = words.first, first.hasPrefix("--") else { return nil }
      return (String(first), words.count > 1 && words[1].hasPrefix("<"))
    }
    #expect(names.count > 10)
    for (name, takesValue) in names where name != "--help" && name != "--version" {
      let special = ["--root-hash": Self.hash, "--keyring": "platform", "--map-entries": "m=1"]
      let value = special[name] ?? "1"
      let base = ["--fd", "--image", "--object"].contains(name) ? [] : ["--fd", "3", "--attach"]
      let completed = name == "--image" ? ["--object", "a"] : name == "--object" ? ["--image", "i"] : []
      let arguments = base.filter { $0 != name } + [name] + (takesValue ? [value] : []) + completed
      #expect(PlainArguments.load(arguments[...]) != nil, "\(arguments)")
    }
  }

  /// What is a mistake, or only unusual, is left to the parser.
  @Test(arguments: [
    [], ["--help"], ["--fd", "x"], ["--fd"], ["--fd=3"], ["--fd", "3"] + image, image + ["--policy", "-p"],
    image + ["--policy", "p", "--policy", "q"], image + ["--interface", "lo"], image + ["extra"], ["--image", "i"],
    image + ["--root-hash", "12"], image + ["--root-hash", hash, "--root-hash-file", "r"], ["--fd", "-1"],
    image + ["--"], image + ["--map-entries", "a=0"], image + ["--map-entries", "a=1", "--map-entries", "a=2"],
  ])
  func leavesTheRest(arguments: [String]) {
    #expect(PlainArguments.load(arguments[...]) == nil)
  }
}

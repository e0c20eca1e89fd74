import Linux
import TestSupport
import Testing

@testable import verity_bpf

/// What the shells propose, asked of the shells themselves.
@Suite struct CompletionTests {
  private static func words(_ answer: Completion.Answer) -> [String]? {
    guard case .words(let proposals) = answer else { return nil }
    return proposals.map(\.word)
  }

  @Test(arguments: [
    (["verify", "prog"], Completion.Answer.files), (["verify", "--", "-"], .files), (["mount", "i", ""], .directories),
    (["load", "--policy", ""], .files), (["load", "--policy=d"], .files), (["load", "--pin-path", ""], .directories),
    (["load", "--object", ""], .files), (["load", "--dry-run", "x"], .nothing), (["ps", ""], .nothing),
    (["policy", "check", "a", "b", ""], .files), (["verify", "a", ""], .nothing),
    (["load", "--root-hash", ""], .nothing),
    (["sign", "file", "--private-key", ""], .files), (["nope", ""], .nothing),
  ])
  func asksForFiles(words: [String], answer: Completion.Answer) {
    #expect(Completion.answer(to: words, below: VerityBPF.root) == answer, "\(words)")
  }

  @Test func proposesWords() throws {
    let root = try #require(Self.words(Completion.answer(to: [""], below: VerityBPF.root)))
    #expect(root.contains("build-image") && root.contains("policy") && !root.contains("--version"))
    #expect(Self.words(Completion.answer(to: ["-"], below: VerityBPF.root))?.contains("--version") == true)
    #expect(Self.words(Completion.answer(to: ["policy", "c"], below: VerityBPF.root))?.contains("check") == true)
    #expect(Self.words(Completion.answer(to: ["load", "--"], below: VerityBPF.root))?.contains("--policy") == true)
    #expect(
      Self.words(Completion.answer(to: ["build-image", "--layout="], below: VerityBPF.root))
        == ["appended", "sidecar", "ddi"])
    let codes = Self.words(Completion.answer(to: ["explain-error", "pol"], below: VerityBPF.root))
    #expect(codes?.contains("policy.denied") == true)
    #expect(
      Self.words(Completion.answer(to: ["load", "--interface", ""], below: VerityBPF.root))?.contains("lo") == true)
  }

  /// The objects of the image that stands before.
  @Test func proposesObjectsOfAnImage() throws {
    let directory = try BuildImageTests.sources()
    let built = try VerityBPFCommand.run(["build-image", "progs", "-o", "p.raw"], in: directory.path)
    try #require(built.status == 0, "\(built.errors)")
    for words in [["--image", directory.file("p.raw")], ["--image=\(directory.file("p.raw"))"]] {
      let answer = Completion.answer(to: ["load"] + words + ["--object", ""], below: VerityBPF.root)
      #expect(Self.words(answer)?.isEmpty == false && Self.words(answer)?.allSatisfy { $0.hasSuffix(".bpf.o") } == true)
    }
  }

  /// A directory with files, the script and the command on PATH.
  private static func place(_ shell: String) throws -> TemporaryDirectory {
    let directory = try TemporaryDirectory()
    for name in ["progs.raw", "demo.pol", "blank name.pol"] { try directory.write(name, "") }
    try Directory.create(directory.file("keyring.d"))
    try Directory.create(directory.file("bin"))
    try Tools.run("ln", "-s", VerityBPFCommand.path, directory.file("bin/verity-bpf"))
    try directory.write("script", try VerityBPFCommand.run(["--generate-completion-script", shell]).output)
    return directory
  }

  /// Types lines into an interactive shell on a terminal, and returns all that it shows.
  private static func type(_ lines: [String], into shell: [String], in directory: TemporaryDirectory) throws -> String {
    try directory.write("lines", lines.map { $0 + "\n" }.joined() + "exit\n")
    let command =
      "cd \(directory.path); PATH=\(directory.path)/bin:$PATH HOME=\(directory.path) TERM=dumb \(shell.joined(separator: " "))"
    return try Subprocess.run(
      ["timeout", "60", "sh", "-c", "script -qefc '\(command)' /dev/null < \(directory.file("lines"))"], limit: 1 << 20
    ).text
  }

  /// What is typed, and what has to stand there once the tabulator was pressed.
  static let typed = [
    ("verify pro", "progs.raw"), ("load --policy dem", "demo.pol"), ("load --policy blank", "blank\\ name.pol"),
    ("load --pin-path key", "keyring.d/"), ("policy che", "policy check"), ("build-image --layout sid", "sidecar"),
    ("explain-error policy.deni", "policy.denied"), ("load --dry", "--dry-run"),
    ("policy check demo.pol --form", "--format"), ("load --policy=dem", "--policy=demo.pol"),
  ]

  @Test func inBash() throws {
    let directory = try Self.place("bash")
    let shell = ["bash", "--norc", "--noprofile", "-i"]
    for (line, completed) in Self.typed {
      let shown = try Self.type(["PS1=; . ./script", "verity-bpf \(line)\t; true"], into: shell, in: directory)
      #expect(shown.contains(completed), "\(line): \(shown)")
    }
    // What nothing can stand for is left as it is.
    let shown = try Self.type(
      ["PS1=; . ./script", "verity-bpf load --root-hash pro\t; true"], into: shell, in: directory)
    #expect(!shown.contains("progs.raw"), "\(shown)")
  }

  @Test func inZsh() throws {
    guard (try? Tools.run("zsh", "--version")) != nil else { return print("skipped: no zsh here") }
    let directory = try Self.place("zsh")
    let start = ["PS1=; autoload -U compinit; compinit -u -D; . ./script"]
    for (line, completed) in Self.typed {
      let shown = try Self.type(start + ["verity-bpf \(line)\t; true"], into: ["zsh", "-f", "-i"], in: directory)
      #expect(shown.contains(completed), "\(line): \(shown)")
    }
  }

  /// fish answers what it would propose.
  @Test func inFish() throws {
    guard (try? Tools.run("fish", "--version")) != nil else { return print("skipped: no fish here") }
    let directory = try Self.place("fish")
    for (line, completed) in Self.typed {
      let last = completed.split(separator: " ").last.map { String($0) } ?? completed
      let shown = try Subprocess.run([
        "sh", "-c",
        "cd \(directory.path); PATH=\(directory.path)/bin:$PATH HOME=\(directory.path) exec fish --no-config "
          + "-c 'source ./script; complete -C \"verity-bpf \(line)\"'",
      ]).text
      #expect(shown.contains(completed.hasPrefix("blank") ? "blank name.pol" : last), "\(line): \(shown)")
      #expect(!shown.contains("keyring.d/") || completed == "keyring.d/", "\(line): \(shown)")
    }
  }
}

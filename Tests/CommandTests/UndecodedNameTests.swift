import Base
import TestSupport
import Testing

/// Files whose names are no UTF-8 are named, read and written by these names (Linux takes any bytes).
@Suite struct UndecodedNameTests {
  /// Runs lines of a shell in which `$V` is the command and `$n` a name with the byte 0xe9.
  private func shell(_ lines: String, in directory: TemporaryDirectory) throws -> Subprocess.Result {
    try Subprocess.run([
      "sh", "-c", "cd '\(directory.path)' && n=$(printf 'im\\351') && \(lines)", VerityBPFCommand.path,
    ])
  }

  @Test func areReadAndWritten() throws {
    let directory = try BuildImageTests.sources()
    let result = try shell(
      """
      set -e; V=$0
      $V build-image progs -o "$n.raw" && test -e "$n.raw" && test -e "$n.roothash"
      $V verify "$n.raw" && $V inspect "$n.raw"
      cp progs/a.bpf.o "$n.o" && $V inspect "$n.o"
      printf 'policy_name=d policy_version=1.0.0\\nDEFAULT action=DENY\\n' > "$n.pol" && $V policy check "$n.pol"
      """, in: directory)
    #expect(result.status == 0, "\(result.text)")
    #expect(!(try shell("ls -b", in: directory)).text.contains("\u{fffd}"))
  }

  @Test func areShownByTheirBytes() throws {
    let directory = try TemporaryDirectory()
    let missing = try shell("\"$0\" verify \"$n.raw\"", in: directory)
    #expect(missing.status == 1 && missing.text.contains("`im\\xe9.raw`"), "\(missing.text)")
    // JSON keeps the name: U+10FF00 plus the byte.
    let json = try shell("\"$0\" verify \"$n.raw\" --json 2>/dev/null", in: directory)
    #expect(json.text.contains("im\u{10ffe9}.raw"), "\(json.text)")
  }

  /// A target may have the name of a file in it: a program that is pinned, a network namespace, an executable.
  @Test func areTargets() throws {
    let directory = try TemporaryDirectory()
    let targets = "--target \"/nowhere/$n\" --target \"/nowhere/$n:main\""
    let result = try shell(
      "\"$0\" load --object x.bpf.o --attach \(targets) --audit-dir audit --policy x.pol", in: directory)
    // Read, and refused for what is not there.
    #expect(result.status == 1 && result.text.contains("x.pol"), "\(result.text)")
    let recorded = try shell("cat audit/audit.jsonl", in: directory)
    #expect(recorded.text.contains("/nowhere/im\u{10ffe9}:main"), "\(recorded.text)")
  }

  /// What ends up in a text is text, and a name that the manifest cannot say is not packed under another.
  @Test func areRefusedWhereTextIsMeant() throws {
    let directory = try BuildImageTests.sources()
    let label = try shell("\"$0\" build-image progs -o x.raw --name \"$n\"", in: directory)
    #expect(label.status == 64 && label.text.contains("`--name` does not take `im\\xe9`"), "\(label.text)")
    let packed = try shell("cp progs/a.bpf.o \"progs/$n.bpf.o\" && \"$0\" build-image progs -o x.raw", in: directory)
    #expect(packed.status != 0 && packed.text.contains("UTF-8"), "\(packed.text)")
  }
}

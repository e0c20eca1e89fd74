import Testing

@testable import Linux

/// What a process knows of the file that it was started for.
struct ExecutedFileTests {
  /// The tests were not started for another file, and no word of theirs makes it so.
  @Test func nothingButTheKernelHandsOneOver() {
    #expect(ExecutedFile.take([]) == nil)
    #expect(ExecutedFile.take(["/opt/agent.bpf.o", "--json"]) == nil)
  }

  @Test func wordsBehindThePathAreTheArguments() {
    func file(_ words: [String], keepsFirstWord: Bool = false) -> ExecutedFile {
      ExecutedFile(number: 3, words: words, keepsFirstWord: keepsFirstWord, hasOthersRights: false)
    }
    #expect(file(["./a.o", "--json"]).path == "./a.o" && file(["./a.o", "--json"]).arguments == ["--json"])
    // With flag P the caller's own first word stands between them.
    #expect(file(["./a.o", "a", "--json"], keepsFirstWord: true).arguments == ["--json"])
    #expect(
      file([]).path.isEmpty && file([]).arguments.isEmpty && file(["./a.o"], keepsFirstWord: true).arguments == [])
  }
}

import Linux
import TestSupport
import Testing

/// Objects nobody here wrote: what bpftool loads on this kernel, `load` loads too, with the same programs and maps.
struct CorpusTests {
  private static let script = "\(Tools.repository)/tools/corpus"

  private static var isThere: Bool {
    guard let path = try? Tools.run(script, "where").split(separator: "\n").first else { return false }
    return (try? FileStatus.of(path: String(path), followLinks: true)) != nil
  }

  @Test(
    .enabled(if: Tools.isRoot, "loading needs root"),
    .enabled(if: isThere, "no objects yet; tools/corpus fetch gets them from Debian's archive"))
  func losesNothingThatBpftoolLoads() throws {
    let objects = String(try #require(try Tools.run(Self.script, "where").split(separator: "\n").first))
    let rows = try Self.answers(about: objects)
    #expect(rows.count > 90)
    var taken = 0
    for cells in rows {
      guard !cells[1].hasPrefix("refused") else { continue }
      taken += 1
      #expect(cells[1] == cells[2], "\(cells[0]): bpftool \(cells[1]), ours \(cells[2]) \(cells[4])")
      #expect(cells[2].hasPrefix("refused") || cells[5] == "same", "\(cells[0]): xlated \(cells[5])")
    }
    // A corpus of which bpftool itself loads nothing would prove nothing.
    #expect(taken > 0)

    // A signature is nothing that a loader sees: signed, each object gets the same answers, but for the reasons of
    // refusals, which quote paths.
    let directory = try TemporaryDirectory()
    let signed = try Self.answers(about: try Self.signed(objects, in: directory))
    try #require(signed.count == rows.count)
    for (one, other) in zip(rows, signed) {
      #expect([one[0], one[1], one[2], one[5]] == [other[0], other[1], other[2], other[5]])
    }
  }

  /// Object, what bpftool says, what we say, both reasons, and whether the kernel holds the same instructions.
  private static func answers(about objects: String) throws -> [[Substring]] {
    let rows = try Tools.run("env", "VERITY_BPF_CORPUS_OBJECTS=\(objects)", script, "answers", VerityBPFCommand.path)
      .split(separator: "\n").map { $0.split(separator: "\t", omittingEmptySubsequences: false) }
    for cells in rows { try #require(cells.count == 6, "\(cells)") }
    return rows
  }

  /// A directory with a signed copy of every object.
  private static func signed(_ objects: String, in directory: TemporaryDirectory) throws -> String {
    let (key, certificate, copies) = (directory.file("key"), directory.file("crt"), directory.file("signed"))
    try Tools.run(
      "openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", key, "-out", certificate, "-subj",
      "/CN=author", "-days", "2")
    try Tools.run("cp", "-r", "--no-target-directory", objects, copies)
    for path in try Tools.run("find", copies, "-name", "*.bpf.o").split(separator: "\n") {
      let result = try VerityBPFCommand.run([
        "sign", "file", String(path), "--certificate", certificate, "--private-key", key,
      ])
      #expect(result.status == 0, "\(result.errors)")
    }
    return copies
  }
}

import LinuxSys
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
    let rows = try Tools.run(Self.script, "answers", VerityBPFCommand.path).split(separator: "\n")
    #expect(rows.count > 90)
    var taken = 0
    for row in rows {
      let cells = row.split(separator: "\t", omittingEmptySubsequences: false)
      try #require(cells.count == 6, "\(row)")
      guard !cells[1].hasPrefix("refused") else { continue }
      taken += 1
      #expect(cells[1] == cells[2], "\(cells[0]): bpftool \(cells[1]), ours \(cells[2]) \(cells[4])")
      #expect(cells[2].hasPrefix("refused") || cells[5] == "same", "\(cells[0]): xlated \(cells[5])")
    }
    // A corpus of which bpftool itself loads nothing would prove nothing.
    #expect(taken > 0)
  }
}

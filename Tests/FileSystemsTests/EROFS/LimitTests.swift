import Base
import FileSystems
import Testing
import Verity

/// What the writer makes the reader takes, up to each limit; one more, and both refuse it in the same words.
@Suite struct LimitTests {
  /// A tree that has exactly so much of something, or one more.
  struct Case: Sendable, CustomTestStringConvertible {
    let limit: FileSystemLimits.Limit
    let limits: FileSystemLimits
    /// - Parameter excess: 0 or 1.
    let files: @Sendable (_ excess: Int) -> [(path: String, contents: [UInt8])]
    var testDescription: String { limits.allowed(limit) }
  }

  static let cases: [Case] = [
    // The root, `d`, and seven files.
    Case(limit: .names, limits: FileSystemLimits(entries: 9)) { excess in
      (0..<6 + excess).map { ("d/\($0)", [1]) } + [("z", [2])]
    },
    // The one too many is a directory.
    Case(limit: .names, limits: FileSystemLimits(entries: 5)) { excess in
      [("a", [1]), ("b", [1]), (excess == 0 ? "c" : "c/d", [1]), ("z", [2])]
    },
    // The one too many is the last file, of which only the size is known.
    Case(limit: .names, limits: FileSystemLimits(entries: 3)) { excess in
      (0..<1 + excess).map { ("\($0)", [1]) } + [("z", [2])]
    },
    Case(limit: .listing, limits: FileSystemLimits(listingBytes: 100)) { excess in
      [
        ("d/" + String(repeating: "a", count: 57 + excess), [1]), ("d/" + String(repeating: "b", count: 38), [1]),
        ("z", [2]),
      ]
    },
    Case(limit: .path, limits: FileSystemLimits(depth: 4)) { excess in
      [(String(repeating: "d/", count: 3 + excess) + "f", [1]), ("z", [2])]
    },
    Case(limit: .path, limits: FileSystemLimits(pathBytes: 300)) { excess in
      [(String(repeating: "a", count: 200) + "/" + String(repeating: "b", count: 99 + excess), [1]), ("z", [2])]
    },
    // Entries of 12 bytes and their names: `.`, `..`, and 10 more of 88 bytes.
    Case(limit: .directory, limits: FileSystemLimits(directoryBytes: 13 + 14 + 1000)) { excess in
      (0..<10).map { ("d/\($0)" + String(repeating: "x", count: 87 + ($0 == 9 ? excess : 0)), [1]) } + [("z", [2])]
    },
    // A whole block; with one byte more a second one begins.
    Case(limit: .directory, limits: FileSystemLimits(directoryBytes: 4096)) { excess in
      (0..<40).map { ("d/" + String(UnicodeScalar(UInt8(65 + $0))) + String(repeating: "x", count: 87), [1]) }
        + [("d/~" + String(repeating: "x", count: 56 + excess), [1]), ("z", [2])]
    },
    Case(limit: .file, limits: FileSystemLimits(fileBytes: 5000)) { excess in
      [("d/f", [UInt8](repeating: 7, count: 5000 + excess)), ("z", [2])]
    },
    Case(limit: .file, limits: FileSystemLimits(fileBytes: 5000)) { excess in
      [("a", [1]), ("z", [UInt8](repeating: 7, count: 5000 + excess))]
    },
  ]

  @Test(arguments: cases)
  func whatIsAllowedIsWrittenAndRead(limited: Case) throws {
    try WrittenImage(limited.files(0), limits: limited.limits).readAll(limits: limited.limits)
  }

  @Test(arguments: cases)
  func oneMoreIsRefusedByBoth(limited: Case) throws {
    let allowed = limited.limits.allowed(limited.limit)
    let refused = #expect(throws: ErofsWriterError.self) {
      try WrittenImage(limited.files(1), limits: limited.limits)
    }
    guard case .limit(_, allowed, _)? = refused else {
      Issue.record("\(String(describing: refused))")
      return
    }
    #expect(refused?.diagnostic.code == "build.too-large" && refused?.diagnostic.expected == allowed)
    let larger = try WrittenImage(limited.files(1))
    try larger.readAll()
    let error = #expect(throws: FileSystemError.self) { try larger.readAll(limits: limited.limits) }
    #expect(error?.check == .limit && error?.expected == allowed)
  }

  @Test func aNameOf255Bytes() throws {
    for (count, isAllowed) in [(255, true), (256, false)] {
      let image = try? WrittenImage([(String(repeating: "n", count: count), [1]), ("z", [])])
      #expect((image != nil) == isAllowed)
      try image?.readAll()
    }
  }
}

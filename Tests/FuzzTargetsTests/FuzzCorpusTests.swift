import FuzzTargets
import Linux
import TestSupport
import Testing

/// Every input of the corpora goes through its target, as the fuzzer has it: those that once broke a promise among them.
@Suite struct FuzzCorpusTests {
  private static func inputs(of target: FuzzTarget) throws -> [String] {
    // Policies have a corpus of their own, with the kernel's answers.
    let directories =
      target == .policy
      ? ["Tests/Fixtures/ipe-corpus/policies", "Tests/Fixtures/ipe-corpus/decisions"]
      : ["Fuzz/Corpus/\(target.rawValue)"]
    return try directories.flatMap { directory in
      try Directory.names("\(Tools.repository)/\(directory)").map { "\(Tools.repository)/\(directory)/\($0)" }
    }
  }

  private static func read(_ path: String) throws -> [UInt8] {
    try #require(try OwnedFD.open(path, .readOnly).readToEnd(limit: 1 << 20))
  }

  @Test(arguments: FuzzTarget.allCases)
  func promisesHoldForTheCorpus(_ target: FuzzTarget) throws {
    let paths = try Self.inputs(of: target)
    var taken = 0
    for path in paths {
      let bytes = try Self.read(path)
      do throws(BrokenPromise) {
        if try target.check(bytes) { taken += 1 }
      } catch {
        Issue.record("\(path): \(error)")
      }
      #expect(target == .policy || bytes.count <= target.maximumByteCount, "\(path) is longer than any input")
    }
    // Of a corpus that nothing takes, nothing behind the first check would be reached.
    #expect(taken > 0, "\(taken) of \(paths.count) inputs of \(target) are taken")
  }

  /// Changes keep to the size they are given, and are not only refused: most inputs would otherwise reach nothing.
  @Test(arguments: [FuzzTarget.object, .program, .filesystem, .disk, .signature, .certificate])
  func changedInputsAreUnderstood(_ target: FuzzTarget) throws {
    var taken = 0
    for (number, path) in try Self.inputs(of: target).enumerated() {
      let bytes = try Self.read(path)
      for round in 0..<20 {
        // In the place of libFuzzer's changes: one byte is another one.
        var mutator = Mutator(seed: UInt64(number * 1000 + round)) { bytes, capacity in
          var changed = Array(bytes.prefix(capacity))
          if let first = changed.indices.first { changed[first + round % changed.count] &+= 1 }
          return changed
        }
        let changed = target.mutate(bytes, capacity: target.maximumByteCount, &mutator)
        #expect(changed.count <= target.maximumByteCount)
        do throws(BrokenPromise) {
          if try target.check(changed) { taken += 1 }
        } catch {
          Issue.record("\(path), round \(round): \(error)")
        }
      }
    }
    #expect(taken > 0, "no changed input of \(target) is taken")
  }

  @Test func anyFewBytesAreRefused() throws {
    for target in FuzzTarget.allCases {
      for bytes: [UInt8] in [[], [0], [0xff], [0x0a], Array(repeating: 0, count: 4096)] {
        #expect(throws: Never.self) { try target.check(bytes) }
      }
    }
  }
}

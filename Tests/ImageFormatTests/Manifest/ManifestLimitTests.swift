import Base
import FileSystems
import Testing

@testable import ImageFormat

/// A manifest as large as one may be is written and read; one that is a byte longer is neither.
@Suite struct ManifestLimitTests {
  /// A text of that many bytes, most of them in one path.
  private static func text(byteCount: Int) throws -> ManifestText {
    let digest = try Digest.of([UInt8]().rawSpan)
    func text(path: String) -> ManifestText {
      var text = ManifestText(name: nil, version: nil)
      text.add(Manifest.File(path: path, digest: digest, size: 0))
      return text
    }
    let rest = text(path: "").byteCount
    return text(path: String(repeating: "a", count: byteCount - rest))
  }

  /// The same of a few entries, each of which could be read whole.
  private static func textOfEntries(byteCount: Int) throws -> (ManifestText, count: Int) {
    let digest = try Digest.of([UInt8]().rawSpan)
    func entry(_ number: Int, _ padding: Int) -> [UInt8] {
      let file = Manifest.File(path: "\(number)", digest: digest, size: 0)
      let object = Manifest.Object(
        file: file, license: String(repeating: "x", count: padding), programs: [], maps: [], helpers: [],
        coreRelocations: 0, lockdown: [])
      return object.entry
    }
    var text = ManifestText(name: nil, version: nil)
    for number in 0..<4 { text.add(objectEntry: entry(number, 50 << 20)) }
    let before = text.byteCount
    var another = text
    another.add(objectEntry: entry(4, 0))
    text.add(objectEntry: entry(4, byteCount - another.byteCount))
    #expect(before < byteCount)
    return (text, 5)
  }

  @Test func theLargestIsWrittenAndRead() throws {
    var (text, count) = try Self.textOfEntries(byteCount: Manifest.maximumByteCount)
    #expect(text.byteCount == Manifest.maximumByteCount)
    try text.requireSize()
    let bytes = text.finish(dataBlocks: 9)
    #expect(bytes.count == Manifest.maximumByteCount)
    var scan = ManifestScan()
    for start in stride(from: 0, to: bytes.count, by: 1 << 20) {
      let isTaken = scan.take(Array(bytes[start..<min(start + (1 << 20), bytes.count)]))
      #expect(isTaken)
    }
    #expect(scan.isComplete && scan.paths.count == count && scan.head?.dataBlocks == 9)
  }

  @Test func theLargestInAnyLayoutIsReadWhole() throws {
    var text = try Self.text(byteCount: Manifest.wholeByteCount)
    #expect(text.byteCount == Manifest.wholeByteCount)
    let bytes = text.finish(dataBlocks: 9)
    #expect(try Manifest(parsing: bytes).dataBlocks == 9)
    #expect(throws: ManifestError.self) { try Manifest(parsing: bytes + [0x0a]) }
  }

  /// Before a file is read: the paths alone, and what each entry has at least.
  @Test func whatCannotFitIsRefusedByItsPaths() throws {
    try ManifestText.requireSize(objects: 100_000, files: 1000, pathBytes: 10 << 20)
    for (objects, files, pathBytes) in [
      (1 << 20, 0, 0), (0, 1 << 21, 0), (0, 1, Manifest.maximumByteCount), (1, 0, Manifest.maximumByteCount),
    ] {
      let error = #expect(throws: ErofsWriterError.self) {
        try ManifestText.requireSize(objects: objects, files: files, pathBytes: pathBytes)
      }
      #expect(error?.diagnostic.code == "build.too-large")
    }
    // It is a bound from below.
    let digest = try Digest.of([UInt8]().rawSpan)
    var text = ManifestText(name: nil, version: nil)
    let empty = text.byteCount
    text.add(Manifest.File(path: "a", digest: digest, size: 0))
    #expect(throws: Never.self) {
      try ManifestText.requireSize(
        objects: 0, files: Manifest.maximumByteCount / (text.byteCount - empty), pathBytes: 0)
    }
  }

  /// An entry that no reader would take.
  @Test func anEntryIsNoLargerThanWhatIsReadWhole() throws {
    var text = ManifestText(name: nil, version: nil)
    text.add(objectEntry: [UInt8](repeating: 0x20, count: Manifest.wholeByteCount))
    try text.requireSize()
    text.add(objectEntry: [UInt8](repeating: 0x20, count: Manifest.wholeByteCount + 1))
    #expect(throws: ErofsWriterError.self) { try text.requireSize() }
  }

  @Test func aByteMoreIsNotWritten() throws {
    let text = try Self.text(byteCount: Manifest.maximumByteCount + 1)
    let error = #expect(throws: ErofsWriterError.self) { try text.requireSize() }
    #expect(error?.diagnostic.code == "build.too-large")
    #expect(error?.diagnostic.expected == "a manifest of at most \(Manifest.maximumByteCount) bytes")
  }

  /// So many values do not fit into a text of the largest size: a text has more bytes for each of its values.
  @Test func aTextHasNoMoreValuesThanAReaderTakes() throws {
    let digest = try Digest.of([UInt8]().rawSpan)
    func object(_ path: String, _ count: Int) -> Manifest.Object {
      Manifest.Object(
        file: Manifest.File(path: path, digest: digest, size: 0), license: "",
        programs: (0..<count).map { _ in
          Manifest.Program(
            name: "", section: "", type: "xdp", attachType: nil,
            analysis: .init(
              minimumKernel: "4.8", capabilities: ["CAP_BPF"], kernelReads: ["a.b"], userWrites: ["bpf_a"],
              isRestricted: true))
        },
        maps: (0..<count).map { _ in Manifest.Map(name: "", type: "hash") },
        helpers: (0..<count).map { _ in "bpf_a" }, coreRelocations: 0,
        lockdown: ["none", "integrity", "confidentiality"].map { .init(mode: $0, forbidden: ["bpf_a"]) })
    }
    func values(_ value: JSONValue) -> Int {
      switch value {
      case .object(let members): 1 + members.reduce(0) { $0 + values($1.value) }
      case .array(let elements): 1 + elements.reduce(0) { $0 + values($1) }
      case .null, .bool, .integer, .number, .string: 1
      }
    }
    func depth(_ value: JSONValue) -> Int {
      switch value {
      case .object(let members): 1 + (members.map { depth($0.value) }.max() ?? 0)
      case .array(let elements): 1 + (elements.map(depth).max() ?? 0)
      case .null, .bool, .integer, .number, .string: 0
      }
    }
    for count in [0, 1, 100] {
      let manifest = Manifest(
        name: nil, version: nil, dataBlocks: 0, objects: (0..<100).map { object("\(100 + $0)", count) },
        files: (0..<100).map { Manifest.File(path: "a\(100 + $0)", digest: digest, size: 0) })
      let text = manifest.text
      let value = try JSONValue.parse(text)
      #expect(values(value) * Manifest.bytesPerValue <= text.count, "\(values(value)) values, \(text.count) bytes")
      #expect(depth(value) <= Manifest.maximumDepth)
      #expect(try Manifest(parsing: text) == manifest)
    }
  }
}

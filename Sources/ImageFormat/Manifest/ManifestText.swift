internal import Base
public import FileSystems

/// A manifest's text, put together from its entries, so that nobody need have the descriptions of thousands of objects
/// in memory at a time, and entries can be written down by several threads.
public struct ManifestText: Sendable {
  /// The text up to the last object so far; the number of data blocks in it is still 0.
  private var text: [UInt8]
  private var hasObjects = false
  private let blockCountPlace: Range<Int>
  private var files: [UInt8] = []
  /// Bytes of the longest entry.
  private var largestEntry = 0
  private var loadList: [UInt8] = []

  /// Characters the number of data blocks is padded to, with spaces in front: enough for any 32-bit number.
  private static let blockCountWidth = 10
  /// Bytes an object's entry takes, roughly, and what is reserved at most. What is not needed costs address space only.
  private static let (expectedEntry, largestReserve) = (4096, Manifest.maximumByteCount)

  /// A manifest without entries.
  ///
  /// - Parameter fileCount: how many entries are expected.
  public init(name: String?, version: String?, expecting fileCount: Int = 0) {
    let members: JSONValue = .object([
      .init("schema", .string(Manifest.schema)), .init("name", .optional(name)), .init("version", .optional(version)),
      .init("data_blocks", .number(Self.padded(0))),
    ])
    text = []
    text.reserveCapacity(min(fileCount, Self.largestReserve / Self.expectedEntry) * Self.expectedEntry)
    text += members.prettyUTF8.dropLast(2)  // a line feed and the brace
    blockCountPlace = text.count - Self.blockCountWidth..<text.count
    text += Array(",\n  \"objects\": [".utf8)
  }

  private static func padded(_ blockCount: UInt64) -> String {
    let digits = String(blockCount)
    return String(repeating: " ", count: max(0, blockCountWidth - digits.utf8.count)) + digits
  }

  /// Adds an object's entry; they come in rising order of their paths.
  ///
  /// - Parameter entry: see ``Manifest/Object/entry``.
  public mutating func add(objectEntry entry: [UInt8]) {
    Self.add(entry, behind: hasObjects, to: &text)
    largestEntry = max(largestEntry, entry.count)
    hasObjects = true
  }

  /// Adds a file that is no object; they come in rising order of their paths.
  public mutating func add(_ file: Manifest.File) {
    Self.add(JSONValue.object(file.members).prettyUTF8(level: 2), behind: !files.isEmpty, to: &files)
  }

  /// Adds what is loaded of the image as a whole.
  public mutating func add(loadList entries: [Manifest.LoadEntry]) {
    loadList = Array(",\n  \"load_list\": ".utf8) + JSONValue.array(entries.map(\.json)).prettyUTF8(level: 1)
  }

  /// Elements of a list each begin on a line of their own.
  private static func add(_ entry: [UInt8], behind another: Bool, to list: inout [UInt8]) {
    list += another ? separator : firstSeparator
    list += entry
  }

  private static let firstSeparator = Array("\n    ".utf8)
  private static let separator = Array(",\n    ".utf8)
  private static let (end, emptyEnd) = (Array("\n  ]".utf8), Array("]".utf8))
  private static let betweenLists = Array(",\n  \"files\": [".utf8)
  private static let ending = Array("\n}\n".utf8)

  /// Bytes the text has, whatever the number of data blocks: the text is part of what is counted.
  public var byteCount: Int {
    text.count + (hasObjects ? Self.end : Self.emptyEnd).count + Self.betweenLists.count + files.count
      + (files.isEmpty ? Self.emptyEnd : Self.end).count + loadList.count + Self.ending.count
  }

  /// Refuses a text that is longer than any reader takes, or has an entry that is.
  public func requireSize() throws(ErofsWriterError) {
    try Self.require(byteCount)
    guard loadList.isEmpty || byteCount <= Manifest.wholeByteCount else {
      throw .limit(
        path: Manifest.path, allowed: "a manifest of at most \(Manifest.wholeByteCount) bytes where it has a load list",
        found: "\(byteCount) bytes")
    }
    guard largestEntry <= Manifest.wholeByteCount else {
      throw .limit(
        path: Manifest.path, allowed: "entries of at most \(Manifest.wholeByteCount) bytes in the manifest",
        found: "one of \(largestEntry) bytes")
    }
  }

  /// Refuses files whose manifest would be longer than any reader takes, before any of them is read: as long as their entries are
  /// at least.
  ///
  /// - Parameter pathBytes: of all paths together.
  public static func requireSize(objects: Int, files: Int, pathBytes: Int) throws(ErofsWriterError) {
    guard let digest = Digest(.sha256, bytes: [UInt8](repeating: 0, count: 32)) else { return }
    let file = Manifest.File(path: "", digest: digest, size: 0)
    let object = Manifest.Object(
      file: file, license: "", programs: [], maps: [], helpers: [], coreRelocations: 0, lockdown: [])
    let entries =
      objects * (object.entry.count + separator.count)
      + files * (JSONValue.object(file.members).prettyUTF8(level: 2).count + separator.count)
    try require(entries + pathBytes, "at least ")
  }

  private static func require(_ byteCount: Int, _ word: String = "") throws(ErofsWriterError) {
    guard byteCount <= Manifest.maximumByteCount else {
      throw .limit(path: Manifest.path, allowed: Manifest.allowed, found: "\(word)\(byteCount) bytes")
    }
  }

  /// The manifest as it lies in the image. Called once: the text is handed over, not copied.
  ///
  /// - Parameter dataBlocks: see ``Manifest/dataBlocks``.
  public mutating func finish(dataBlocks: UInt64) -> [UInt8] {
    text += hasObjects ? Self.end : Self.emptyEnd
    text += Self.betweenLists
    text += files
    text += files.isEmpty ? Self.emptyEnd : Self.end
    text += loadList
    text += Self.ending
    for (place, digit) in zip(blockCountPlace, Self.padded(dataBlocks).utf8) { text[place] = digit }
    var finished: [UInt8] = []
    swap(&finished, &text)
    return finished
  }
}

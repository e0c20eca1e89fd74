internal import JSONText

/// A manifest's text, put together from its entries, so that nobody need have the descriptions of thousands of objects
/// in memory at a time, and entries can be written down by several threads.
public struct ManifestText: Sendable {
  private let name: String?
  private let version: String?
  private var objects = EntryList()
  private var files = EntryList()

  /// Characters the number of data blocks is padded to, with spaces in front: enough for any 32-bit number.
  private static let blockCountWidth = 10

  /// A manifest without entries.
  public init(name: String?, version: String?) {
    self.name = name
    self.version = version
  }

  /// Adds an object's entry; they come in rising order of their paths.
  ///
  /// - Parameter entry: see ``Manifest/Object/entry``.
  public mutating func add(objectEntry entry: [UInt8]) { objects.add(entry) }

  /// Adds a file that is no object; they come in rising order of their paths.
  public mutating func add(_ file: Manifest.File) {
    files.add(JSONValue.object(file.members).prettyUTF8(level: EntryList.level))
  }

  /// Bytes the text has, whatever the number of data blocks: the text is part of what is counted.
  public var byteCount: Int {
    head(dataBlocks: 0).count + Self.objectsKey.count + objects.byteCount + Self.filesKey.count + files.byteCount
      + Self.end.count
  }

  private static let objectsKey = Array(",\n  \"objects\": ".utf8)
  private static let filesKey = Array(",\n  \"files\": ".utf8)
  private static let end = Array("\n}\n".utf8)

  /// The manifest as it lies in the image.
  ///
  /// - Parameter dataBlocks: see ``Manifest/dataBlocks``.
  public func text(dataBlocks: UInt64) -> [UInt8] {
    var text: [UInt8] = []
    text.reserveCapacity(byteCount)
    text += head(dataBlocks: dataBlocks)
    text += Self.objectsKey
    objects.write(to: &text)
    text += Self.filesKey
    files.write(to: &text)
    text += Self.end
    return text
  }

  /// The members before the lists, up to the comma behind the last of them.
  private func head(dataBlocks: UInt64) -> [UInt8] {
    let digits = String(dataBlocks)
    let padding = String(repeating: " ", count: max(0, Self.blockCountWidth - digits.utf8.count))
    let members: JSONValue = .object([
      .init("schema", .string(Manifest.schema)), .init("name", .optional(name)), .init("version", .optional(version)),
      .init("data_blocks", .number(padding + digits)),
    ])
    return Array(members.prettyUTF8.dropLast(2))  // a line feed and the brace
  }
}

/// The elements of a list, each on lines of its own.
private struct EntryList {
  /// How deep the entries are in the document.
  static let level = 2
  private static let separator = Array("\n    ".utf8)
  private static let end = Array("\n  ]".utf8)

  private var text: [UInt8] = []

  mutating func add(_ entry: [UInt8]) {
    if !text.isEmpty { text.append(UInt8(ascii: ",")) }
    text += Self.separator
    text += entry
  }

  /// Bytes with both brackets.
  var byteCount: Int { text.isEmpty ? 2 : 1 + text.count + Self.end.count }

  func write(to document: inout [UInt8]) {
    document.append(UInt8(ascii: "["))
    document += text
    if text.isEmpty { document.append(UInt8(ascii: "]")) } else { document += Self.end }
  }
}

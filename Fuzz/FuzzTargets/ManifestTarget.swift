import Base
import FileSystems
import ImageFormat
import Verity

/// What an image says of its contents: the whole manifest, and the parts of it that are read alone.
enum ManifestTarget {
  /// Objects whose entries are looked for one by one.
  private static let lookupLimit = 8

  static func check(_ bytes: [UInt8]) throws(BrokenPromise) -> Bool {
    try checkJSON(bytes)
    var manifest: Manifest?
    try accepts { manifest = try Manifest(parsing: bytes) }
    if let manifest {
      let again = try keep("a manifest that was read can be written and read") { () throws(ManifestError) in
        try Manifest(parsing: manifest.text)
      }
      try require(again == manifest, "a manifest comes back as it was read")
      try require(again.text == manifest.text, "a manifest has one text")
      try checkParts(of: manifest, text: manifest.text, isOwn: true)
    }
    try checkParts(of: manifest, text: bytes, isOwn: false)
    return manifest != nil
  }

  /// Any document says the same on one line, on many, and read again.
  private static func checkJSON(_ bytes: [UInt8]) throws(BrokenPromise) {
    try accepts {
      let value = try JSONValue.parse(bytes)
      for text in [value.compactUTF8, value.prettyUTF8] {
        let again = try keep("a document that was written can be read") { () throws(JSONError) in
          // A character may take six bytes when it is escaped.
          try JSONValue.parse(text, limits: JSONLimits(bytes: 1 << 26, depth: 256))
        }
        try require(again == value, "a document comes back as it was written")
      }
    }
  }

  /// Reads head and entries out of an image, as loading one object does, and holds them against the whole.
  ///
  /// - Parameter isOwn: whether the text is as we write it.
  private static func checkParts(of manifest: Manifest?, text: [UInt8], isOwn: Bool) throws(BrokenPromise) {
    try accepts {
      let built = try image(with: text)
      let image = try ErofsImage(try built.device())
      let inode = try unwrap(try Manifest.inode(in: image), "the manifest is where it was put")
      try require(try Manifest.bytes(in: image) == text, "the manifest's bytes are those that were put there")
      var head: ManifestHead?
      try accepts { head = try ManifestHead.read(inode, in: image) }
      if let manifest, let found = head {
        let expected = ManifestHead(
          name: manifest.name, version: manifest.version, dataBlocks: manifest.dataBlocks)
        try require(found == expected, "the head alone says what the whole does")
      }
      if manifest != nil { try require(head != nil, "the head of a manifest can be read") }
      guard let manifest else { return }
      for object in manifest.objects.prefix(lookupLimit) {
        guard let entry = try Manifest.entry(of: object.file.path, from: inode, in: image) else {
          try require(!isOwn, "the entry of an object is found")
          continue
        }
        if isOwn { try entry.check(against: object) } else { try accepts { try entry.check(against: object) } }
      }
      let nothing = try Manifest.entry(of: "no/such/object", from: inode, in: image)
      try require(
        nothing == nil || manifest.objects.contains { $0.file.path == "no/such/object" }, "no entry is invented")
    }
  }

  private static func image(with text: [UInt8]) throws -> MemoryImage {
    var writer = ErofsWriter()
    var sink = ArraySink()
    let ending = try writer.end(with: Manifest.path, byteCount: UInt64(text.count), to: &sink)
    try ending.write(text.rawSpan, uuid: Array(1...16), to: &sink)
    return try MemoryImage.build(data: sink.bytes, salt: [1])
  }
}

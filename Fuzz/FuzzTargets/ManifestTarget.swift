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
    try checkLoadList(bytes)
    var manifest: Manifest?
    try accepts { manifest = try Manifest(parsing: bytes) }
    if let manifest {
      let again = try keep("a manifest that was read can be written and read") { () throws(ManifestError) in
        try Manifest(parsing: manifest.text)
      }
      try require(again == manifest, "a manifest comes back as it was read")
      try require(again.text == manifest.text, "a manifest has one text")
      try checkParts(of: manifest, text: manifest.text, isOwn: true)
      try checkPieces(of: manifest, text: manifest.text, isOwn: true)
    }
    try checkParts(of: manifest, text: bytes, isOwn: false)
    try checkPieces(of: manifest, text: bytes, isOwn: false)
    return manifest != nil
  }

  /// A load list says the same when it is written again, in a file and in a manifest.
  private static func checkLoadList(_ bytes: [UInt8]) throws(BrokenPromise) {
    try accepts {
      let list = try Manifest.LoadEntry.list(parsing: bytes)
      try require(!list.isEmpty, "a load list has an entry")
      let document: JSONValue = ["schema": .string(Manifest.LoadEntry.schema), "load": .array(list.map(\.json))]
      let again = try keep("a load list that was read can be read again") { () throws(ManifestError) in
        try Manifest.LoadEntry.list(parsing: document.prettyUTF8)
      }
      try require(again == list, "a load list comes back as it was read")
      let files = Set(list.map(\.object)).sorted()
      try require(files.allSatisfy { !$0.hasPrefix("/") && !$0.isEmpty }, "an entry is of a file of the image")
    }
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

  /// Reads a manifest some entries at a time, and its names against an image's, and holds both against the whole.
  ///
  /// - Parameter isOwn: whether the text is as we write it.
  private static func checkPieces(of manifest: Manifest?, text: [UInt8], isOwn: Bool) throws(BrokenPromise) {
    let paths = manifest.map { $0.objects.map(\.file.path) + $0.files.map(\.path) } ?? []
    let more = "one/more"
    try accepts {
      var image = try ErofsImage(try image(with: text).device())
      let inode = try unwrap(try Manifest.inode(in: image), "the manifest is where it was put")
      var listed: [ManifestReader.Listed]?
      try accepts { listed = try entries(inode, in: &image) }
      if let manifest {
        let expected = manifest.objects.map { ManifestReader.Listed.object($0) } + manifest.files.map { .file($0) }
        try require(listed == expected, "piece by piece a manifest says what it says as a whole")
      } else if let listed {
        // That no path is in both lists, and none is the manifest's own, is said by the names of the image.
        let paths = listed.map(\.file.path) + [Manifest.path]
        try require(Set(paths).count < paths.count, "what is read piece by piece is read as a whole")
      }
    }
    guard let manifest else { return }
    // Not all paths are those of an image: a file cannot be a directory too.
    for extra in [nil, more] where extra == nil || !paths.contains(more) {
      try accepts {
        let built = try image(with: text, files: paths.sorted() + [extra].compactMap(\.self))
        var image = try ErofsImage(try built.device())
        let inode = try unwrap(try Manifest.inode(in: image), "the manifest is where it was put")
        let isWhole = try accepts { _ = try manifest.locateFiles(in: image) }
        let summary = try Manifest.checkNames(inode, in: &image)
        try require(summary == nil || isWhole, "names that are the image's are found one by one")
        // A manifest with a load list is read whole.
        try require(
          !isOwn || manifest.loadList != nil || isWhole == (summary != nil),
          "names are the image's, read whole or piece by piece")
        try require(isWhole == (extra == nil), "a manifest names all files, and no others")
        guard let summary else { return }
        try require(summary.fileCount == paths.count, "names are counted")
        try require(summary.head.dataBlocks == manifest.dataBlocks, "a head is the whole's")
      }
    }
  }

  private static func entries(
    _ inode: FileSystemInode, in image: inout ErofsImage<VerifiedDevice<ArraySource>>
  ) throws -> [ManifestReader.Listed] {
    var reader = try ManifestReader(inode, in: &image)
    var listed: [ManifestReader.Listed] = []
    while let more = try reader.next(in: &image) { listed += more }
    try require(listed.count == reader.fileCount, "entries are counted")
    return listed
  }

  private static func image(with text: [UInt8], files: [String] = []) throws -> MemoryImage {
    var writer = ErofsWriter()
    var sink = ArraySink()
    for path in files { try writer.add(path, [1].rawSpan, to: &sink) }
    let ending = try writer.end(with: Manifest.path, byteCount: UInt64(text.count), to: &sink)
    try ending.write(text.rawSpan, uuid: Array(1...16), to: &sink)
    return try MemoryImage.build(data: sink.bytes, salt: [1])
  }
}

internal import Base
internal import Verity
internal import FileSystems
internal import Image
internal import Linux
internal import ImageFormat

/// A private copy of an image, in which things can be broken: the file system with the tree behind it, whatever the
/// layout of the original.
struct Specimen: ~Copyable {
  /// Everything the self-test makes is in here, and goes with it.
  let directory: PrivateDirectory
  let path: String
  let layout: VerityLayout
  let rootHash: Digest
  /// Where the tree is: data may go on behind the file system, where it is looked for.
  var place: ImageLocation { ImageLocation(hashOffset: layout.superblockOffset) }
  /// The path of an object inside the image, and its bytes.
  let object: String
  let bytes: [UInt8]
  /// Where a byte of the object lies in the image, in bytes.
  let objectOffset: UInt64
  /// The image's version, when its manifest has one of numbers.
  let version: [UInt32]?

  /// Copies an image.
  ///
  /// - Parameters:
  ///   - expected: the root hash the caller trusts, if it named one.
  ///   - object: the object to ask about; nil for the first one that the manifest names.
  static func copy(
    of image: String, at location: ImageLocation, into directory: consuming PrivateDirectory,
    expecting expected: Digest?, object: String?
  ) throws -> Specimen {
    let file = try ImageFile.open(image, at: location, rootHash: expected)
    let layout = try VerityLayout(
      superblock: file.layout.superblock, placement: .appended,
      superblockOffset: file.layout.parameters.dataByteCount)
    let rootHash = file.ownRootHash
    if let expected, expected != rootHash {
      throw Refusal(
        Diagnostic(
          "provenance.root-hash", .integrity, "image `\(image)` has another root hash than the one asked for",
          expected: expected.description, found: rootHash.description))
    }
    let path = "\(directory.path)/image"
    let copy = try OwnedFD.open(path, [.readWrite, .create, .exclusive])
    var sink = FileSink(try copy.duplicate())
    let made = try layout.writeTree(of: try copyData(of: file, layout, to: copy), to: &sink, threads: .one)
    guard made == rootHash else {
      throw Refusal(
        Diagnostic(
          "self-test.image", .integrity, "image `\(image)` is not sound: its blocks do not add up to its root hash",
          expected: rootHash.description, found: made.description, next: "verity-bpf verify \(image)"))
    }
    let source = try FileSource.open(path)
    var files = try AnyFileSystem(VerifiedDevice(source, layout: layout, rootHash: rootHash))
    let (head, first) = try described(in: &files)
    guard let name = object ?? first else {
      throw Refusal(
        Diagnostic(
          "self-test.no-object", .usage, "image `\(image)` has no manifest that would name an object",
          next: "name one: --object PATH"))
    }
    let inode = try files.lookup(name)
    let place = try files.storedPlace(of: inode)
    let bytes = try files.readFile(inode, limit: ObjectDescription.maximumByteCount)
    let version = head?.version.flatMap { Self.numbers($0) }
    return Specimen(
      directory: directory, path: path, layout: layout, rootHash: rootHash, object: name, bytes: bytes,
      objectOffset: place?.lowerBound ?? 0, version: version)
  }

  /// What the image's manifest says of it, and the first object that it names.
  private static func described(
    in files: inout AnyFileSystem<VerifiedDevice<FileSource>>
  ) throws -> (ManifestHead?, object: String?) {
    guard let inode = try Manifest.inode(in: files) else { return (nil, nil) }
    var reader = try ManifestReader(inode, in: &files)
    while let listed = try reader.next(in: &files) {
      // Objects come first.
      switch listed.first {
      case .object(let object): return (reader.head, object.file.path)
      case .file: return (reader.head, nil)
      case nil: continue
      }
    }
    return (reader.head, nil)
  }

  /// Copies the file system and returns it as the source of a tree.
  private static func copyData(
    of file: borrowing ImageFile, _ layout: VerityLayout, to copy: borrowing OwnedFD
  ) throws -> FileSource {
    let total = layout.parameters.dataByteCount
    var offset: UInt64 = 0
    var buffer = [UInt8](repeating: 0, count: 1 << 20)
    while offset < total {
      let count = Int(min(UInt64(buffer.count), total - offset))
      if count < buffer.count { buffer.removeLast(buffer.count - count) }
      var span = buffer.mutableSpan
      var view = unsafe span.mutableBytes
      try file.data.read(at: offset, into: &view)
      try copy.writeAll(buffer.rawSpan, at: offset)
      offset += UInt64(count)
    }
    return FileSource(try copy.duplicate(), byteCount: total)
  }

  /// Dotted decimal numbers, at most four.
  private static func numbers(_ text: String) -> [UInt32]? {
    let parts = text.split(separator: ".", omittingEmptySubsequences: false).map { UInt32($0) }
    return parts.contains(nil) || parts.count > 4 ? nil : parts.compactMap { $0 }
  }
}

/// A diagnostic that is thrown as it is.
struct Refusal: Diagnosable {
  let diagnostic: Diagnostic
  init(_ diagnostic: Diagnostic) { self.diagnostic = diagnostic }
}

extension Specimen {
  /// A copy of the specimen, changed.
  borrowing func variant(
    _ name: String, _ change: (borrowing OwnedFD) throws(SystemError) -> Void
  ) throws(SystemError) -> String {
    let path = "\(directory.path)/\(name)"
    let original = try OwnedFD.open(self.path, .readOnly)
    let copy = try OwnedFD.open(path, [.readWrite, .create, .exclusive])
    try original.copy(from: 0, count: layout.treeEnd, to: copy, at: 0)
    try change(copy)
    return path
  }

  /// Flips one bit of a file.
  static func flip(_ file: borrowing OwnedFD, at offset: UInt64) throws(SystemError) {
    var byte: [UInt8] = [0]
    _ = try file.readFully(at: offset, into: &byte)
    try file.writeAll([byte[0] ^ 0x10].rawSpan, at: offset)
  }

  /// How a flipped bit in the object has to be refused when the root hash is named. Where one block is all there is, its
  /// digest is the root hash.
  var dataFaultCodes: Set<String> {
    layout.geometry.levels.isEmpty ? ["provenance.root-hash"] : ["verity.data-mismatch"]
  }

  /// Where the tree's first digest above the object lies, in bytes; nil when there is one data block and no tree.
  var leafOffset: UInt64? {
    layout.digestOffset(ofDataBlock: objectOffset / UInt64(layout.parameters.dataBlockSize))
  }
}

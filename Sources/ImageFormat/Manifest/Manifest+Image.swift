internal import Base
public import Verity
public import FileSystems

extension Manifest {
  /// The manifest of an image, nil when the image has none (it was made by another tool).
  public static func read<Volume: VerifiedFileSystem & ~Copyable>(
    from image: borrowing Volume
  ) throws(ManifestError) -> Manifest? {
    guard let text = try bytes(in: image) else { return nil }
    return try Manifest(parsing: text)
  }

  /// The bytes of an image's manifest, nil when the image has none.
  public static func bytes<Volume: VerifiedFileSystem & ~Copyable>(
    in image: borrowing Volume
  ) throws(ManifestError) -> [UInt8]? {
    guard let inode = try inode(in: image) else { return nil }
    do throws(FileSystemError) {
      return try image.readFile(inode, limit: wholeByteCount)
    } catch {
      throw .fileSystem(error)
    }
  }

  /// The file that holds an image's manifest, nil when the image has none.
  public static func inode<Volume: VerifiedFileSystem & ~Copyable>(
    in image: borrowing Volume
  ) throws(ManifestError) -> FileSystemInode? {
    do throws(FileSystemError) {
      return try image.lookup(path)
    } catch {
      if error.check == .notFound { return nil }
      throw .fileSystem(error)
    }
  }

  /// Holds the manifest against the superblock of the image it was read from, see ``ManifestHead/check(superblock:)``.
  public func check(superblock: Superblock) throws(ManifestError) {
    try ManifestHead(self).check(superblock: superblock)
  }

  /// A file of the manifest and where the image has it.
  public struct Located: Sendable {
    public let file: File
    public let nid: UInt64

    public init(file: File, nid: UInt64) {
      self.file = file
      self.nid = nid
    }
  }

  /// What a manifest says of the image as a whole.
  public struct Summary: Equatable, Sendable {
    public let head: ManifestHead
    /// Files that it names, objects and others.
    public let fileCount: Int

    public init(head: ManifestHead, fileCount: Int) {
      self.head = head
      self.fileCount = fileCount
    }

  }

  /// Holds the names in a manifest against those in the image's directories. Neither is ever in memory as a whole, and what the
  /// names lead to is not read.
  ///
  /// - Parameter inode: as ``inode(in:)`` returned it for this image.
  /// - Returns: nil when the manifest has another layout than ``text`` gives it, or names other files than the image has.
  ///   Which file, ``locate(_:in:)`` says.
  public static func checkNames<Volume: VerifiedFileSystem & ~Copyable>(
    _ inode: FileSystemInode, in image: inout Volume
  ) throws(ManifestError) -> Summary? {
    let scanned = try ManifestScan.of(inode) { range throws(ManifestError) in
      try ManifestReader.piece(range, of: inode, in: &image)
    }
    guard let scan = scanned, let head = scan.head else { return nil }
    var found = PathSum()
    var areRegular = true
    var bytes: [UInt8] = []
    let own = Array(path.utf8)
    do throws(FileSystemError) {
      try image.passNames { place, kind, _ throws(FileSystemError) in
        switch kind {
        case .regular: break
        case .directory, .symbolicLink, .characterDevice, .blockDevice, .fifo, .socket: areRegular = false
        }
        bytes.removeAll(keepingCapacity: true)
        bytes += place.directory.utf8
        if !bytes.isEmpty { bytes.append(UInt8(ascii: "/")) }
        bytes += place.name.utf8
        if bytes != own { found.add(bytes.rawSpan) }
      }
    } catch {
      throw .fileSystem(error)
    }
    guard areRegular, found == scan.paths else { return nil }
    return Summary(head: head, fileCount: found.count)
  }

  /// Finds every file of the manifest in the image; names of other files, and whatever is neither file nor directory,
  /// are refused. Contents are not read.
  ///
  /// - Returns: objects and other files in bytewise order of their paths.
  public func locateFiles<Volume: VerifiedFileSystem & ~Copyable>(
    in image: borrowing Volume
  ) throws(ManifestError) -> [Located] {
    var pairing = FilePairing(objects.map(\.file) + files)
    do throws(FileSystemError) {
      try image.walk { entry throws(FileSystemError) in
        if entry.inode.kind != .directory { pairing.take(entry.place, entry.inode.kind, entry.inode.nid) }
      }
    } catch {
      throw .fileSystem(error)
    }
    return try pairing.finish()
  }

  /// Finds files in the image, as ``locateFiles(in:)``: exactly these, and the manifest. What a name leads to is not
  /// read; that is left to ``check(_:in:)``.
  public static func locate<Volume: VerifiedFileSystem & ~Copyable>(
    _ files: [File], in image: borrowing Volume
  ) throws(ManifestError) -> [Located] {
    var pairing = FilePairing(files)
    do throws(FileSystemError) {
      try image.walkNames { place, kind, nid throws(FileSystemError) in pairing.take(place, kind, nid) }
    } catch {
      throw .fileSystem(error)
    }
    return try pairing.finish()
  }

  /// Bytes that are hashed side by side.
  private static let batchBytes = 1 << 20

  /// Reads files and compares their sizes and SHA-256s with the manifest's. Those of several are worked out side by side.
  public static func check<Volume: VerifiedFileSystem & ~Copyable>(
    _ located: [Located], in image: borrowing Volume
  ) throws(ManifestError) {
    var batch: [(file: File, contents: [UInt8])] = []
    var byteCount = 0
    for next in located {
      let contents: [UInt8]
      do throws(FileSystemError) {
        contents = try image.readFile(try image.inode(next.nid), limit: image.limits.fileBytes)
      } catch {
        throw .fileSystem(error)
      }
      batch.append((next.file, contents))
      byteCount += contents.count
      guard byteCount >= batchBytes else { continue }
      try compare(batch)
      (batch, byteCount) = ([], 0)
    }
    try compare(batch)
  }

  private static func compare(_ batch: [(file: File, contents: [UInt8])]) throws(ManifestError) {
    let digests: [Digest]
    do throws(HashingError) {
      digests = try Digest.of(each: batch.map(\.contents))
    } catch {
      throw .hashing(error.description)
    }
    for ((file, contents), digest) in zip(batch, digests) {
      guard digest == file.digest, UInt64(contents.count) == file.size else {
        throw .digest(path: file.path, expected: file.digest, found: digest)
      }
    }
  }
}

internal import KernelABI
internal import Base
internal import ImageFormat
internal import Verity
internal import Linux

/// A file that may hold an image, opened once.
struct OpenedFile: ~Copyable {
  let path: String
  let status: FileStatus
  private let source: FileSource

  /// Opens a regular file or a block device.
  static func open(_ path: String) throws(ImageFileError) -> OpenedFile {
    // Looked at before it is opened, because a FIFO would wait for its writer, and again on the open file.
    let found = try status(of: path)
    try require(found, path)
    do throws(SuspendedDevice) {
      try SuspendedDevice.requireNone(under: found.kind == .blockDevice ? found.specialDevice : found.device)
    } catch {
      throw .image(path: path, error.diagnostic)
    }
    let descriptor = try descriptor(path)
    let (status, byteCount) = try status(of: descriptor)
    try require(status, path)
    return OpenedFile(path: path, status: status, source: FileSource(descriptor, byteCount: byteCount))
  }

  private static func require(_ status: FileStatus, _ path: String) throws(ImageFileError) {
    guard status.kind == .regular || status.kind == .blockDevice else {
      throw .notAnImage(path: path, kind: status.kind.rawValue)
    }
  }

  private static func status(of path: String) throws(ImageFileError) -> FileStatus {
    do throws(SystemError) { return try FileStatus.of(path: path) } catch { throw .system(error) }
  }

  private static func status(
    of descriptor: borrowing OwnedFD
  ) throws(ImageFileError) -> (FileStatus, byteCount: UInt64) {
    do throws(SystemError) {
      let status = try descriptor.status()
      return (status, try descriptor.contentSize(status))
    } catch {
      throw .system(error)
    }
  }

  private static func descriptor(_ path: String) throws(ImageFileError) -> OwnedFD {
    do throws(SystemError) { return try OwnedFD.open(path, .readOnly) } catch { throw .system(error) }
  }

  var byteCount: UInt64 { source.byteCount }

  /// A part of the file, with a descriptor of its own.
  borrowing func window(from start: UInt64, byteCount: UInt64) throws(ImageFileError) -> ImageFile.Source {
    let copy: FileSource
    do throws(SystemError) {
      copy = FileSource(try source.descriptor.duplicate(), byteCount: source.byteCount)
    } catch {
      throw .system(error)
    }
    guard let window = ImageFile.Source(copy, from: start, byteCount: byteCount) else {
      throw .image(path: path, LayoutError.outside(start: start, byteCount: byteCount, of: source.byteCount).diagnostic)
    }
    return window
  }

  borrowing func window(_ range: Range<UInt64>) throws(ImageFileError) -> ImageFile.Source {
    try window(from: range.lowerBound, byteCount: range.upperBound - range.lowerBound)
  }

  /// The partition table that the file begins with, when there is one.
  ///
  /// In a file the table's second copy has to be sound and at the very end, so that a file which was cut short or has
  /// something behind it is not taken. On a device it may be wrong: the device can be larger than the image.
  borrowing func partitionTable() throws(ImageFileError) -> PartitionTable? {
    do throws(LayoutError) {
      guard let table = try PartitionTable.read(from: source) else { return nil }
      if status.kind == .regular, let fault = table.secondCopyFault { throw fault }
      return table
    } catch {
      throw .image(path: path, error.diagnostic)
    }
  }

  /// The slot that is meant: that of the root hash which the caller gives, else of the one stored with the image, else of the
  /// only one that the signatures' partitions name.
  ///
  /// - Parameter offset: where a loop device over a partition begins, which says it too; 0 for the whole disk.
  borrowing func slot(
    of table: PartitionTable, rootHash: Digest?, offset: UInt64
  ) throws(ImageFileError) -> DiscoverableImage {
    let first: LayoutError
    do throws(LayoutError) { return try DiscoverableImage(table, rootHash: rootHash) } catch { first = error }
    guard rootHash == nil, case .severalSlots = first else { throw .image(path: path, first.diagnostic) }
    let hints: [Digest]
    if offset > 0, let top = try topHash(of: table, dataAt: offset) {
      hints = [top]
    } else if let stored = try StoredRootHash.of(image: path) {
      hints = [stored.digest]
    } else {
      hints = table.partitions.compactMap { partition in
        guard PartitionTypes.all.contains(where: { $0.signature == partition.type }) else { return nil }
        return (try? record(in: partition)).flatMap { try? RootHashFile.parse(Array($0.rootHash.utf8)) }
      }
    }
    guard let hint = hints.first, hints.allSatisfy({ $0 == hint }) else {
      throw .image(path: path, first.diagnostic)
    }
    do throws(LayoutError) {
      return try DiscoverableImage(table, rootHash: hint)
    } catch {
      throw .image(path: path, error.diagnostic)
    }
  }

  /// The root hash that the UUIDs of the data partition at a place and of one of the trees make, where that tree's own top
  /// has it.
  private borrowing func topHash(
    of table: PartitionTable, dataAt offset: UInt64
  ) throws(ImageFileError) -> Digest? {
    for data in table.partitions where data.range.lowerBound == offset {
      guard let types = PartitionTypes.all.first(where: { $0.data == data.type }) else { continue }
      for tree in table.partitions where tree.type == types.verity {
        guard let hash = Digest(.sha256, bytes: data.uuid.bytes + tree.uuid.bytes) else { continue }
        let dataWindow = try window(data.range)
        let treeWindow = try window(tree.range)
        if let layout = try? DiskLayout.separate(data: dataWindow, hashes: treeWindow),
          let top = try? DiskLayout.topBlock(layout, data: dataWindow, hashes: treeWindow),
          DiscoverablePartition.uuids(of: top.digest) == DiscoverablePartition.uuids(of: hash)
        {
          return top.digest
        }
      }
    }
    return nil
  }

  /// The signature in a disk image's own partition.
  ///
  /// Where another slot of the same types is on the disk, a record may be of that one and is passed over.
  borrowing func signature(
    in disk: DiscoverableImage, rootHash: Digest
  ) throws(ImageFileError) -> EnclosedSignature? {
    let expected = RootHashFile.text(rootHash)
    do throws(LayoutError) {
      var others: [String] = []
      for partition in disk.signatures {
        let record: SignatureRecord
        do throws(LayoutError) { record = try self.record(in: partition) } catch {
          if disk.isAlone { throw error }
          continue
        }
        guard record.rootHash == expected else {
          others.append(record.rootHash)
          continue
        }
        return EnclosedSignature(place: "\(path), partition \(partition.uuid)", message: record.signature)
      }
      guard let other = others.first, disk.isAlone else { return nil }
      throw .signatureRecord(found: "a signature of root hash \(other), not of this image's")
    } catch {
      throw .image(path: path, error.diagnostic)
    }
  }

  private borrowing func record(in partition: PartitionTable.Partition) throws(LayoutError) -> SignatureRecord {
    let count = partition.range.upperBound - partition.range.lowerBound
    // Partitions are made larger than what is in them, and the record ends with NUL bytes.
    var bytes = [UInt8](repeating: 0, count: Int(min(count, UInt64(SignatureRecord.limit))))
    do throws(ByteSourceError) {
      var span = bytes.mutableSpan
      var view = unsafe span.mutableBytes
      try source.read(at: partition.range.lowerBound, into: &view)
    } catch {
      throw .signatureRecord(found: "\(error)")
    }
    return try SignatureRecord(parsing: bytes)
  }
}

extension EnclosedSignature {
  /// The signature in the file that was named, or in the one beside the image.
  static func of(
    _ image: String, _ location: ImageLocation, use: PartitionTypes.Use? = nil
  ) throws(ImageFileError) -> EnclosedSignature? {
    if let path = location.rootHashSignature { return try read(path, of: image) }
    // Only the partitions of a disk say what its file system is for.
    let uses = use.map { [$0] } ?? PartitionTypes.Use.allCases
    for use in uses {
      let path = Sidecars(imagePath: image, use: use).signature
      do throws(SystemError) {
        // The name itself: a symbolic link to nothing is something too.
        _ = try FileStatus.of(path: path, followLinks: false)
      } catch {
        if [.enoent, .enotdir, .enametoolong].contains(error.code) { continue }
        throw .system(error)
      }
      return try read(path, of: image)
    }
    return nil
  }

  /// The signature in a file. What can be none is refused: it is not as if there were none.
  private static func read(_ path: String, of image: String) throws(ImageFileError) -> EnclosedSignature {
    func refused(_ found: String) -> ImageFileError {
      .image(path: image, LayoutError.signatureFile(path: path, found: found).diagnostic)
    }
    let kind: FileStatus.Kind
    let bytes: [UInt8]?
    do throws(SystemError) {
      kind = try FileStatus.of(path: path).kind
      bytes = kind == .regular ? try OwnedFD.openRegular(path).readToEnd(limit: SignatureRecord.limit) : nil
    } catch {
      let isLink = (try? FileStatus.of(path: path, followLinks: false)) != nil
      throw error.code == .enoent && isLink ? refused("a symbolic link to nothing") : .system(error)
    }
    guard kind == .regular else { throw refused("a \(kind.rawValue)") }
    guard let bytes else { throw refused("more than \(SignatureRecord.limit) bytes") }
    return EnclosedSignature(place: path, message: bytes)
  }
}

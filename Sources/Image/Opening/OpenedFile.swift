internal import KernelABI
internal import Base
internal import ImageFormat
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

  /// The partitions of an image, when the file begins with a partition table.
  ///
  /// In a file the table's second copy has to be sound and at the very end, so that a file which was cut short or has
  /// something behind it is not taken. On a device it may be wrong: the device can be larger than the image.
  borrowing func discoverableImage() throws(ImageFileError) -> DiscoverableImage? {
    do throws(LayoutError) {
      guard let table = try PartitionTable.read(from: source) else { return nil }
      if status.kind == .regular, let fault = table.secondCopyFault { throw fault }
      return try DiscoverableImage(table)
    } catch {
      throw .image(path: path, error.diagnostic)
    }
  }

  /// The signature in a disk image's own partition.
  borrowing func signature(
    in disk: DiscoverableImage, rootHash: Digest
  ) throws(ImageFileError) -> EnclosedSignature? {
    guard let partition = disk.signature else { return nil }
    let count = partition.range.upperBound - partition.range.lowerBound
    do throws(LayoutError) {
      guard count <= UInt64(SignatureRecord.limit) else {
        throw .signatureRecord(found: "\(count) bytes, more than \(SignatureRecord.limit)")
      }
      var bytes = [UInt8](repeating: 0, count: Int(count))
      do throws(ByteSourceError) {
        var span = bytes.mutableSpan
        var view = unsafe span.mutableBytes
        try source.read(at: partition.range.lowerBound, into: &view)
      } catch {
        throw .signatureRecord(found: "\(error)")
      }
      let record = try SignatureRecord(parsing: bytes)
      guard record.rootHash == RootHashFile.text(rootHash) else {
        throw .signatureRecord(found: "a signature of root hash \(record.rootHash), not of this image's")
      }
      return EnclosedSignature(place: "\(path), partition \(partition.uuid)", message: record.signature)
    } catch {
      throw .image(path: path, error.diagnostic)
    }
  }
}

extension EnclosedSignature {
  /// The signature in the file `NAME.roothash.p7s`, when there is one. Whatever else lies there is refused: it is not as
  /// if there were none.
  static func besides(_ image: String) throws(ImageFileError) -> EnclosedSignature? {
    let path = Sidecars(imagePath: image).signature
    func refused(_ found: String) -> ImageFileError {
      .image(path: image, LayoutError.signatureFile(path: path, found: found).diagnostic)
    }
    do throws(SystemError) {
      // The name itself: a symbolic link to nothing is something too.
      _ = try FileStatus.of(path: path, followLinks: false)
    } catch {
      if [.enoent, .enotdir, .enametoolong].contains(error.code) { return nil }
      throw .system(error)
    }
    let kind: FileStatus.Kind
    let bytes: [UInt8]?
    do throws(SystemError) {
      kind = try FileStatus.of(path: path).kind
      bytes = kind == .regular ? try OwnedFD.openRegular(path).readToEnd(limit: SignatureRecord.limit) : nil
    } catch {
      throw error.code == .enoent ? refused("a symbolic link to nothing") : .system(error)
    }
    guard kind == .regular else { throw refused("a \(kind.rawValue)") }
    guard let bytes else { throw refused("more than \(SignatureRecord.limit) bytes") }
    return EnclosedSignature(place: path, message: bytes)
  }
}

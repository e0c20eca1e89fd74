internal import KernelABI
internal import Linux
internal import Trust

/// A descriptor that was handed over, once it is known to be a regular file that can be read.
struct OpenObject: ~Copyable {
  let number: Int32
  let status: FileStatus
  /// The number of its file system (statfs(2)).
  let fileSystem: UInt64
  private let descriptor: OwnedFD
  /// Where an overlay has the file from, when it is looked for there by its path.
  private(set) var layer: LayerPlace?

  /// Checks what the descriptor is. What can have no provenance by its kind is refused here, each with its own
  /// words.
  static func check(_ number: Int32) throws(ProvenanceError) -> OpenObject {
    try check(duplicate(number), number: number)
  }

  /// The same of a descriptor that was opened here.
  ///
  /// - Parameter number: of the descriptor that messages are about.
  static func check(_ descriptor: consuming OwnedFD, number: Int32) throws(ProvenanceError) -> OpenObject {
    let status: FileStatus
    let isPathOnly: Bool
    let type: UInt64
    do throws(SystemError) {
      isPathOnly = try descriptor.isPathOnly()
      status = try descriptor.status()
      type = try descriptor.fileSystemType()
    } catch {
      throw .system(error)
    }
    guard status.kind == .regular else {
      let kind = status.kind == .fifo ? "pipe" : status.kind.rawValue
      throw .notAFile(fd: number, kind: kind, next: "hand over the object file itself, opened for reading")
    }
    guard !isPathOnly else {
      throw .notAFile(
        fd: number, kind: "descriptor opened with O_PATH", next: "open the object for reading (O_RDONLY)")
    }
    return OpenObject(number: number, status: status, fileSystem: type, descriptor: descriptor)
  }

  private init(number: Int32, status: FileStatus, fileSystem: UInt64, descriptor: consuming OwnedFD) {
    self.number = number
    self.status = status
    self.fileSystem = fileSystem
    self.descriptor = descriptor
  }

  /// The same file, looked for by its path in the file system that an overlay has it from.
  func placed(at layer: LayerPlace) throws(ProvenanceError) -> OpenObject {
    do throws(SystemError) {
      var placed = OpenObject(
        number: number, status: status, fileSystem: fileSystem, descriptor: try descriptor.duplicate())
      placed.layer = layer
      return placed
    } catch {
      throw .system(error)
    }
  }

  /// The device that the file's contents are read from.
  var device: DeviceNumber { layer?.device ?? status.device }

  /// A descriptor of our own for the open file behind `number`.
  static func duplicate(_ number: Int32) throws(ProvenanceError) -> OwnedFD {
    do throws(SystemError) {
      return try OwnedFD.duplicating(number)
    } catch {
      guard error.code == .ebadf else { throw .system(error) }
      throw .notAFile(
        fd: number, kind: "closed descriptor",
        next: "hand the object over by the shell: verity-bpf load --fd \(number) \(number)< OBJECT")
    }
  }

  /// The facts for the evidence.
  var facts: DescriptorFacts {
    DescriptorFacts(
      number: number, device: status.device, inode: status.inode, size: status.size, mountID: status.mountID,
      fileSystem: FileSystemMagic.describe(fileSystem))
  }

  /// The path the kernel shows for the open file. It begins with the mount point, wherever that is, and may be out of
  /// date or empty: only somewhere to look first.
  var pathHint: String {
    KernelFile.link(.openFileName, "\(number)") ?? ""
  }

  /// What the mount shows as the file's contents: for comparison only, never parsed.
  ///
  /// - Parameters:
  ///   - device: the device that is read, where it is another than the file system's own.
  ///   - limit: bytes that it may have at most.
  borrowing func contents(
    from device: DeviceNumber? = nil, limit: UInt64 = Examination.sizeLimit
  ) throws(ProvenanceError) -> [UInt8] {
    guard status.size <= limit else {
      throw .tooLarge(object: "fd \(number)", size: status.size, limit: limit)
    }
    // Nothing else is read through the mount.
    let answer = try OpenContents.read(descriptor, on: device ?? self.device, byteCount: Int(status.size))
    let bytes: [UInt8]?
    do throws(SystemError) {
      bytes = try answer.get()
    } catch {
      throw .mountDiffers(
        message: "the mount cannot read fd \(number) any more: \(error)",
        expected: "\(status.size) readable bytes", found: error.errnoName)
    }
    guard let bytes else {
      throw .mountDiffers(
        message: "the file behind fd \(number) ends early", expected: "\(status.size) bytes", found: "fewer bytes")
    }
    return bytes
  }

  /// Whether nothing can be written through its mount.
  borrowing func isReadOnlyMount() throws(ProvenanceError) -> Bool {
    do throws(SystemError) { return try descriptor.isReadOnlyMount() } catch { throw .system(error) }
  }

  /// What fs-verity says of the bytes that were read from it; nil when it has none.
  borrowing func fileVerity(of bytes: RawSpan, trust: Trust) throws(ProvenanceError) -> FileVerityFacts? {
    try FileVerityFacts.prove(bytes, of: descriptor, trust: trust, time: Timestamp.now().seconds)
  }

  /// The file's extents; nil when its file system gives none, or keeps the contents encrypted.
  borrowing func extents() throws(ProvenanceError) -> [FileExtent]? {
    // Elsewhere the place of an extent is not a place on the device (btrfs), or not said to be encoded (EROFS).
    guard fileSystem == FileSystemMagic.ext4.rawValue, !status.isEncrypted else { return nil }
    do throws(SystemError) {
      return try descriptor.extents(limit: PlacedBlocks.extentLimit)
    } catch {
      if error.code == .eopnotsupp { return nil }
      throw .system(error)
    }
  }

  /// What btrfs says of its devices.
  borrowing func btrfsDevices() throws(ProvenanceError) -> BtrfsDevices {
    do throws(SystemError) { return try descriptor.btrfsDevices() } catch { throw .system(error) }
  }

  /// Whether btrfs has a device of that id.
  borrowing func hasBtrfsDevice(_ identifier: UInt64) throws(ProvenanceError) -> Bool {
    do throws(SystemError) { return try descriptor.hasBtrfsDevice(identifier) } catch { throw .system(error) }
  }
}

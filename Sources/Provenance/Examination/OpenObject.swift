internal import KernelABI
internal import Linux

/// A descriptor that was handed over, once it is known to be a regular file of an EROFS image.
struct OpenObject: ~Copyable {
  let number: Int32
  let status: FileStatus
  private let descriptor: OwnedFD

  /// Checks what the descriptor is. Everything that can have no provenance is refused here, each with its own words.
  static func check(_ number: Int32) throws(ProvenanceError) -> OpenObject {
    let descriptor = try duplicate(number)
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
    guard type == FileSystemMagic.erofs.rawValue else {
      let (name, why) = FileSystemNames.describe(type)
      throw .fileSystem(
        fd: number, name: name, why: why,
        next: "pack the object with `verity-bpf build-image`, mount the image read-only and open it there")
    }
    return OpenObject(number: number, status: status, descriptor: descriptor)
  }

  private init(number: Int32, status: FileStatus, descriptor: consuming OwnedFD) {
    self.number = number
    self.status = status
    self.descriptor = descriptor
  }

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
      fileSystem: "erofs")
  }

  /// The path the kernel shows for the open file. It begins with the mount point, wherever that is, and may be out of
  /// date or empty: only somewhere to look first.
  var pathHint: String {
    KernelFile.link(.openFileName, "\(number)") ?? ""
  }

  /// What the mount shows as the file's contents: for comparison only, never parsed.
  borrowing func contents() throws(ProvenanceError) -> [UInt8] {
    guard status.size <= Examination.sizeLimit else {
      throw .tooLarge(object: "fd \(number)", size: status.size, limit: Examination.sizeLimit)
    }
    // Nothing else is read through the mount.
    let answer = try OpenContents.read(descriptor, on: status.device, byteCount: Int(status.size))
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
}

public import Base
internal import FileSystems
public import Image
public import ImageFormat
public import Linux
public import Trust

/// Finds out where objects' bytes come from, and reads them once into private memory.
///
/// Images are kept open from one object to the next: their layout, root hash and manifest are settled once, and hash
/// blocks that are proven stay proven.
public struct Examination: ~Copyable {
  /// The root hash the caller trusts, if it named one.
  let expected: Digest?
  var images: OpenImages
  /// Whose signatures count, and what was revoked.
  let trust: Trust
  /// Whether the kernel's word is enough where an object on a dm-verity device cannot be read here.
  let takesKernelAlone: Bool
  /// What was found out about the object that was asked for last.
  public internal(set) var reached = ReachedOrigin()
  /// Whether the manifest's entry for each object is read; proving an object takes no notice of it.
  private let describes: Bool

  /// - Parameters:
  ///   - expected: the root hash every image must have, if the caller names one.
  ///   - trust: whose signatures count, and what was revoked.
  ///   - describes: whether ``ObjectFacts/described`` is wanted.
  ///   - takesKernelAlone: whether an object on a dm-verity device that cannot be proven here, because the devices that
  ///     hold its blocks and its tree cannot be read or no reader here knows their file system, is examined on the
  ///     kernel's word alone. What is read and does not verify is refused anyway.
  public init(
    expecting expected: Digest? = nil, trust: Trust = .none, describes: Bool = false,
    takesKernelAlone: Bool = false
  ) {
    self.expected = expected
    self.describes = describes
    self.trust = trust
    self.takesKernelAlone = takesKernelAlone
    images = OpenImages(trust: trust)
  }

  /// Begins with another object.
  mutating func forgetReached() { reached = ReachedOrigin() }

  /// Bytes that an object may have at most.
  static let sizeLimit = UInt64(ObjectDescription.maximumByteCount)

  /// Refuses a descriptor number that is not open. To be asked before the process opens files of its own.
  public static func requireOpen(fd number: Int32) throws(ProvenanceError) {
    _ = try OpenObject.duplicate(number)
  }

  /// Examines the object that an image holds under a path: no mount and no loop device is needed.
  ///
  /// - Parameters:
  ///   - location: where the image's parts are, as far as the caller says so.
  ///   - object: the path inside the image; a slash in front is ignored.
  public mutating func examine(
    image path: String, at location: ImageLocation = ImageLocation(), object: String
  ) throws(ProvenanceError) -> ExaminedObject {
    forgetReached()
    let open = try images.open(path, at: location, expecting: expected, noting: &reached.rootHash)
    defer { images.trim() }
    let inode: FileSystemInode
    do throws(FileSystemError) {
      inode = try open.image.files.lookup(object)
    } catch {
      throw open.image.refusal(error, object: object)
    }
    return try examine(
      inode, name: open.image.files.name(of: inode, foundAt: object), in: open.image, evidence: Evidence(),
      openBytes: nil)
  }

  /// What an image says of its contents, proven up to its root hash; nil for an image of another tool.
  public mutating func manifest(
    of path: String, at location: ImageLocation = ImageLocation()
  ) throws(ProvenanceError) -> Manifest? {
    forgetReached()
    let open = try images.open(path, at: location, expecting: expected, noting: &reached.rootHash)
    defer { images.trim() }
    do throws(ManifestError) {
      return try Manifest.read(from: open.image.files)
    } catch {
      throw .image(path: path, error.diagnostic)
    }
  }

  /// Examines the object behind a descriptor of a file on a mounted image or volume.
  ///
  /// The descriptor says which inode of which device is meant. The bytes come from the image under that device, proven
  /// block by block; the mount is read only to notice that it shows something else. On a dm-verity device the kernel's
  /// own table is a second witness: its root hash is the one that the bytes are proven against.
  ///
  /// A file system that no reader here knows is taken by the word of the kernel alone, where that is enough and its device
  /// is a dm-verity device. Otherwise a file on it is examined when it has fs-verity, or is signed.
  ///
  /// - Parameter number: a descriptor of this process; it is duplicated, and neither moved nor closed.
  public mutating func examine(fd number: Int32) throws(ProvenanceError) -> ExaminedObject {
    let examined = try examineOrigin(of: number)
    return examined.with(ExecutionFacts.ask(try OpenObject.duplicate(number)))
  }

  /// The same of the object that this process was started for.
  public mutating func examine(executed file: ExecutedFile) throws(ProvenanceError) -> ExaminedObject {
    let examined = try examineOrigin(of: file.number)
    return examined.with(ExecutionFacts.ask(try OpenObject.duplicate(file.number)), isExecuted: true)
  }

  private mutating func examineOrigin(of number: Int32) throws(ProvenanceError) -> ExaminedObject {
    forgetReached()
    let file = try OpenObject.check(number)
    do throws(OriginRefusal) {
      return try examineVolume(under: file)
    } catch {
      guard error.leavesOthers else { throw error.error }
      if let proven = try examine(withFileVerity: number) { return proven }
      guard let signed = try examine(signed: number) else { throw error.error }
      return signed
    }
  }

  /// Examines a file by the volume or image that it lies on.
  mutating func examineVolume(under file: borrowing OpenObject) throws(OriginRefusal) -> ExaminedObject {
    if file.isOnOverlay { return try examine(onOverlay: file) }
    do throws(ProvenanceError) {
      switch file.format {
      case .erofs: return try examine(onImage: file)
      case .squashfs, .ext4: if let examined = try examine(onOtherImage: file) { return examined }
      case nil: break
      }
    } catch {
      throw OriginRefusal(error)
    }
    let witness: KernelWitness
    do throws(ProvenanceError) {
      witness = try requireVolume(under: file)
    } catch {
      throw OriginRefusal(error, leavesOthers: true)
    }
    do throws(ProvenanceError) { return try examine(file, on: witness) } catch { throw OriginRefusal(error) }
  }

  /// The same on a file system that ordinary disks have too; nil where no image and no dm-verity device is under it, and
  /// where it is laid out in a way that this build does not read: there the kernel, fs-verity or a signature may vouch for it.
  private mutating func examine(onOtherImage file: borrowing OpenObject) throws(ProvenanceError) -> ExaminedObject? {
    let number = file.status.device
    guard (try? KernelWitness.isMapped(number)) == true else {
      // Nothing but a loop device has an image under it, and one without a tree is as good as a disk.
      guard let loop = try? LoopFacts(of: number) else { return nil }
      var rootHash: Digest?
      let isImage = (try? images.open(under: loop, expecting: nil, noting: &rootHash)) != nil
      return isImage ? try examine(onImage: file) : nil
    }
    guard (try? KernelWitness.ask(about: number)) != nil else { return nil }
    do throws(ProvenanceError) {
      return try examine(onImage: file)
    } catch {
      guard error.isUnknownLayout || error.isUnreadable else { throw error }
      return nil
    }
  }

  mutating func examine(onImage file: borrowing OpenObject) throws(ProvenanceError) -> ExaminedObject {
    reached.descriptor = file.facts
    // Before anything is read.
    do throws(SuspendedDevice) {
      try SuspendedDevice.requireNone(under: file.device)
    } catch {
      throw .suspended(error)
    }
    if try KernelWitness.isMapped(file.device) { return try examine(onVolume: file) }
    let loop = try LoopFacts(of: file.device)
    reached.loop = loop
    let open = try images.open(under: loop, expecting: expected, noting: &reached.rootHash)
    defer { images.trim() }
    var evidence = Evidence()
    evidence.descriptor = file.facts
    evidence.loop = loop
    let examined = try examine(file, in: open.image, evidence: evidence)

    // The device must have stood for the same backing file all the while.
    try loop.requireUnchanged(LoopFacts(of: file.device))
    return examined
  }

  /// The same on a dm-verity device, with the kernel as a witness.
  private mutating func examine(onVolume file: borrowing OpenObject) throws(ProvenanceError) -> ExaminedObject {
    let number = file.device
    let witness = try KernelWitness.ask(about: number)
    reached.volume = witness.facts
    reached.rootHash = witness.facts.rootHash
    var evidence = Evidence()
    evidence.descriptor = file.facts
    evidence.volume = witness.facts
    let examined: ExaminedObject
    do throws(ProvenanceError) {
      let open = try images.open(under: witness, expecting: expected)
      defer { images.trim() }
      examined = try examine(file, in: open.image, evidence: evidence)
    } catch {
      // Of others the caller asks the kernel alone, and where the blocks of the file are.
      guard file.format == .erofs, takesKernelAlone, witness.facts.kernelVouches,
        try error.leavesKernelAlone(about: witness)
      else { throw error }
      examined = try examine(unproven: file, because: error.diagnostic.message, evidence: evidence)
    }

    // Asked again, because root can put another table under the mount. Name, number and disk sequence stay the same
    // then, and so does the event counter; a swap there and back shows only in what the mount has cached, which was
    // compared above.
    try witness.facts.requireUnchanged(KernelWitness.ask(about: number).facts)
    return examined
  }

  /// Proves the file behind a descriptor, and compares it with what the mount shows.
  private func examine(
    _ file: borrowing OpenObject, in image: borrowing ProvenImage, evidence: Evidence
  ) throws(ProvenanceError) -> ExaminedObject {
    guard file.layer != nil || image.files.format == file.format else {
      throw .mountDiffers(
        message: "the image has another file system than the mount on \(file.device)",
        expected: "\(file.facts.fileSystem), as fd \(file.number) shows",
        found: "\(image.files.format.name) in `\(image.path)`")
    }
    if let layer = file.layer { return try examine(file, at: layer, in: image, evidence: evidence) }
    let inode: FileSystemInode
    do throws(FileSystemError) {
      inode = try image.files.inode(numbered: file.status.inode)
    } catch {
      throw image.refusal(error, object: "inode \(file.status.inode)")
    }
    guard inode.kind == .regular, inode.size == file.status.size else {
      throw .mountDiffers(
        message:
          "the image proves another file than the mount shows for inode \(inode.number) on \(file.device)",
        expected: "a regular file of \(file.status.size) bytes, as fd \(file.number) shows",
        found: "a \(inode.kind.name) of \(inode.size) bytes in `\(image.path)`")
    }
    let name: String?
    do throws(FileSystemError) {
      name = try image.files.name(of: inode, atEndOf: file.pathHint)
    } catch {
      throw image.refusal(error, object: "inode \(inode.number)")
    }
    return try examine(inode, name: name, in: image, evidence: evidence, openBytes: try file.contents())
  }

  /// The same of a file that an overlay has from the image, under a path that is looked up in it.
  private func examine(
    _ file: borrowing OpenObject, at layer: LayerPlace, in image: borrowing ProvenImage, evidence: Evidence
  ) throws(ProvenanceError) -> ExaminedObject {
    let inode: FileSystemInode
    do throws(FileSystemError) {
      inode = try image.files.lookup(layer.path)
    } catch {
      throw image.refusal(error, object: layer.path)
    }
    guard inode.kind == .regular, file.isShown(as: inode.number, size: inode.size) else {
      let found = "a \(inode.kind.name) of \(inode.size) bytes, inode \(inode.number)"
      throw file.refusal(.other(path: layer.path, found))
    }
    var complete = evidence
    complete.layer = LayerFacts(name: layer.name, device: layer.device)
    return try examine(
      inode, name: image.files.name(of: inode, foundAt: layer.path), in: image, evidence: complete,
      openBytes: try file.contents())
  }

  /// Reads and proves one file of an image, and compares it with what an open descriptor shows, when there is one.
  ///
  /// - Parameter known: its only path in the image, when that was found out already.
  private func examine(
    _ inode: FileSystemInode, name known: String?, in image: borrowing ProvenImage, evidence: Evidence,
    openBytes: [UInt8]?
  ) throws(ProvenanceError) -> ExaminedObject {
    let name = "inode \(inode.number)"
    let sizeLimit = Self.sizeLimit
    guard inode.size <= sizeLimit else { throw .tooLarge(object: name, size: inode.size, limit: sizeLimit) }
    var path = known
    let bytes: [UInt8]
    do throws(FileSystemError) {
      if path == nil { path = try image.files.firstPath(of: inode.nid) }
      bytes = try image.files.readFile(inode, limit: Int(sizeLimit))
    } catch {
      throw image.refusal(error, object: name)
    }
    guard let path else {
      throw .object(
        path: name, image: image.path, message: "no directory of the image leads to it",
        next: "open the object by a name inside the mounted image")
    }
    if let openBytes, openBytes != bytes {
      if let volume = evidence.volume {
        throw .poisoned(
          number: volume.device, object: path, rootHash: image.rootHash.description, isSigned: volume.isSigned)
      }
      throw .mountDiffers(
        message: "the mount shows other bytes for `\(path)` than the image proves",
        expected: "the bytes under root hash \(image.rootHash)", found: "other bytes through the descriptor")
    }
    let digest: Digest
    do throws(HashingError) { digest = try Digest.of(bytes.rawSpan) } catch { throw .hashing(error) }

    var complete = evidence
    complete.image = image.facts
    complete.verity = image.proof
    complete.rootHashSignature = image.signature
    complete.object = ObjectFacts(
      path: path, nid: inode.number, size: inode.size, digest: digest,
      described: describes ? try image.description(of: path) : nil)
    return try complete.examined(bytes, digest: digest, trust: trust)
  }
}

/// Why an object's volume does not vouch for it.
struct OriginRefusal: Error {
  let error: ProvenanceError
  /// Whether there is none, so that fs-verity or a signature may.
  let leavesOthers: Bool

  init(_ error: ProvenanceError, leavesOthers: Bool = false) {
    self.error = error
    self.leavesOthers = leavesOthers
  }
}

internal import Base
internal import Verity
internal import FileSystems
internal import Image
internal import Linux
internal import ImageFormat
internal import Trust

/// An image whose every byte is accounted for and whose blocks are proven, up to its root hash, as they are read.
struct ProvenImage: ~Copyable {
  typealias Device = VerifiedDevice<ImageFile.Source>

  let path: String
  let layout: VerityLayout
  let rootHash: Digest
  let wasExpected: Bool
  let status: FileStatus
  /// Bytes of the file or device.
  let byteCount: UInt64
  /// What the image says of itself; nil when others made it.
  let manifest: ManifestHead?
  /// The file that it is the head of.
  private let manifestInode: FileSystemInode?
  /// What the signature of its root hash is worth; nil when none came with it.
  let signature: RootHashVerdict?
  let files: AnyFileSystem<Device>

  /// Opens an image file and settles its layout and root hash.
  ///
  /// - Parameters:
  ///   - path: the image, or the backing file of a loop device.
  ///   - location: where its parts are, as far as the caller says so.
  ///   - offset: where the image begins in the file, in bytes.
  ///   - sizeLimit: bytes the image is limited to, or 0 for the rest of the file.
  ///   - expected: the root hash the caller trusts, if it named one. Otherwise the image's own root hash is computed
  ///     from the top of its tree; it then proves consistency, and only a policy can say whether it is trusted.
  ///   - trust: whose signatures of root hashes count.
  ///   - noted: set to the image's root hash as soon as that is known, also when the image is refused then.
  static func open(
    _ path: String, at location: ImageLocation = ImageLocation(), offset: UInt64 = 0, sizeLimit: UInt64 = 0,
    expected: Digest?, trust: Trust, noting noted: inout Digest?
  ) throws(ProvenanceError) -> ProvenImage {
    let file: ImageFile
    do throws(ImageFileError) {
      file = try ImageFile.open(path, at: location, offset: offset, sizeLimit: sizeLimit, rootHash: expected)
    } catch {
      throw .imageFile(error)
    }
    let (status, byteCount, rootHash) = (file.status, file.byteCount, file.ownRootHash)
    noted = rootHash
    if let expected, expected != rootHash {
      throw .rootHash(image: path, expected: expected.description, found: rootHash.description)
    }
    let signature = try RootHashVerdict.judge(rootHash, file.signature, trust: trust)
    let device: Device
    do throws(VerityError) {
      device = try file.device(rootHash: rootHash)
    } catch {
      throw .image(path: path, error.diagnostic)
    }
    return try settle(
      device, path: path, wasExpected: expected != nil, status: status, byteCount: byteCount, signature: signature)
  }

  /// Opens the file system on a verified device, and reads what the image says of itself.
  ///
  /// - Parameter byteCount: of the file or device that holds the image; nil for as many as the image needs.
  static func settle(
    _ device: consuming Device, path: String, wasExpected: Bool, status: FileStatus, byteCount: UInt64? = nil,
    signature: RootHashVerdict? = nil
  ) throws(ProvenanceError) -> ProvenImage {
    let layout = device.layout
    let rootHash = device.rootHash
    let files: AnyFileSystem<Device>
    do throws(FileSystemError) { files = try AnyFileSystem(device) } catch {
      throw .image(path: path, error.diagnostic)
    }
    let (manifest, manifestInode) = try manifest(of: files, layout: layout, path: path)
    return ProvenImage(
      path: path, layout: layout, rootHash: rootHash, wasExpected: wasExpected, status: status,
      byteCount: byteCount ?? layout.treeEnd, manifest: manifest, manifestInode: manifestInode, signature: signature,
      files: files)
  }

  /// Reads and checks the head of the manifest. An image without one was built by another tool; its root hash counts all the same.
  private static func manifest(
    of files: borrowing AnyFileSystem<Device>, layout: VerityLayout, path: String
  ) throws(ProvenanceError) -> (ManifestHead?, FileSystemInode?) {
    do throws(ManifestError) {
      guard let inode = try Manifest.inode(in: files) else { return (nil, nil) }
      let manifest = try ManifestHead.read(inode, in: files)
      try manifest.check(superblock: layout.superblock)
      return (manifest, inode)
    } catch {
      throw .image(path: path, error.diagnostic)
    }
  }
}

extension RootHashVerdict {
  /// Judges a root hash and the signature that came with it, now.
  static func judge(
    _ rootHash: Digest, _ signature: EnclosedSignature?, trust: Trust
  ) throws(ProvenanceError) -> RootHashVerdict? {
    do throws(Revocation) {
      return try judge(
        rootHash, signature: signature?.message, from: signature?.place ?? "", trust: trust, at: Timestamp.now().seconds
      )
    } catch {
      throw .revoked(error)
    }
  }
}

extension ProvenImage {
  /// What the manifest says of an object; nil when there is no manifest, or it lists no object of that path.
  func description(of path: String) throws(ProvenanceError) -> Manifest.Entry? {
    guard let manifestInode else { return nil }
    do throws(ManifestError) {
      return try Manifest.entry(of: path, from: manifestInode, in: files)
    } catch {
      throw .image(path: self.path, error.diagnostic)
    }
  }

  /// Bytes of memory that proven blocks take up.
  var provenByteCount: Int { files.withBlocks { $0.provenByteCount } }

  /// The facts for the evidence.
  var facts: ImageFacts {
    ImageFacts(
      path: path, device: status.device, inode: status.inode, size: byteCount, name: manifest?.name,
      version: manifest?.version)
  }

  /// What was proven, for the evidence.
  var proof: VerityProof {
    let parameters = layout.parameters
    return VerityProof(
      rootHash: rootHash, dataBlockSize: parameters.dataBlockSize, hashBlockSize: parameters.hashBlockSize,
      dataBlockCount: parameters.dataBlockCount, levels: layout.geometry.levels.count, salt: parameters.salt,
      wasExpected: wasExpected)
  }

  /// A file system error as a refusal that names the image and the object.
  func refusal(_ error: FileSystemError, object: String) -> ProvenanceError {
    var diagnostic = error.diagnostic
    diagnostic.message = "object `\(object)`: \(diagnostic.message)"
    return .image(path: path, diagnostic)
  }
}

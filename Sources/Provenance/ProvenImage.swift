public import ByteKit
internal import DMVerity
internal import Diagnostics
internal import DiskLayout
internal import EROFS
public import LinuxSys

/// An image whose every byte is accounted for and whose blocks are proven, up to its root hash, as they are read.
struct ProvenImage: ~Copyable {
  typealias Device = VerifiedDevice<SourceWindow<FileSource>>

  let path: String
  let layout: VerityLayout
  let rootHash: Digest
  let wasExpected: Bool
  let status: FileStatus
  let files: ErofsImage<Device>

  /// Opens an image file and settles its layout and root hash.
  ///
  /// - Parameters:
  ///   - path: the image, or the backing file of a loop device.
  ///   - offset: where the image begins in the file, in bytes.
  ///   - sizeLimit: bytes the image is limited to, or 0 for the rest of the file.
  ///   - expected: the root hash the caller trusts, if it named one. Otherwise the image's own root hash is computed
  ///     from the top of its tree; it then proves consistency, and only a policy can say whether it is trusted.
  init(path: String, offset: UInt64 = 0, sizeLimit: UInt64 = 0, expected: Digest?) throws(ProvenanceError) {
    let descriptor: OwnedFD
    do throws(SystemError) {
      descriptor = try OwnedFD.open(path, .readOnly)
      status = try descriptor.status()
    } catch {
      throw .system(error)
    }
    guard status.kind == .regular || status.kind == .blockDevice else {
      throw .object(
        path: path, image: path, message: "is a \(status.kind.rawValue), not an image file",
        next: "name the image file that `verity-bpf build-image` wrote")
    }
    let size: UInt64
    do throws(SystemError) { size = try descriptor.contentSize() } catch { throw .system(error) }
    let file = FileSource(descriptor, byteCount: size)
    let available = size >= offset ? size - offset : 0
    let count = sizeLimit == 0 ? available : min(sizeLimit, available)
    guard let window = SourceWindow(file, from: offset, byteCount: count) else {
      throw .image(
        path: path,
        Diagnostic(
          "verity.truncated", .integrity, "the loop device begins behind the end of its backing file",
          expected: "more than \(offset) bytes", found: "\(size) bytes"))
    }
    self.path = path
    do throws(LayoutError) {
      layout = try DiskLayout.appended(in: window)
    } catch {
      throw .image(path: path, error.diagnostic)
    }
    do throws(VerityError) {
      rootHash = try layout.ownRootHash(of: window)
    } catch {
      throw .image(path: path, error.diagnostic)
    }
    if let expected, expected != rootHash {
      throw .rootHash(image: path, expected: expected.description, found: rootHash.description)
    }
    wasExpected = expected != nil
    let device: Device
    do throws(VerityError) {
      device = try Device(window, layout: layout, rootHash: rootHash)
    } catch {
      throw .image(path: path, error.diagnostic)
    }
    do throws(ErofsError) {
      files = try ErofsImage(device)
    } catch {
      throw .image(path: path, error.diagnostic)
    }
  }
}

extension ProvenImage {
  /// The facts for the evidence.
  var facts: ImageFacts {
    ImageFacts(
      path: path, device: status.device, inode: status.inode, size: layout.treeEnd, name: nil, version: nil)
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
  func refusal(_ error: ErofsError, object: String) -> ProvenanceError {
    var diagnostic = error.diagnostic
    diagnostic.message = "object `\(object)`: \(diagnostic.message)"
    return .image(path: path, diagnostic)
  }
}

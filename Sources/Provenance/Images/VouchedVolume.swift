public import Base
internal import FileSystems
internal import Image
internal import KernelABI
public import Linux
internal import Verity

/// A dm-verity device that is there already, of which files were verified here under the root hash that the kernel has in force.
public struct VouchedVolume: Sendable {
  /// A file of it that has to be what it is taken for.
  public struct File: Sendable {
    /// From the volume's root, with a slash in front.
    public let path: String
    public let inode: UInt64
    public let digest: Digest

    public init(path: String, inode: UInt64, digest: Digest) {
      self.path = path
      self.inode = inode
      self.digest = digest
    }
  }

  public let device: DeviceNumber
  public let name: String
  public let rootHash: Digest

  /// Looks for devices with one of these root hashes among all that are mapped.
  ///
  /// - Parameter refused: called for a device with such a root hash that cannot be vouched for.
  /// - Throws: ``ProvenanceError`` when the device-mapper does not list its devices.
  public static func find(
    _ files: [Digest: [File]], refused: (DeviceNumber, ProvenanceError) -> Void
  ) throws(ProvenanceError) -> [VouchedVolume] {
    guard !files.isEmpty else { return [] }
    let numbers: [DeviceNumber]
    do throws(SystemError) {
      numbers = try DeviceMapper.open().devices()
    } catch {
      // Without a device-mapper there is no volume.
      if error.code == .enoent || error.code == .enodev { return [] }
      throw .system(error)
    }
    var found: [VouchedVolume] = []
    for number in numbers {
      // What is no verity device is none of ours.
      guard let witness = try? KernelWitness.ask(about: number), let wanted = files[witness.facts.rootHash] else {
        continue
      }
      do throws(ProvenanceError) {
        found.append(try vouch(for: witness, wanted))
      } catch {
        refused(number, error)
      }
    }
    return found
  }

  /// Verifies the files from the devices under a volume, and that nothing about it changed meanwhile.
  private static func vouch(for witness: KernelWitness, _ files: [File]) throws(ProvenanceError) -> VouchedVolume {
    let facts = witness.facts
    guard facts.doubts.isEmpty, facts.mode == "EIO", !facts.hasPendingTable else {
      throw .volume(
        number: facts.device, message: "is not one that the gate counts",
        expected: "a table that fails on every corrupted block, and no other that waits", found: "`\(facts.table)`")
    }
    let blocks = try VolumeBlocks.open(under: witness)
    let path = blocks.path
    var other: File?
    do throws(FileSystemError) {
      let image = try AnyFileSystem(blocks.takeDevice())
      for file in files where other == nil {
        let inode = try image.lookup(file.path)
        let contents = try image.readFile(inode, limit: image.limits.fileBytes)
        if inode.number != file.inode || (try? Digest.of(contents.rawSpan)) != file.digest { other = file }
      }
    } catch {
      throw .image(path: path, error.diagnostic)
    }
    if let other {
      throw .object(
        path: other.path, image: path, message: "is another file than the one that was planned with",
        next: "plan with the image that is mounted")
    }
    try facts.requireUnchanged(KernelWitness.ask(about: facts.device).facts)
    return VouchedVolume(device: facts.device, name: facts.name, rootHash: facts.rootHash)
  }
}

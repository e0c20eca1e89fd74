public import Base
internal import FileSystems
internal import Linux
internal import Trust

/// Where the executable of this process comes from, for rules about the process that asks. What is nil is not known.
///
/// A file counts only on a dm-verity device, which checks every block that the process still has to read: an image behind a
/// loop device is checked by nobody once the process runs.
public struct RequesterFacts: Equatable, Sendable {
  /// The root hash of the dm-verity volume that holds the executable, verified here for all of its blocks.
  public let rootHash: Digest?
  /// SHA-256 of the executable, as that root hash has it and as the process's own descriptor shows it.
  public let digest: Digest?
  /// Whether the kernel took a signature of that root hash, by a key that root could not add. False for an executable that is on
  /// no dm-verity device.
  public let isSigned: Bool?

  /// Nothing is known.
  public static let unknown = RequesterFacts(rootHash: nil, digest: nil, isSigned: nil)

  public init(rootHash: Digest?, digest: Digest?, isSigned: Bool?) {
    self.rootHash = rootHash
    self.digest = digest
    self.isSigned = isSigned
  }
}

extension Examination {
  /// Examines the file that this process runs, by the kernel's own descriptor of it.
  ///
  /// What cannot be asked or verified is not known, so that no rule allows by it and none that denies is ruled out.
  public mutating func examineRequester() -> RequesterFacts {
    do throws(ProvenanceError) {
      let executable: OwnedFD
      do throws(SystemError) { executable = try KernelFile.openExecutable() } catch { throw .system(error) }
      let file = try OpenObject.check(executable.withRaw { $0 })
      // What is under overlayfs and file systems of several devices is not asked for.
      guard file.status.device.major != 0 else { return .unknown }
      guard try KernelWitness.isMapped(file.status.device) else {
        return RequesterFacts(rootHash: nil, digest: nil, isSigned: false)
      }
      return try examine(requester: file)
    } catch {
      return .unknown
    }
  }

  private mutating func examine(requester file: borrowing OpenObject) throws(ProvenanceError) -> RequesterFacts {
    let witness = try KernelWitness.ask(about: file.status.device)
    guard witness.facts.kernelVouches else { return RequesterFacts(rootHash: nil, digest: nil, isSigned: false) }
    let (digest, signature) = try contents(of: file, under: witness)
    guard try digest == file.digest() else { return .unknown }
    try witness.facts.requireUnchanged(KernelWitness.ask(about: file.status.device).facts)
    var evidence = Evidence()
    evidence.volume = witness.facts
    evidence.rootHashSignature = signature
    evidence.revokesSigners = trust.revokesSigners
    return RequesterFacts(
      rootHash: witness.facts.rootHash, digest: digest,
      isSigned: witness.facts.isVouchedByKernelKey && !evidence.mayBeARevokedSigners)
  }

  /// SHA-256 of the file's blocks, verified under the volume's root hash.
  private func contents(
    of file: borrowing OpenObject, under witness: KernelWitness
  ) throws(ProvenanceError) -> (Digest, RootHashVerdict?) {
    // A volume of its own: nothing of it is kept for the objects.
    let image = try ProvenImage.open(under: witness, expected: nil, trust: trust)
    let bytes: [UInt8]
    do throws(FileSystemError) {
      bytes = try image.files.readFile(
        try image.files.inode(numbered: file.status.inode), limit: image.files.limits.fileBytes)
    } catch {
      throw image.refusal(error, object: "inode \(file.status.inode)")
    }
    do throws(HashingError) { return (try Digest.of(bytes.rawSpan), image.signature) } catch { throw .hashing(error) }
  }
}

extension OpenObject {
  /// SHA-256 of what the mount shows as the file's contents.
  fileprivate borrowing func digest() throws(ProvenanceError) -> Digest {
    let bytes = try contents(limit: UInt64(FileSystemLimits().fileBytes))
    do throws(HashingError) { return try Digest.of(bytes.rawSpan) } catch { throw .hashing(error) }
  }
}

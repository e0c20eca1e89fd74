internal import Base
internal import FileSystems
internal import Linux
internal import Trust
internal import Verity

/// Objects on a dm-verity device that no reader here reads: the kernel verifies the blocks, and reads the file system.
extension Examination {
  /// The dm-verity device under a file of a file system that no reader here knows.
  ///
  /// - Throws: ``ProvenanceError`` when there is none, and when the kernel's word about it does not count.
  mutating func requireVolume(under file: borrowing OpenObject) throws(ProvenanceError) -> KernelWitness {
    reached.descriptor = file.facts
    let witness = try KernelWitness.ask(about: try BackingDevice.mapped(under: file))
    let facts = witness.facts
    reached.volume = facts
    reached.rootHash = facts.rootHash
    guard takesKernelAlone, facts.kernelVouches else {
      throw .kernelAlone(
        number: facts.device, fileSystem: file.facts.fileSystem, rootHash: facts.rootHash, doubts: facts.doubts)
    }
    return witness
  }

  /// Examines a file of such a file system.
  mutating func examine(
    _ file: borrowing OpenObject, on witness: KernelWitness
  ) throws(ProvenanceError) -> ExaminedObject {
    try witness.require(expected)
    var evidence = Evidence()
    evidence.descriptor = file.facts
    evidence.volume = witness.facts
    let unread =
      file.format == nil
      ? "this build has no reader for \(file.facts.fileSystem)"
      : "this build does not read this \(file.facts.fileSystem), or not on this host"
    let examined = try examine(
      unproven: file, because: unread, evidence: evidence,
      placedOn: witness)

    // As on a volume that is read here: root can put another table under the mount, and, where the file system lists its
    // devices itself, another device under the file system.
    let number = try BackingDevice.number(under: file)
    guard number == witness.facts.device else {
      throw .mountDiffers(
        message: "the file system of fd \(file.number) got another device while it was examined",
        expected: "device \(witness.facts.device)", found: "device \(number)")
    }
    try witness.facts.requireUnchanged(KernelWitness.ask(about: number).facts)
    return examined
  }

  /// The file as the mount shows it, read once into private memory: as good as the kernel's word.
  ///
  /// - Parameter witness: the volume whose blocks the file's extents are in, when the file system may say which they are.
  func examine(
    unproven file: borrowing OpenObject, because reason: String, evidence: Evidence,
    placedOn witness: KernelWitness? = nil
  ) throws(ProvenanceError) -> ExaminedObject {
    // There is no image of ours that would have been asked about when it was opened.
    if let rootHash = evidence.volume?.rootHash { _ = try RootHashVerdict.judge(rootHash, nil, trust: trust) }
    let bytes = try file.contents()
    let digest: Digest
    do throws(HashingError) { digest = try Digest.of(bytes.rawSpan) } catch { throw .hashing(error) }
    var complete = evidence
    var (reasons, verified): ([String], UInt64?) = ([reason], nil)
    if let witness {
      switch try placedBlocks(of: file, bytes, on: witness) {
      case .verified(let count): verified = count
      case .unplaced(let why): reasons.append("where its blocks are is not known here: \(why)")
      case .different:
        throw .poisoned(
          number: witness.facts.device, object: "inode \(file.status.inode)", rootHash: "\(witness.facts.rootHash)",
          isSigned: witness.facts.isSigned)
      }
    }
    complete.fileVerity = try file.fileVerity(of: bytes.rawSpan, trust: trust)
    complete.unproven = UnprovenFacts(
      size: UInt64(bytes.count), digest: digest, reason: reasons.separated(by: "; "), verifiedBlocks: verified)
    return try complete.examined(bytes, digest: digest, trust: trust)
  }

  /// Verifies the blocks of a file against the hash tree, where its file system says which they are.
  private func placedBlocks(
    of file: borrowing OpenObject, _ contents: [UInt8], on witness: KernelWitness
  ) throws(ProvenanceError) -> PlacedBlocks {
    guard let extents = try file.extents() else { return .unplaced("its file system does not say") }
    let blocks: VolumeBlocks
    do throws(ProvenanceError) {
      blocks = try VolumeBlocks.open(under: witness)
    } catch {
      guard error.isUnreadable else { throw error }
      return .unplaced(error.diagnostic.message)
    }
    let path = blocks.path
    do throws(VerityError) {
      return try PlacedBlocks.compare(contents, extents, in: blocks.device)
    } catch {
      let refusal = ProvenanceError.image(path: path, error.diagnostic)
      guard refusal.isUnreadable else { throw refusal }
      return .unplaced(refusal.diagnostic.message)
    }
  }
}

extension ProvenanceError {
  /// Whether the kernel alone is left as a witness: the bytes cannot be had here, or lie in a layout that no reader here
  /// knows. What was read and is wrong is refused, whatever the kernel says.
  func leavesKernelAlone(about witness: KernelWitness) throws(ProvenanceError) -> Bool {
    if isUnreadable { return true }
    guard isUnknownLayout else { return false }
    // A layout that the kernel reads from other devices too would be vouched for by none of them.
    let blocks = try VolumeBlocks.open(under: witness)
    let path = blocks.path
    do throws(VerityError) {
      return try ErofsSuperblock.isOnOneDevice(blocks.device)
    } catch {
      throw .image(path: path, error.diagnostic)
    }
  }

  /// Whether a verified file system is laid out in a way that this build does not read, which says nothing about its worth.
  var isUnknownLayout: Bool {
    guard case .image(_, let diagnostic) = self, diagnostic.category == .unsupported else { return false }
    return FileSystemFormat.allCases.contains { diagnostic.code.hasPrefix("\($0.rawValue).") }
  }
}

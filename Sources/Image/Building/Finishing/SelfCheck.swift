internal import Base
internal import Verity
internal import FileSystems
internal import Linux
internal import ImageFormat
internal import Synchronization

/// Opens the finished image as its users will, and proves that it holds what its manifest says.
struct SelfCheck: Sendable {
  let path: String
  /// The file with superblock and tree, when they have one of their own.
  let verityData: String?
  let rootHash: Digest
  let threads: Int

  /// Bytes of files that are read through one device. A device keeps what it has proven, so this bounds the memory.
  private static let batchBytes: UInt64 = 4 << 20

  /// - Parameters:
  ///   - contents: what was packed.
  ///   - fileSystem: says how it was packed. The manifest is one more file here: reading thousands of objects from JSON
  ///     again would take a tenth of the build.
  func check(_ contents: FileSystem.Contents, in fileSystem: FileSystem.Finished) throws(BuildError) {
    let batches = Mutex<[[Manifest.Located]]>([])
    let turns = Turns()
    // Reading the manifest takes longer than finding the files that it names, and they are to begin meanwhile.
    try WorkerPool<BuildError>(Processors.threads(threads)).run(.max) {
    } work: { _, number throws(BuildError) in
      try diagnosing {
        if number == 0 {
          let turn = turns.turn(0)
          let located = try Manifest.locate(contents.objects + contents.files, in: try self.fileSystem())
          batches.withLock { $0 = Self.batches(of: located) }
          turn.pass()
        } else if number == 1 {
          var image = try self.fileSystem()
          let head = ManifestHead(name: nil, version: nil, dataBlocks: fileSystem.dataBlocks)
          try head.check(superblock: image.withBlocks { $0.layout.superblock })
          try check(manifestOf: fileSystem, in: &image)
        } else {
          turns.wait(for: 1)
          guard let batch = batches.withLock({ $0.count > number - 2 ? $0[number - 2] : nil }) else { return false }
          try check(batch, in: try self.fileSystem())
        }
        return true
      }
    }
  }

  private func fileSystem() throws -> AnyFileSystem<VerifiedDevice<ImageFile.Source>> {
    let file = try ImageFile.open(path, at: ImageLocation(verityData: verityData))
    return try AnyFileSystem(try file.device(rootHash: rootHash, memoryLimit: .max))
  }

  /// Bytes of the manifest that are compared at a time.
  private static let pieceBytes: UInt64 = 1 << 20

  /// Holds the manifest in the image against the one that was written there.
  private func check(
    manifestOf fileSystem: FileSystem.Finished, in image: inout AnyFileSystem<VerifiedDevice<ImageFile.Source>>
  ) throws {
    let inode = try image.lookup(Manifest.path)
    let expected = fileSystem.manifest.rawSpan
    let size = UInt64(expected.byteCount)
    var start: UInt64 = 0
    while inode.size == size, start < size {
      let end = min(start + Self.pieceBytes, size)
      let piece = try image.readFile(inode, in: start..<end)
      image.forgetBlocks()
      guard try expected.slice(at: Int(start), count: Int(end - start)).hasSameBytes(as: piece.rawSpan) else { break }
      start = end
    }
    guard inode.size != size || start < size else { return }
    let manifest = Manifest.File(path: Manifest.path, digest: fileSystem.manifestDigest, size: size)
    // The same check by digest says what was expected and found.
    try Manifest.check([Manifest.Located(file: manifest, nid: inode.nid)], in: image)
    throw BuildError.selfCheck(
      Diagnostic("build.self-check", .incomplete, "the manifest reads differently from one time to the next"))
  }

  private static func batches(of files: [Manifest.Located]) -> [[Manifest.Located]] {
    var batches: [[Manifest.Located]] = []
    var bytes: UInt64 = 0
    for file in files {
      if batches.isEmpty || bytes >= batchBytes {
        batches.append([])
        bytes = 0
      }
      batches[batches.count - 1].append(file)
      bytes += file.file.size
    }
    return batches
  }

  private func check(
    _ files: [Manifest.Located], in image: borrowing AnyFileSystem<VerifiedDevice<ImageFile.Source>>
  ) throws {
    image.proveAround(files.map(\.nid), limit: 2 * Self.batchBytes)
    try Manifest.check(files, in: image)
  }

  /// Whatever goes wrong here is a failed self-check.
  private func diagnosing<Result>(_ work: () throws -> Result) throws(BuildError) -> Result {
    do {
      return try work()
    } catch let error as BuildError {
      throw error
    } catch let error as any Diagnosable {
      throw .selfCheck(error.diagnostic)
    } catch {
      throw .selfCheck(Diagnostic("build.self-check", .incomplete, "\(error)"))
    }
  }
}

internal import ByteKit
internal import DMVerity
internal import Diagnostics
internal import EROFS
internal import ImageFiles
internal import LinuxSys
internal import Manifest
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
    let files = Mutex<[Manifest.Located]>([])
    // Finding thousands of files takes about as long as reading the manifest that names them.
    try concurrently(2) { index in
      let image = try self.fileSystem()
      if index == 0 {
        let located = try Manifest.locate(contents.objects + contents.files, in: image)
        files.withLock { $0 = located }
      } else {
        let head = ManifestHead(name: nil, version: nil, dataBlocks: fileSystem.dataBlocks)
        try head.check(superblock: image.blocks.layout.superblock)
        let manifest = Manifest.File(
          path: Manifest.path, digest: fileSystem.manifestDigest, size: UInt64(fileSystem.manifest.count))
        try check([Manifest.Located(file: manifest, nid: try image.lookup(Manifest.path).nid)], in: image)
      }
    }
    let batches = Self.batches(of: files.withLock { $0 })
    try concurrently(batches.count) { index in try check(batches[index], in: try self.fileSystem()) }
  }

  private func fileSystem() throws -> ErofsImage<VerifiedDevice<ImageFile.Source>> {
    try ErofsImage(try ImageFile.open(path, verityData: verityData).device(rootHash: rootHash, memoryLimit: .max))
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
    _ files: [Manifest.Located], in image: borrowing ErofsImage<VerifiedDevice<ImageFile.Source>>
  ) throws {
    image.proveAround(files.map(\.nid), limit: 2 * Self.batchBytes)
    try Manifest.check(files, in: image)
  }

  /// Does several things at a time, and throws what failed first.
  private func concurrently(_ count: Int, _ work: @Sendable (Int) throws -> Void) throws(BuildError) {
    let next = Atomic<Int>(0)
    let failure = Mutex<BuildError?>(nil)
    Processors.share(min(threads, count)) { _ in
      do throws(BuildError) {
        while true {
          let index = next.add(1, ordering: .relaxed).oldValue
          guard index < count else { return }
          try diagnosing { try work(index) }
        }
      } catch {
        next.store(count, ordering: .relaxed)
        failure.withLock { if $0 == nil { $0 = error } }
      }
    }
    if let error = failure.withLock({ $0 }) { throw error }
  }

  /// Whatever goes wrong here is a failed self-check.
  private func diagnosing(_ work: () throws -> Void) throws(BuildError) {
    do {
      try work()
    } catch let error as BuildError {
      throw error
    } catch let error as any Diagnosable {
      throw .selfCheck(error.diagnostic)
    } catch {
      throw .selfCheck(Diagnostic("build.self-check", .incomplete, "\(error)"))
    }
  }
}

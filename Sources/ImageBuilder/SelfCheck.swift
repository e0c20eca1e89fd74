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
    try diagnosing {
      let image = try self.fileSystem()
      let head = ManifestHead(name: nil, version: nil, dataBlocks: fileSystem.dataBlocks)
      try head.check(superblock: image.blocks.layout.superblock)
      let manifest = Manifest.Located(
        file: Manifest.File(
          path: Manifest.path, digest: fileSystem.manifestDigest, size: UInt64(fileSystem.manifest.count)),
        nid: try image.lookup(Manifest.path).nid)
      let files = try Manifest.locate(contents.objects + contents.files, in: image)
      try check(Self.batches(of: [manifest] + files))
    }
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

  private func check(_ batches: [[Manifest.Located]]) throws {
    let next = Atomic<Int>(0)
    let failure = Mutex<BuildError?>(nil)
    Processors.share(min(threads, batches.count)) { _ in
      do throws(BuildError) {
        while true {
          let index = next.add(1, ordering: .relaxed).oldValue
          guard index < batches.count else { return }
          try diagnosing {
            let image = try fileSystem()
            image.proveAround(batches[index].map(\.nid), limit: 2 * Self.batchBytes)
            try Manifest.check(batches[index], in: image)
          }
        }
      } catch {
        next.store(batches.count, ordering: .relaxed)
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

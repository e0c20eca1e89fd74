internal import ByteKit
internal import DMVerity
internal import Diagnostics
internal import DiskLayout
internal import Dispatch
internal import EROFS
internal import LinuxSys
internal import Manifest
internal import Synchronization

/// Opens the finished image as its users will, and proves that it holds what its manifest says.
struct SelfCheck: Sendable {
  let path: String
  let rootHash: Digest
  let threads: Int

  /// Bytes of files that are read through one device. A device keeps what it has proven, so this bounds the memory.
  private static let batchBytes: UInt64 = 16 << 20

  func check(_ manifest: Manifest) throws(BuildError) {
    try diagnosing {
      let layout = try self.layout()
      let image = try fileSystem(layout)
      guard let found = try Manifest.read(from: image), found == manifest else {
        throw BuildError.selfCheck(
          Diagnostic("build.bad-manifest", .incomplete, "the image's manifest is not the one that was packed"))
      }
      try found.check(superblock: layout.superblock)
      try check(Self.batches(of: try found.locateFiles(in: image)), layout)
    }
  }

  private func layout() throws -> VerityLayout {
    try DiskLayout.appended(in: try FileSource.open(path))
  }

  private func fileSystem(_ layout: VerityLayout) throws -> ErofsImage<VerifiedDevice<FileSource>> {
    try ErofsImage(try VerifiedDevice(try FileSource.open(path), layout: layout, rootHash: rootHash, memoryLimit: .max))
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

  private func check(_ batches: [[Manifest.Located]], _ layout: VerityLayout) throws {
    let next = Atomic<Int>(0)
    let failure = Mutex<BuildError?>(nil)
    DispatchQueue.concurrentPerform(iterations: max(1, min(threads, batches.count))) { _ in
      do throws(BuildError) {
        while true {
          let index = next.add(1, ordering: .relaxed).oldValue
          guard index < batches.count else { return }
          try diagnosing {
            let image = try fileSystem(layout)
            for file in batches[index] { try Manifest.check(file, in: image) }
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

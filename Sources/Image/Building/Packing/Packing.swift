internal import Base
internal import Linux
internal import Synchronization

/// Packs the files of a directory, several at a time, and puts them into the file system in the order of their paths,
/// whichever was ready first.
struct Packing: ~Copyable {
  private let fileSystem: Mutex<FileSystem>

  init(_ fileSystem: consuming FileSystem) { self.fileSystem = Mutex(fileSystem) }

  /// Files that a thread takes at a time.
  private static let largestGroup = 8

  /// Packs some files.
  ///
  /// - Throws: of all errors that of the first file, whichever thread was faster.
  func pack(_ files: ArraySlice<SourceScan.File>, by packer: Packer, threads: Int) throws(BuildError) {
    let group = max(1, min(Self.largestGroup, files.count / threads))
    let pool = WorkerPool<BuildError>(Processors.threads(threads))
    try pool.run((files.count + group - 1) / group, into: fileSystem) {
    } work: { _, number in
      packer.pack(files.dropFirst(number * group).prefix(group))
    } take: { fileSystem, packed throws(BuildError) in
      for file in packed { try fileSystem.add(try file.get()) }
    }
  }

  /// Does something with the file system between rounds.
  func withFileSystem<Value: Sendable>(
    _ work: (inout FileSystem) throws(BuildError) -> Value
  ) throws(BuildError) -> Value {
    try fileSystem.withLock { fileSystem throws(BuildError) in try work(&fileSystem) }
  }
}

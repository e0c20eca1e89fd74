internal import Dispatch
internal import Synchronization

/// Packs the files of a directory, several at a time, and puts them into the file system in the order of their paths,
/// whichever was ready first.
struct Packing: ~Copyable {
  private let state: Mutex<PackingState>

  init(_ fileSystem: consuming FileSystem) { state = Mutex(PackingState(fileSystem: fileSystem)) }

  /// Packs some files.
  ///
  /// - Throws: of all errors that of the first file, whichever thread was faster.
  func pack(_ files: ArraySlice<SourceScan.File>, by packer: Packer, threads: Int) throws(BuildError) {
    state.withLock { $0.next = 0 }
    let taken = Atomic<Int>(0)
    @Sendable func work(_: Int) {
      while true {
        let index = taken.add(1, ordering: .relaxed).oldValue
        guard index < files.count else { return }
        let result = Result { () throws(BuildError) in try packer.pack(files[files.startIndex + index]) }
        let goesOn = state.withLock { state in
          state.add(result, at: index)
          return state.failure == nil
        }
        // No more are handed out; all before this one have been.
        if !goesOn { taken.store(files.count, ordering: .relaxed) }
      }
    }
    DispatchQueue.concurrentPerform(iterations: max(1, min(threads, files.count)), execute: work)
    if let failure = state.withLock({ $0.failure }) { throw failure }
  }

  /// Does something with the file system between rounds.
  func withFileSystem<Value: Sendable>(
    _ work: (inout FileSystem) throws(BuildError) -> Value
  ) throws(BuildError) -> Value {
    try state.withLock { state throws(BuildError) in try work(&state.fileSystem) }
  }
}

/// What the threads of a round share.
struct PackingState: ~Copyable, Sendable {
  var fileSystem: FileSystem
  /// Files that are ready and wait for one before them, by their place in the round.
  private var waiting: [Int: Result<Packer.Packed, BuildError>] = [:]
  /// The place of the file that goes into the file system next.
  var next = 0
  private(set) var failure: BuildError?

  init(fileSystem: consuming FileSystem) { self.fileSystem = fileSystem }

  mutating func add(_ result: Result<Packer.Packed, BuildError>, at index: Int) {
    waiting[index] = result
    while failure == nil, let ready = waiting.removeValue(forKey: next) {
      next += 1
      do throws(BuildError) { try fileSystem.add(try ready.get()) } catch { failure = error }
    }
  }
}

internal import Linux
internal import Synchronization

/// Packs the files of a directory, several at a time, and puts them into the file system in the order of their paths,
/// whichever was ready first.
struct Packing: ~Copyable {
  private let waiting = Mutex(Waiting())
  private let state: Mutex<PackingState>

  init(_ fileSystem: consuming FileSystem) { state = Mutex(PackingState(fileSystem: fileSystem)) }

  /// Files that a thread takes at a time.
  private static let largestGroup = 8

  /// Packs some files.
  ///
  /// - Throws: of all errors that of the first file, whichever thread was faster.
  func pack(_ files: ArraySlice<SourceScan.File>, by packer: Packer, threads: Int) throws(BuildError) {
    waiting.withLock { $0 = Waiting() }
    let group = max(1, min(Self.largestGroup, files.count / threads))
    let taken = Atomic<Int>(0)
    @Sendable func work(_: Int) {
      while true {
        let index = taken.add(group, ordering: .relaxed).oldValue
        guard index < files.count else { return }
        let results = packer.pack(files.dropFirst(index).prefix(group))
        waiting.withLock { $0.add(results, at: index) }
        // Who finds another thread at it goes on packing; that one, or the last, takes what is ready now.
        let goesOn = state.withLockIfAvailable { state in state.take(from: waiting) }
        // No more are handed out; all before this one have been.
        if goesOn == false { taken.store(files.count, ordering: .relaxed) }
      }
    }
    Processors.share(min(threads, files.count), work)
    try state.withLock { state throws(BuildError) in
      _ = state.take(from: waiting)
      if let failure = state.failure { throw failure }
    }
  }

  /// Does something with the file system between rounds.
  func withFileSystem<Value: Sendable>(
    _ work: (inout FileSystem) throws(BuildError) -> Value
  ) throws(BuildError) -> Value {
    try state.withLock { state throws(BuildError) in try work(&state.fileSystem) }
  }
}

/// The files of a round that are ready and wait for one before them.
struct Waiting: Sendable {
  /// By their place in the round.
  private var ready: [Int: Result<Packer.Packed, BuildError>] = [:]
  /// The place of the file that goes into the file system next.
  private var next = 0

  mutating func add(_ results: [Result<Packer.Packed, BuildError>], at index: Int) {
    for (place, result) in results.enumerated() { ready[index + place] = result }
  }

  mutating func takeNext() -> Result<Packer.Packed, BuildError>? {
    guard let result = ready.removeValue(forKey: next) else { return nil }
    next += 1
    return result
  }
}

/// What one thread at a time has: the file system, and the failure that ends it.
struct PackingState: ~Copyable, Sendable {
  var fileSystem: FileSystem
  private(set) var failure: BuildError?

  init(fileSystem: consuming FileSystem) { self.fileSystem = fileSystem }

  /// Puts into the file system what is ready, in order; false when it has failed.
  mutating func take(from waiting: borrowing Mutex<Waiting>) -> Bool {
    while failure == nil, let result = waiting.withLock({ $0.takeNext() }) {
      do throws(BuildError) { try fileSystem.add(try result.get()) } catch { failure = error }
    }
    return failure == nil
  }
}

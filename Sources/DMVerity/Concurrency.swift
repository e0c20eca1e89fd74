internal import Dispatch
internal import Synchronization

/// Calls `work` once for every number below `count`, from several threads at a time, each with a worker of its own.
///
/// The first error stops the handing out of further numbers and is thrown once every thread has ended.
func concurrently<Worker: ~Copyable>(
  _ count: Int, threads: Int, make: @Sendable () throws(VerityError) -> Worker,
  work: @Sendable (inout Worker, Int) throws(VerityError) -> Void
) throws(VerityError) {
  let next = Atomic<Int>(0)
  let failure = Mutex<VerityError?>(nil)
  DispatchQueue.concurrentPerform(iterations: max(1, min(threads, count))) { _ in
    do throws(VerityError) {
      var worker = try make()
      while true {
        let number = next.add(1, ordering: .relaxed).oldValue
        guard number < count else { return }
        try work(&worker, number)
      }
    } catch {
      next.store(count, ordering: .relaxed)
      failure.withLock { if $0 == nil { $0 = error } }
    }
  }
  if let error = failure.withLock({ $0 }) { throw error }
}

/// Cuts a device's data blocks into pieces that fit a core's cache, and the pieces into rounds, after each of which
/// progress is reported.
///
/// A piece is a power-of-two number of blocks, so it covers whole leaves of the tree or lies within one.
struct Pieces {
  private let blockCount: UInt64
  private let blocksPerPiece: UInt64
  private let count: UInt64

  private static let byteCount = 256 << 10
  private static let perRound: UInt64 = 128

  init(_ parameters: VerityParameters) {
    blockCount = parameters.dataBlockCount
    // At least 16 blocks, so that a hash kernel with many lanes can fill them.
    blocksPerPiece = UInt64(max(Self.byteCount / parameters.dataBlockSize, 16))
    count = (blockCount - 1) / blocksPerPiece + 1
  }

  /// The pieces of each round.
  var rounds: some Sequence<Range<UInt64>> {
    let count = count
    return stride(from: 0, to: count, by: Int(Self.perRound)).lazy.map { $0..<min($0 + Self.perRound, count) }
  }

  /// The data blocks of a piece.
  func blocks(of piece: UInt64) -> Range<UInt64> {
    let first = piece * blocksPerPiece  // below `blockCount`
    return first..<min(first + blocksPerPiece, blockCount)
  }
}

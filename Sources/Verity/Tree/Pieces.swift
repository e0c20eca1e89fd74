internal import Base

/// Cuts a device's data blocks into pieces that fit a core's cache, and the pieces into rounds, after each of which
/// progress is reported.
///
/// A piece is a power-of-two number of blocks, so it covers whole leaves of the tree or lies within one.
struct Pieces {
  private let blockCount: UInt64
  private let blocksPerPiece: UInt64
  private let count: UInt64
  private let byteCount: UInt64

  /// The largest, and the smallest: every thread reads into memory of its own, and fresh memory is dear.
  private static let largest = 256 << 10
  private static let smallest = 64 << 10
  /// Less data than this is worked through by the calling thread: setting up the first other one takes as long as
  /// hashing a mebibyte.
  private static let smallestShared: UInt64 = 2 << 20
  /// Few rounds, because every thread begins one with fresh memory and waits for the others at its end.
  private static let perRound: UInt64 = 512
  /// How far reading from a disk runs ahead: 16 MiB.
  private static let piecesAhead: UInt64 = 64

  init(_ parameters: VerityParameters) {
    blockCount = parameters.dataBlockCount
    byteCount = parameters.dataByteCount
    let size = byteCount < Self.smallestShared ? Self.smallest : Self.largest
    // At least 16 blocks, so that a hash kernel with many lanes can fill them.
    blocksPerPiece = UInt64(max(size / parameters.dataBlockSize, 16))
    count = (blockCount - 1) / blocksPerPiece + 1
  }

  /// How many threads are worth their while.
  func threads(of all: Threads) -> Threads { byteCount < Self.smallestShared ? .one : all }

  /// The pieces of each round.
  var rounds: some Sequence<Range<UInt64>> {
    let count = count
    return stride(from: 0, to: count, by: Int(Self.perRound)).lazy.map { $0..<min($0 + Self.perRound, count) }
  }

  /// Has a later piece fetched. Several threads read a file in no order that the kernel would recognise, so it reads
  /// nothing ahead by itself.
  func fetch(after piece: UInt64, of data: borrowing some ByteSource & ~Copyable, blockSize: Int) {
    guard piece + Self.piecesAhead < count else { return }
    let later = blocks(of: piece + Self.piecesAhead)
    // Data blocks lie within the data, so neither product overflows.
    data.willRead(at: later.lowerBound * UInt64(blockSize), byteCount: UInt64(later.count) * UInt64(blockSize))
  }

  /// The data blocks of a round.
  func blocks(of round: Range<UInt64>) -> Range<UInt64> {
    blocks(of: round.lowerBound).lowerBound..<blocks(of: round.upperBound - 1).upperBound  // no round is empty
  }

  /// The data blocks of a piece.
  func blocks(of piece: UInt64) -> Range<UInt64> {
    let first = piece * blocksPerPiece  // below `blockCount`
    return first..<min(first + blocksPerPiece, blockCount)
  }
}

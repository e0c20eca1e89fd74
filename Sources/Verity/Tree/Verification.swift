public import Base
internal import Synchronization

/// What checking every block of a device found.
public struct VerificationReport: Sendable, Equatable {
  /// The bad blocks, at most ``faultLimit`` of them: root first, then the tree from the root down, then the data.
  public internal(set) var faults: [BlockFault] = []
  /// Bad blocks in all. Where a hash block is bad, what it should vouch for is not looked at.
  public internal(set) var faultCount: UInt64 = 0
  /// Data blocks that could not be checked because a hash block above them is bad.
  public internal(set) var unprovenBlocks: UInt64 = 0
  /// Data blocks whose digest was right.
  public internal(set) var provenBlocks: UInt64 = 0

  /// The most faults that are kept.
  public static let faultLimit = 64

  /// Whether every data block is proven.
  public var isSound: Bool { faultCount == 0 && unprovenBlocks == 0 }
}

/// One block that is not what the root hash says.
public struct BlockFault: Sendable, Equatable {
  /// The part of the image the block is in.
  public let area: Area
  /// For hash blocks: the level, counted from the leaves.
  public let level: Int?
  /// The block's index in the data, or in its level of the tree.
  public let block: UInt64
  /// Where it begins, in bytes from the beginning of its source.
  public let offset: UInt64
  /// The refusal.
  public let error: VerityError

  /// The parts of an image a block can be in.
  public enum Area: String, Sendable, Comparable {
    case root, tree, data

    /// In the order of a report: root, tree, data.
    public static func < (left: Area, right: Area) -> Bool { left.rank < right.rank }
    private var rank: Int { self == .root ? 0 : self == .tree ? 1 : 2 }
  }

  /// The fault an error stands for; nil when it is about something else than one block's content.
  init?(_ error: VerityError, in layout: VerityLayout) {
    self.error = error
    switch error {
    case .rootMismatch(let offset, _, _):
      let top = layout.geometry.levels.count - 1
      (area, level, block, self.offset) = (.root, top < 0 ? nil : top, 0, offset)
    case .treeMismatch(let level, let index, let offset, _, _), .spareNotZero(let level, let index, let offset):
      (area, self.level, block, self.offset) = (.tree, level, index, offset)
    case .dataMismatch(let index, let offset, _, _):
      (area, level, block, self.offset) = (.data, nil, index, offset)
    case .source, .sink, .hashing, .parameter, .noSuperblock, .superblock, .unsupported, .truncated, .trailingBytes,
      .errorCorrection, .dataSize, .gapNotZero, .rootHashAlgorithm, .blockOutOfRange, .memoryLimit, .blockCount,
      .cancelled:
      return nil
    }
  }

  fileprivate static func precedes(_ left: BlockFault, _ right: BlockFault) -> Bool {
    (left.area, right.level ?? 0, left.block) < (right.area, left.level ?? 0, right.block)
  }
}

extension VerityLayout {
  /// Checks every block of the device, from the root down, in bounded memory.
  ///
  /// Each thread keeps the proven path to where it reads, so data is only ever compared with digests that were
  /// checked up to the root in memory of its own.
  ///
  /// - Parameters:
  ///   - data: the source of the data blocks.
  ///   - hashes: the source of the tree; the same one when the tree is appended.
  ///   - threads: what reads and hashes.
  ///   - progress: told the bytes of data done and in all; returns false to stop.
  /// - Returns: what was found. Bad blocks are not errors here, so that all of them can be reported.
  /// - Throws: ``VerityError/source(_:)`` when something cannot be read, ``VerityError/cancelled``,
  ///   ``VerityError/rootHashAlgorithm(expected:found:)`` or ``VerityError/hashing(_:)``.
  public func verify(
    data: borrowing some ByteSource & Sendable & ~Copyable, hashes: borrowing some ByteSource & Sendable & ~Copyable,
    rootHash: Digest, threads: Threads, progress: (_ done: UInt64, _ total: UInt64) -> Bool = { _, _ in true }
  ) throws(VerityError) -> VerificationReport {
    try requireAlgorithm(of: rootHash)
    let pieces = Pieces(parameters)
    let findings = Mutex(Findings())
    for round in pieces.rounds {
      try WorkerPool<VerityError>(pieces.threads(of: threads)).run(round.count) { () throws(VerityError) in
        try PieceVerifier(layout: self, rootHash: rootHash)
      } work: { (worker: inout PieceVerifier, number) throws(VerityError) in
        let piece = round.lowerBound + UInt64(number)
        pieces.fetch(after: piece, of: data, blockSize: parameters.dataBlockSize)
        let blocks = pieces.blocks(of: piece)
        let partial = try worker.verify(blocks, data: data, hashes: hashes)
        findings.withLock { $0.add(partial) }
        return true
      }
      guard progress(dataOffset(pieces.blocks(of: round).upperBound), parameters.dataByteCount) else {
        throw .cancelled
      }
    }
    return findings.withLock { $0.report() }
  }
}

/// Checks pieces of the data, on one thread.
private struct PieceVerifier: ~Copyable {
  let layout: VerityLayout
  var cursor: PathCursor
  var buffer: [UInt8] = []
  var digests: [UInt8] = []

  init(layout: VerityLayout, rootHash: Digest) throws(VerityError) {
    self.layout = layout
    cursor = try PathCursor(layout: layout, rootHash: rootHash)
  }

  mutating func verify(
    _ blocks: Range<UInt64>, data: borrowing some ByteSource & ~Copyable, hashes: borrowing some ByteSource & ~Copyable
  ) throws(VerityError) -> Findings {
    var findings = Findings()
    let fanout = UInt64(layout.geometry.fanout)
    var first = blocks.lowerBound
    var isRead = false
    while first < blocks.upperBound {
      let run = first..<min((first / fanout + 1) * fanout, blocks.upperBound)
      first = run.upperBound
      let expected: ArraySlice<UInt8>
      do throws(VerityError) {
        expected = try cursor.expectedDigests(of: run, hashes: hashes)
      } catch {
        guard let fault = BlockFault(error, in: layout) else { throw error }
        findings.faults.append(fault)
        findings.unproven += UInt64(run.count)
        continue
      }
      // Nothing is read where nothing can be proven.
      if !isRead { try read(blocks, data: data) }
      isRead = true
      try compare(run, of: blocks, with: expected, into: &findings)
    }
    return findings
  }

  private mutating func read(
    _ blocks: Range<UInt64>, data: borrowing some ByteSource & ~Copyable
  ) throws(VerityError) {
    let blockSize = layout.parameters.dataBlockSize
    try data.fill(&buffer, count: blocks.count * blockSize, at: layout.dataOffset(blocks.lowerBound))
    let bytes = buffer
    digests = try cursor.hasher.digests(of: bytes.rawSpan, blockSize: blockSize)
  }

  private func compare(
    _ run: Range<UInt64>, of blocks: Range<UInt64>, with expected: ArraySlice<UInt8>, into findings: inout Findings
  ) throws(VerityError) {
    let algorithm = layout.parameters.algorithm
    let size = algorithm.digestSize
    let start = Int(run.lowerBound - blocks.lowerBound) * size
    let found = digests[start..<start + run.count * size]
    if unsafe expected.span.bytes.hasSameBytes(as: found.span.bytes) {
      findings.proven += UInt64(run.count)
      return
    }
    for (number, index) in run.enumerated() {
      let want = expected.dropFirst(number * size).prefix(size)
      let have = found.dropFirst(number * size).prefix(size)
      if want == have {
        findings.proven += 1
      } else if let want = Digest(algorithm, bytes: Array(want)), let have = Digest(algorithm, bytes: Array(have)),
        let fault = BlockFault(layout.dataFault(index, expected: want, found: have), in: layout)
      {
        findings.faults.append(fault)
      }
    }
  }
}

/// What the threads have found so far.
private struct Findings {
  var faults: [BlockFault] = []
  var faultCount: UInt64 = 0
  var unproven: UInt64 = 0
  var proven: UInt64 = 0
  // Every thread that comes by a bad hash block finds it anew; it counts once.
  var badNodes: Set<UInt64> = []

  mutating func add(_ other: Findings) {
    unproven += other.unproven
    proven += other.proven
    for fault in other.faults {
      if fault.area != .data, !badNodes.insert(fault.offset).inserted { continue }
      faultCount += 1
      faults.append(fault)
    }
    // Keeps the first ones without sorting at every step.
    if faults.count > 16 * VerificationReport.faultLimit { trim() }
  }

  mutating func trim() {
    faults.sort(by: BlockFault.precedes)
    faults = Array(faults.prefix(VerificationReport.faultLimit))
  }

  mutating func report() -> VerificationReport {
    trim()
    var report = VerificationReport()
    report.faults = faults
    report.faultCount = faultCount
    report.unprovenBlocks = unproven
    report.provenBlocks = proven
    return report
  }
}

internal import Base

/// Parity for error correction (FEC) behind a hash tree, as `veritysetup format --fec-device` writes it.
///
/// Nothing in an image says that parity is there, so it is known by its bytes. The code is Reed-Solomon RS(255, 255 - roots) over
/// GF(256) with the polynomial 0x11d and the first root 1 (lib/verity/verity_fec.c in cryptsetup,
/// drivers/md/dm-verity-fec.c in Linux). Protected are the blocks of data, the tree without the superblock's block, and what lies between
/// tree and parity. They are dealt out to `rounds` groups of 255 - roots blocks each: those of group `n` are `n`, `n + rounds`,
/// `n + 2 * rounds` and so on, with zeros behind the last. Byte `b` of each makes one code word, whose parity of `roots` bytes is the
/// `b`th of its group.
struct ErrorCorrection: Equatable {
  /// Bytes of parity for each code word.
  let roots: Int
  /// Where the parity begins, in bytes.
  let offset: UInt64

  /// What `veritysetup` and the kernel take (`FEC_MIN_ROOTS` and so on in both).
  private static let possibleRoots = 2...24
  private static let wordSize = 255

  /// The parity that fills a source from the tree to its end, with nothing but zeros between the two; nil when something else
  /// does.
  ///
  /// Only the first group is worked out, which tells parity from other bytes. That the others are right is not said.
  static func find(
    behind layout: VerityLayout, in source: borrowing some ByteSource & ~Copyable
  ) throws(VerityError) -> ErrorCorrection? {
    let blockSize = UInt64(layout.parameters.dataBlockSize)
    guard layout.parameters.hashBlockSize == layout.parameters.dataBlockSize, source.byteCount > layout.treeEnd,
      (source.byteCount - layout.treeEnd).isMultiple(of: blockSize)
    else { return nil }
    let excess = (source.byteCount - layout.treeEnd) / blockSize
    for roots in possibleRoots {
      guard let found = Stream(layout, roots: UInt64(roots), excess: excess),
        try found.begins(layout, in: source), try source.isZero(layout.treeEnd..<found.parityOffset(layout))
      else { continue }
      return ErrorCorrection(roots: roots, offset: found.parityOffset(layout))
    }
    return nil
  }

  /// The protected blocks, in their order, and the groups that they are dealt out to.
  private struct Stream {
    let roots: UInt64
    /// Blocks between tree and parity.
    let gap: UInt64
    let rounds: UInt64
    let blockCount: UInt64

    /// - Parameter excess: blocks behind the tree.
    /// - Returns: nil when no parity of so many roots ends where the source does.
    init?(_ layout: VerityLayout, roots: UInt64, excess: UInt64) {
      // Each of these is a number of blocks of a source with less than 2^63 bytes.
      let protected = layout.parameters.dataBlockCount + layout.geometry.blockCount
      let groupSize = UInt64(ErrorCorrection.wordSize) - roots
      func rounds(_ gap: UInt64) -> UInt64 { (protected + gap + groupSize - 1) / groupSize }
      // Gap and parity together grow with the gap, so there is one gap at most.
      var (low, high) = (UInt64(0), excess)
      while low < high {
        let middle = low + (high - low) / 2
        if middle + rounds(middle) * roots < excess { low = middle + 1 } else { high = middle }
      }
      guard low + rounds(low) * roots == excess else { return nil }
      self.roots = roots
      gap = low
      self.rounds = rounds(low)
      blockCount = protected + low
    }

    func parityOffset(_ layout: VerityLayout) -> UInt64 {
      layout.treeEnd + gap * UInt64(layout.parameters.dataBlockSize)
    }

    /// Whether the first group's parity is where it would be. One that is all zeros says nothing.
    func begins(
      _ layout: VerityLayout, in source: borrowing some ByteSource & ~Copyable
    ) throws(VerityError) -> Bool {
      let blockSize = layout.parameters.dataBlockSize
      var blocks: [[UInt8]] = []
      for number in 0..<UInt64(ErrorCorrection.wordSize) - roots {
        let index = number * rounds
        guard index < blockCount else { break }
        let data = layout.parameters.dataBlockCount
        let offset = index < data ? layout.dataOffset(index) : layout.treeOffset + (index - data) * UInt64(blockSize)
        blocks.append(try source.readBytes(at: offset, count: blockSize))
      }
      let count = Int(roots)
      let parity = try source.readBytes(at: parityOffset(layout), count: blockSize * count)
      let code = ParityCode(roots: count)
      var isTelling = false
      for byte in 0..<blockSize {
        let expected = code.parity(of: blocks, at: byte, wordSize: ErrorCorrection.wordSize - count)
        guard expected.elementsEqual(parity[byte * count..<(byte + 1) * count]) else { return false }
        isTelling = isTelling || expected.contains { $0 != 0 }
      }
      return isTelling
    }
  }
}

/// The code's arithmetic: what is left when a word is divided by the polynomial whose roots are the first powers of 2.
private struct ParityCode {
  /// For each coefficient of the polynomial but the highest, from the highest down, its product with every number.
  private let products: [[UInt8]]

  init(roots: Int) {
    // The coefficients, from the lowest up.
    var polynomial: [UInt8] = [1]
    var root: UInt8 = 1
    for _ in 0..<roots {
      var next = [0] + polynomial
      for (place, coefficient) in polynomial.enumerated() { next[place] ^= Self.product(coefficient, root) }
      polynomial = next
      root = Self.product(root, 2)
    }
    products = polynomial.dropLast().reversed().map { coefficient in
      (0...UInt8.max).map { Self.product(coefficient, $0) }
    }
  }

  /// In GF(256) with x^8 + x^4 + x^3 + x^2 + 1.
  private static func product(_ left: UInt8, _ right: UInt8) -> UInt8 {
    var (sum, factor, rest) = (UInt8(0), left, right)
    while rest != 0 {
      if rest & 1 == 1 { sum ^= factor }
      factor = factor << 1 ^ (factor & 0x80 == 0 ? 0 : 0x1d)
      rest >>= 1
    }
    return sum
  }

  /// - Parameter wordSize: bytes that the word has without its parity; blocks that are missing are zeros.
  func parity(of blocks: [[UInt8]], at byte: Int, wordSize: Int) -> [UInt8] {
    var remainder = [UInt8](repeating: 0, count: products.count)
    for number in 0..<wordSize {
      let next = number < blocks.count ? blocks[number][byte] : 0
      let feedback = Int(next ^ remainder[0])
      for place in 0..<products.count {
        let shifted = place + 1 < products.count ? remainder[place + 1] : 0
        remainder[place] = shifted ^ products[place][feedback]
      }
    }
    return remainder
  }
}

extension ByteSource where Self: ~Copyable {
  /// Whether there are nothing but zeros.
  fileprivate func isZero(_ range: Range<UInt64>) throws(VerityError) -> Bool {
    var start = range.lowerBound
    while start < range.upperBound {
      let count = Int(min(range.upperBound - start, 1 << 16))
      let bytes = try readBytes(at: start, count: count)
      guard bytes.rawSpan.firstNonzeroOffset == nil else { return false }
      start += UInt64(count)
    }
    return true
  }
}

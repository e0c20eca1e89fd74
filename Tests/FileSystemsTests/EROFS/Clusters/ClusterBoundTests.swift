import Base
import FileSystems
import Linux
import TestSupport
import Testing
import Verity

/// What a hostile builder would try with compressed files: work, memory and chains without end.
@Suite struct ClusterBoundTests {
  /// An image with a changed file, and the refusal when that is read.
  private func refusal(
    _ fixture: String, of path: String = "repeated", limit: Int = 1 << 30,
    _ change: (inout [UInt8], _ inode: Int, _ header: Int) throws -> Void
  ) throws -> FileSystemError? {
    var bytes = try ErofsFixture.named(fixture).image()
    let inode = Int(try open512(bytes).lookup(path).offset)
    // The header follows the inode, which has no attributes.
    let header = inode + (bytes[inode] & 1 == 1 ? 64 : 32)
    try change(&bytes, inode, header)
    bytes.resumErofs()
    let meter = MeteredDecompressor()
    let image = try open512(bytes, decompressor: meter)
    do throws(FileSystemError) {
      let file = try image.readFile(try image.lookup(path), limit: limit)
      #expect(meter.made <= file.count + 24 << 20)
      return nil
    } catch {
      return error
    }
  }

  /// A mebibyte that says it is 64 GiB: the size is refused before anything is decompressed.
  @Test func aBombIsRefusedByItsSize() throws {
    let error = try refusal("lz4hc-full-index") { bytes, inode, _ in
      bytes.storeLittleEndian(UInt64(64) << 30, at: inode + 8)
    }
    #expect(error?.check == .limit)
  }

  /// Below the limit of a file, a cluster is refused that would make more than 12 MiB.
  @Test func aClusterMakesAtMostTwelveMebibytes() throws {
    for (mebibytes, isRead) in [(12, true), (13, false)] {
      let image = try indexed(size: mebibytes << 20) { entry in
        entry == 0 ? (0x8001, 1) : (2, entry == 1 ? 1 << 11 | 1 : UInt32(min(entry, 2047)))
      }
      let error = try image.refusal()
      #expect((error == nil) == isRead, "\(String(describing: error))")
      if !isRead { #expect(error?.expected.contains("12582912") == true) }
    }
  }

  /// A chain back to a head that is farther away than a cluster can be.
  @Test func aHeadIsNotFartherAwayThanAClusterIsLarge() throws {
    let image = try indexed(size: 20 << 20) { entry in entry == 0 ? (0x8001, 1) : (2, 1) }
    let end = UInt64(20 << 20)
    let error = try image.refusal(in: end - 1..<end)
    #expect(error?.check == .inode && error?.expected.contains("distance") == true)
  }

  /// What is stored for a file that is no part of anything is no more than what it makes.
  @Test func noMoreIsStoredThanComesOut() throws {
    for (advice, isRead) in [(UInt16(0x8001), true), (1, false)] {
      let image = try indexed(size: 8192) { entry in entry == 0 ? (advice, 1) : (2, 1 << 11 | 16) }
      #expect((try image.refusal() == nil) == isRead)
    }
  }

  /// An image, and the number of an inode.
  private struct Indexed {
    let bytes: [UInt8]
    let nid: UInt64

    /// Opens it. What its files hold decompresses to zeros.
    func open() throws -> AnyFileSystem<VerifiedDevice<ArraySource>> {
      try open512(bytes, decompressor: ZeroDecompressor())
    }

    /// Why the inode's contents, or a part of them, are refused; nil when they are read.
    func refusal(in range: Range<UInt64> = 0..<UInt64.max) throws -> FileSystemError? {
      let image = try open()
      let file = try image.inode(nid)
      do throws(FileSystemError) {
        _ = try image.readFile(file, in: range)
        return nil
      } catch {
        return error
      }
    }
  }

  /// An image with one more inode behind all others, whose full index is made here.
  ///
  /// - Parameter entry: for each logical cluster its advice and its block, or distance and number of blocks.
  private func indexed(
    size: Int, _ entry: (Int) -> (advice: UInt16, word: UInt32)
  ) throws -> Indexed {
    let block = 4096
    var bytes = try ErofsFixture.named("lz4hc-full-index").image()
    let inode = Int(try open512(bytes).lookup("repeated").offset)
    let place = bytes.count
    bytes += [UInt8](repeating: 1, count: 256 * block)
    bytes.storeLittleEndian(UInt32(bytes.count / block), at: 1024 + 36)
    bytes.replaceSubrange(place..<place + 72, with: bytes[inode..<inode + 72])
    bytes.storeLittleEndian(UInt64(size), at: place + 8)
    for number in 0..<(size + block - 1) / block {
      let offset = place + 64 + 16 + number * 8
      let (advice, word) = entry(number)
      bytes.storeLittleEndian(advice, at: offset)
      bytes.storeLittleEndian(UInt16(0), at: offset + 2)
      bytes.storeLittleEndian(word, at: offset + 4)
    }
    bytes.resumErofs()
    let metadata = Int(try bytes.rawSpan.u32(at: 1024 + 40)) * block
    return Indexed(bytes: bytes, nid: UInt64(place - metadata) / 32)
  }

  @Test(arguments: [0, 2, 40_000, 0x7ff] as [UInt16])
  func aDistanceThatLeadsNowhereIsRefused(distance: UInt16) throws {
    let error = try refusal("lz4hc-full-index") { bytes, _, header in
      // The first logical cluster is made a follower: nothing is before it.
      bytes[header + 16] = 2
      bytes.storeLittleEndian(distance, at: header + 20)
    }
    #expect(error?.check == .inode)
  }

  /// A chain of followers that point at each other: each step has to go back.
  @Test func aChainOfFollowersEnds() throws {
    let error = try refusal("lz4hc-full-index") { bytes, _, header in
      for entry in 0..<16 {
        bytes[header + 16 + entry * 8] = 2
        bytes.storeLittleEndian(UInt16(entry == 0 ? 0 : 1), at: header + 20 + entry * 8)
      }
    }
    #expect(error?.check == .inode)
  }

  @Test(arguments: [0, 257, 0x7ff] as [UInt16])
  func aNumberOfBlocksThatCannotBeIsRefused(count: UInt16) throws {
    let error = try refusal("lz4hc-full-index") { bytes, _, header in
      bytes[header + 24] = 2
      bytes.storeLittleEndian(count | 1 << 11, at: header + 28)
    }
    #expect(error?.check == .inode)
  }

  @Test func aClusterBeyondTheEndIsRefused() throws {
    let error = try refusal("lz4hc-full-index") { bytes, _, header in
      bytes.storeLittleEndian(UInt32.max, at: header + 20)
    }
    #expect(error?.check == .range)
  }

  /// Clusters may overlap: deduplication makes such. What each says is read, and nothing else.
  @Test func overlappingClustersAreReadByThemselves() throws {
    let error = try refusal("lz4hc-full-index", of: "text") { bytes, _, header in
      let block = try bytes.rawSpan.u32(at: header + 20)
      bytes.storeLittleEndian(block + 1, at: header + 20)
    }
    #expect(error == nil || error?.check == .cluster || error?.check == .range)
  }

  /// The packed inode's own contents in the packed inode.
  @Test func aFragmentThatPointsAtItselfIsRefused() throws {
    let error = try refusal("zstd-all-fragments", of: "text") { bytes, _, _ in
      let packed = try bytes.rawSpan.u64(at: 1024 + 96)
      let meta = try UInt64(bytes.rawSpan.u32(at: 1024 + 40)) * 4096
      let inode = Int(meta + packed * 32)
      let header = inode + (bytes[inode] & 1 == 1 ? 64 : 32)
      bytes.storeLittleEndian(UInt64(1) << 63, at: header)
    }
    #expect(error?.check == .inode && error?.expected.contains("packed") == true)
  }

  @Test func aFragmentBeyondThePackedInodeIsRefused() throws {
    let error = try refusal("zstd-all-fragments", of: "text") { bytes, _, header in
      bytes.storeLittleEndian(UInt64(1) << 63 | 1 << 62, at: header)
    }
    #expect(error?.check == .range)
  }

  @Test func aFragmentWithoutTheFeatureIsRefused() throws {
    let error = try refusal("zstd-all-fragments", of: "text") { bytes, _, _ in bytes[1104] &= ~0x20 }
    #expect(error?.check == .inode)
  }

  /// Each follows from a bit that later formats may give a meaning.
  @Test(arguments: [(4, 0x40), (5, 0x80), (4, 0x01), (7, 0x10)] as [(Int, UInt8)])
  func whatTheHeaderMayGetLaterIsNotSupported(place: Int, bits: UInt8) throws {
    let error = try refusal("lz4hc-full-index") { bytes, _, header in bytes[header + place] |= bits }
    #expect(error?.check == .feature)
  }

  @Test func aCompressionThatTheSuperblockDoesNotNameIsRefused() throws {
    let error = try refusal("lz4hc-full-index") { bytes, _, header in bytes[header + 6] = 3 }
    #expect(error?.check == .inode)
    let unknown = try refusal("lz4hc-full-index") { bytes, _, header in bytes[header + 6] = 9 }
    #expect(unknown?.check == .feature)
  }

  @Test func largerClustersNeedTheFeature() throws {
    let error = try refusal("lz4") { bytes, _, header in bytes[header + 4] |= 0x06 }
    #expect(error?.check == .inode)
    let oneKind = try refusal("lz4hc-big") { bytes, _, header in bytes[header + 4] &= ~0x04 }
    #expect(oneKind?.check == .inode)
  }

  @Test func zerosInPlaceOfAClusterAreDamage() throws {
    for fixture in ["lz4", "lzma", "deflate", "zstd"] {
      var bytes = try ErofsFixture.named(fixture).image()
      let image = try open512(bytes)
      let place = try #require(try image.storedPlace(of: try image.lookup("text")))
      for index in place { bytes[Int(index)] = 0 }
      let changed = try open512(bytes)
      let error = #expect(throws: FileSystemError.self) {
        try changed.readFile(try changed.lookup("text"), limit: 1 << 20)
      }
      #expect(error?.check == .cluster && error?.diagnostic.category == .integrity)
    }
  }

  /// Many pieces of large clusters: what is read for a file is bounded by its size.
  @Test func piecesOfLargeClustersAreBounded() throws {
    // Heads in a row, each a part of a cluster of nearly the whole image.
    let image = try indexed(size: 400 * 4096) { entry in
      entry.isMultiple(of: 2) ? (0x8001, UInt32(entry % 16)) : (2, 1 << 11 | 240)
    }
    let error = try image.refusal()
    #expect(error?.check == .limit)
    #expect(error?.expected.contains("compressed bytes") == true)
  }
}

/// Makes zeros of anything.
struct ZeroDecompressor: BlockDecompressor {
  func decompress(
    _ block: borrowing RawSpan, _ compression: BlockCompression, count: Int, isPart: Bool
  ) throws(BlockDecompressionError) -> [UInt8] { [UInt8](repeating: 0, count: count) }

  func decompress(
    whole block: borrowing RawSpan, _ compression: BlockCompression, limit: Int
  ) throws(BlockDecompressionError) -> [UInt8] { [UInt8](repeating: 0, count: limit) }
}

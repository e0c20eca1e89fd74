import Base
import FileSystems
import Linux
import TestSupport
import Testing
import Verity

/// Changed images of each compressed kind, each under a fresh hash tree: 200 of every layout.
@Suite struct ClusterMutationTests {
  private static let limits = FileSystemLimits(entries: 5000, depth: 16, directoryBytes: 1 << 20, fileBytes: 1 << 20)

  /// Whatever is read of an image, or the refusal; and how many bytes came out of the libraries for it.
  private static func readAll(_ bytes: [UInt8]) throws -> (Result<[String: [UInt8]], FileSystemError>, made: Int) {
    let meter = MeteredDecompressor()
    do throws(FileSystemError) {
      let image: AnyFileSystem<VerifiedDevice<ArraySource>>
      do {
        image = try open512(bytes, limits: limits, decompressor: meter)
      } catch let error as FileSystemError {
        throw error
      } catch {
        Issue.record("no hash tree: \(error)")
        return (.success([:]), 0)
      }
      var contents: [String: [UInt8]] = [:]
      try image.walk { entry throws(FileSystemError) in
        guard entry.inode.kind == .regular else { return }
        let before = meter.made
        let file = try image.readFile(entry.inode, limit: 1 << 20)
        contents[entry.path] = file
        // The clusters of a file are no more than the file, but for the last one's fragment.
        #expect(meter.made - before <= file.count + 24 << 20, "\(entry.path): \(meter.made - before) bytes made")
      }
      return (.success(contents), meter.made)
    } catch {
      return (.failure(error), meter.made)
    }
  }

  /// The bytes worth changing: superblock, inodes with what follows them (headers, indexes, inline tails), some clusters.
  private static func places(_ bytes: [UInt8]) throws -> [Int] {
    let image = try open512(bytes)
    var places = Array(1024..<1152)
    for path in ["", "mixed", "repeated", "numbers", "numbers-behind-text", "text", "zeros", "d"] {
      let inode = try image.lookup(path)
      places += Int(inode.offset)..<Int(inode.offset) + 110
      if let place = try image.storedPlace(of: inode) { places += Int(place.lowerBound)..<Int(place.lowerBound) + 8 }
    }
    return places.filter { $0 < bytes.count }
  }

  @Test(arguments: ErofsFixture.all)
  func changedImagesEndInAResultOrARefusal(fixture: ErofsFixture) throws {
    let bytes = try fixture.image()
    let places = try Self.places(bytes)
    let fsck = ErofsUtils.newest?.tool("fsck.erofs")
    let directory = try TemporaryDirectory()
    var generator = SplitMix(state: fixture.name.utf8.reduce(1) { $0 &* 31 &+ UInt64($1) })
    var (refused, unsupported, compared) = (0, 0, 0)
    for round in 0..<200 {
      var changed = bytes
      for _ in 0..<Int.random(in: 1...3, using: &generator) {
        guard let place = places.randomElement(using: &generator) else { continue }
        switch Int.random(in: 0..<3, using: &generator) {
        case 0: changed[place] ^= 1 << UInt8.random(in: 0..<8, using: &generator)
        case 1: changed[place] = UInt8.random(in: .min ... .max, using: &generator)
        default: changed[place] = [0, 1, 0x7f, 0x80, 0xff].randomElement(using: &generator) ?? 0
        }
      }
      changed.resumErofs()
      switch try Self.readAll(changed).0 {
      case .failure(let error):
        refused += 1
        if error.isUnsupported { unsupported += 1 }
        #expect(error.check != .block && error.check != .missingLibrary, "round \(round): \(error)")
      case .success(let contents):
        // A fifth of them also against the newest erofs-utils there is: where both read the image, both read the same.
        guard round % 5 == 0, let fsck else { continue }
        let target = directory.file("extracted-\(round)")
        let path = try directory.write("image", changed)
        guard try Subprocess.run([fsck, "--extract=\(target)", path]).status == 0 else { continue }
        compared += 1
        for (path, bytes) in contents {
          guard let status = try? FileStatus.of(path: "\(target)/\(path)", followLinks: false), status.kind == .regular
          else { continue }
          #expect(try FileSystemsTests.readAll("\(target)/\(path)") == bytes, "round \(round): \(path)")
        }
      }
    }
    #expect(refused > 40 && unsupported < refused, "\(refused) refused, \(unsupported) of them not supported")
    // The newest reads no LZ4 without padding once anything is changed.
    if fsck != nil, fixture.name != "lz4-before-5.3" { #expect(compared > 0) }
  }
}

/// Decompresses by the libraries, and adds up what comes out.
final class MeteredDecompressor: BlockDecompressor, @unchecked Sendable {
  private(set) var made = 0

  func decompress(
    _ block: borrowing RawSpan, _ compression: BlockCompression, count: Int, isPart: Bool
  ) throws(BlockDecompressionError) -> [UInt8] {
    made += count
    #expect(count <= 12 << 20 && block.byteCount <= 1 << 20)
    let bytes = try LibraryBlockDecompressor().decompress(block, compression, count: count, isPart: isPart)
    #expect(bytes.count == count)
    return bytes
  }

  func decompress(
    whole block: borrowing RawSpan, _ compression: BlockCompression, limit: Int
  ) throws(BlockDecompressionError) -> [UInt8] {
    #expect(limit <= 1 << 20 && block.byteCount <= 1 << 20)
    let bytes = try LibraryBlockDecompressor().decompress(whole: block, compression, limit: limit)
    made += bytes.count
    return bytes
  }
}

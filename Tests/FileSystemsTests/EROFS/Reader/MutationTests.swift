import Base
import Verity
import FileSystems
import Linux
import TestSupport
import Testing

/// Hundreds of changed images, each under a fresh hash tree, so that the parser really meets the changed bytes.
@Suite struct MutationTests {
  /// Whatever is read of an image: paths, kinds, contents, or the refusal.
  static func readAll(_ bytes: [UInt8]) -> Result<[String: [UInt8]], FileSystemError> {
    let limits = FileSystemLimits(entries: 5000, depth: 16, directoryBytes: 1 << 20, fileBytes: 1 << 20)
    do throws(FileSystemError) {
      let device: VerifiedDevice<ArraySource>
      do {
        device = try MemoryImage.build(data: bytes, salt: [7]).device()
      } catch {
        Issue.record("no hash tree: \(error)")
        return .success([:])
      }
      let image = try ErofsImage(device, limits: limits)
      var contents: [String: [UInt8]] = [:]
      try image.walk { entry throws(FileSystemError) in
        switch entry.inode.kind {
        case .regular: contents[entry.path] = try image.readFile(entry.inode, limit: 1 << 20)
        case .symbolicLink: contents[entry.path] = try image.linkTarget(entry.inode)
        default: contents[entry.path] = []
        }
      }
      return .success(contents)
    } catch {
      return .failure(error)
    }
  }

  /// The bytes worth changing: superblock, inodes and directories.
  static func metadata(_ bytes: [UInt8]) throws -> [Int] {
    let image = try open(bytes)
    var places = Array(1024..<1152)
    try image.walk { entry throws(FileSystemError) in
      let inode = Int(entry.inode.offset)
      places += inode..<inode + 64
      guard entry.inode.kind != .regular else { return }
      guard let extents = try image.extents(of: entry.inode) else { return }
      for extent in extents {
        guard let offset = extent.imageOffset else { continue }
        places += Int(offset)..<Int(offset + min(extent.count, 400))
      }
    }
    return places.filter { $0 < bytes.count }
  }

  @Test(
    arguments: [
      ([], 1), (["-Eforce-inode-extended,noinline_data"], 2), (["--chunksize=4096", "-Eforce-chunk-indexes"], 3),
    ] as [([String], UInt64)])
  func changedImagesEndInAResultOrARefusal(options: [String], seed: UInt64) throws {
    let tree = try SourceTree.small()
    let bytes = try tree.image(options)
    let places = try Self.metadata(bytes)
    var generator = SplitMix(state: seed)
    var refused = 0
    var compared = 0
    for round in 0..<160 {
      var changed = bytes.damaged(at: places, using: &generator)
      changed.resumErofs()
      switch Self.readAll(changed) {
      case .failure(let error):
        refused += 1
        #expect(error.check != .block && !error.diagnostic.message.isEmpty, "round \(round): \(error)")
      case .success(let contents):
        // A third of them also against erofs-utils: where both read the image, both read the same.
        guard round % 3 == 0 else { continue }
        let target = "\(tree.directory)/extracted-\(round)"
        let result = try tree.ask(["fsck.erofs", "--extract=\(target)"], about: changed)
        guard result.status == 0 else { continue }
        compared += 1
        for (path, bytes) in contents {
          guard let status = try? FileStatus.of(path: "\(target)/\(path)", followLinks: false), status.kind == .regular
          else { continue }
          #expect(try FileSystemsTests.readAll("\(target)/\(path)") == bytes, "round \(round): \(path)")
        }
      }
    }
    #expect(refused > 30 && compared > 5, "\(refused) refused, \(compared) compared")
  }

  @Test func cutImagesAreRefused() throws {
    let bytes = try SourceTree.small().image()
    for blocks in 1..<bytes.count / 4096 {
      guard case .failure(let error) = Self.readAll(Array(bytes[..<(blocks * 4096)])) else {
        Issue.record("an image cut to \(blocks) blocks was read")
        continue
      }
      #expect(error.check == .deviceSize)
    }
  }

  /// The device may go on behind the file system, and what is there is no part of it.
  @Test func devicesMayBeLarger() throws {
    let bytes = try SourceTree.small().image()
    let padded = bytes + [UInt8](repeating: 0xa5, count: 3 * 4096)
    guard case .success(let alone) = Self.readAll(bytes), case .success(let within) = Self.readAll(padded) else {
      Issue.record("an image on a larger device was not read")
      return
    }
    #expect(alone == within)
  }
}

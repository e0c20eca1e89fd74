import Base
import FileSystems
import Verity

/// A file system as the builder of an image can write it: the hash tree is made for the very bytes, so that they reach the
/// reader and not only the check of their hashes.
///
/// An input is an EROFS or ext4 image without its boot area, which is 1024 zeros, or one of squashfs. The superblock's
/// checksum and number of blocks are made right, because no input would get behind them otherwise; zeros at the end of an
/// ext4 are left out of the input.
enum FileSystemTarget {
  private typealias Image = AnyFileSystem<VerifiedDevice<ArraySource>>

  private static let limits = FileSystemLimits(
    entries: 4096, depth: 16, pathBytes: 4095, listingBytes: 1 << 18, directoryBytes: 1 << 18, fileBytes: 1 << 20)
  /// Bytes of files that are read in all: a file of holes has more bytes than its image.
  private static let readLimit = 4 << 20
  /// Names that are looked up one by one.
  private static let lookupLimit = 40

  static func check(_ bytes: [UInt8]) throws(BrokenPromise) -> Bool {
    let (image, blockSize) = image(of: bytes)
    let built = try keep("a hash tree can be built for any bytes") { () throws(VerityError) in
      try MemoryImage.build(data: image, dataBlockSize: blockSize, salt: [7])
    }
    return try accepts {
      do {
        let device = try built.device()
        try examine(AnyFileSystem(device, limits: limits, decompressor: CheckedDecompressor()))
      } catch let error as FileSystemError {
        try require(error.check != .block, "blocks of a tree that was just built hold: \(error)")
        throw error
      }
    }
  }

  /// The image, and the size of its blocks.
  static func image(of bytes: [UInt8]) -> ([UInt8], blockSize: Int) {
    if bytes.starts(with: Array("hsqs".utf8)) { return (squashfs(bytes), 512) }
    if bytes.count > 1024, bytes[56] == 0x53, bytes[57] == 0xef, bytes[3] != 0xe0 { return (ext4(bytes), 1024) }
    var image = [UInt8](repeating: 0, count: 1024) + bytes
    let bits = image.count > 1036 ? Int(image[1036]) : 12
    let blockSize = (9...16).contains(bits) ? 1 << bits : 4096
    image += [UInt8](repeating: 0, count: (blockSize - image.count % blockSize) % blockSize)
    let summed = 1024..<1024 + ErofsSuperblock.checksummedCount(blockSize: blockSize)
    guard image.count >= summed.upperBound else { return (image, blockSize) }
    image.storeLittleEndian(UInt32(truncatingIfNeeded: image.count / blockSize), at: 1024 + 36)
    let sum = ErofsSuperblock.checksum(of: Array(image[summed]))
    image.storeLittleEndian(sum, at: 1024 + ErofsSuperblock.checksumOffset)
    return (image, blockSize)
  }

  private static func squashfs(_ bytes: [UInt8]) -> [UInt8] {
    guard bytes.count >= 96 else { return bytes }
    var image = bytes
    image.storeLittleEndian(UInt64(bytes.count), at: 40)
    return image
  }

  private static func ext4(_ bytes: [UInt8]) -> [UInt8] {
    var image = [UInt8](repeating: 0, count: 1024) + bytes
    // Blocks of 1 to 64 KiB.
    let blockSize = 1024 << Int(min(image[1024 + 24], 6))
    let count = 0..<4 ~= image[1024 + 7] ? Int(image[1024 + 4]) | Int(image[1024 + 5]) << 8 : 0
    image += [UInt8](repeating: 0, count: max(0, min(count * blockSize, 1 << 20) - image.count))
    image.storeLittleEndian(CRC32C.checksum(Array(image[1024..<1024 + 0x3fc])), at: 1024 + 0x3fc)
    return image
  }

  /// Asks everything that can be asked of a file system, and holds each answer against the others.
  private static func examine(_ image: borrowing Image) throws {
    var entries: [FileSystemEntry] = []
    try image.walk { entry throws(FileSystemError) in entries.append(entry) }
    try require(entries.count <= limits.entries, "a walk keeps to the limit of names")
    let paths = entries.map(\.path)
    try require(Set(paths.map { Array($0.utf8) }).count == paths.count, "each path is visited once")

    var named: [[UInt8]] = []
    try image.walkNames { place, _, _ throws(FileSystemError) in named.append(Array(place.text.utf8)) }
    let others = entries.filter { $0.inode.kind != .directory }
    try require(named == others.map { Array($0.path.utf8) }, "names alone are those of the walk")
    let files = try image.files()
    try require(files.map(\.path) == others.map(\.path).sortedBytewise(), "the list of files is that of the walk")

    for entry in entries.prefix(lookupLimit) {
      try require(try image.lookup(entry.path) == entry.inode, "`\(entry.path)` is found where the walk has it")
    }
    try require((try? image.lookup("no/such/file")) == nil, "what is not there is not found")
    if let last = others.last {
      let first = try image.firstPath(of: last.inode.nid)
      let names = others.filter { $0.inode.nid == last.inode.nid }.map(\.path)
      try require(first == names.sortedBytewise().first, "the first name of an inode is the first of all")
    }
    try readAll(others, in: image)
  }

  private static func readAll(_ entries: [FileSystemEntry], in image: borrowing Image) throws {
    var left = readLimit
    for entry in entries {
      let inode = entry.inode
      switch inode.kind {
      case .regular:
        // What keeps a file from being read is said without reading it.
        if let obstacle = try image.obstacle(to: inode) {
          try require(obstacle.isUnsupported, "an obstacle is no damage: \(obstacle)")
          continue
        }
        if let place = (try? image.storedPlace(of: inode)) ?? nil {
          try require(place.upperBound <= image.byteCount, "contents are in the image")
        }
        if let same = try? image.inode(numbered: inode.number) {
          try require(same.number == inode.number, "an inode is found by its number")
        }
        guard inode.size <= UInt64(left) else { continue }
        let contents = try image.readFile(inode, limit: left)
        try require(UInt64(contents.count) == inode.size, "`\(entry.path)` has the bytes that its inode says")
        left -= contents.count
        let middle = inode.size / 3
        let parts = try image.readFile(inode, in: 0..<middle) + image.readFile(inode, in: middle..<inode.size)
        try require(parts == contents, "`\(entry.path)` in parts is the whole")
        try require(
          try image.readPrefix(of: inode, count: 100) == Array(contents.prefix(100)), "a prefix is the beginning")
        let beyond = try image.readFile(inode, in: inode.size..<inode.size + 10)
        try require(beyond.isEmpty, "there is nothing behind the end")
      case .symbolicLink:
        let target = try image.linkTarget(inode)
        try require(UInt64(target.count) == inode.size, "a link's target is as long as its inode says")
      case .directory, .characterDevice, .blockDevice, .fifo, .socket:
        try require((try? image.readFile(inode, limit: 1)) == nil, "only files are read as files")
      }
    }
  }
}

/// Decompresses by the libraries, and holds what is asked of them to the bounds of docs/formats.md.
private struct CheckedDecompressor: BlockDecompressor {
  func decompress(
    _ block: borrowing RawSpan, _ compression: BlockCompression, count: Int, isPart: Bool
  ) throws(BlockDecompressionError) -> [UInt8] {
    precondition(1...12 << 20 ~= count && 1...1 << 20 ~= block.byteCount, "a cluster keeps to its bounds")
    let bytes = try LibraryBlockDecompressor().decompress(block, compression, count: count, isPart: isPart)
    precondition(bytes.count == count, "a block makes what was asked for")
    return bytes
  }

  func decompress(
    whole block: borrowing RawSpan, _ compression: BlockCompression, limit: Int
  ) throws(BlockDecompressionError) -> [UInt8] {
    precondition(1...1 << 20 ~= limit && 1...1 << 20 ~= block.byteCount, "a block keeps to its bounds")
    let bytes = try LibraryBlockDecompressor().decompress(whole: block, compression, limit: limit)
    precondition(1...limit ~= bytes.count, "a block makes no more than it may")
    return bytes
  }
}

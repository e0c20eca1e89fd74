public import Base
public import Verity

/// The file system on a verified device, by whichever reader knows it.
public enum AnyFileSystem<Blocks: VerifiedBlocks & ~Copyable>: ~Copyable, VerifiedFileSystem {
  case erofs(ErofsImage<Blocks>)
  case squashfs(SquashfsImage<Blocks>)
  case ext4(Ext4Image<Blocks>)

  /// Opens the file system that the device holds.
  ///
  /// - Parameter decompressor: undoes what files are compressed by.
  public init(
    _ blocks: consuming Blocks, limits: FileSystemLimits = FileSystemLimits(),
    decompressor: any BlockDecompressor = LibraryBlockDecompressor()
  ) throws(FileSystemError) {
    // Read once: where none of the formats is known by it, the reader of EROFS says so.
    let head = try blocks.head(format: .erofs)
    switch FileSystemFormat(head: head.rawSpan) ?? .erofs {
    case .erofs: self = .erofs(try ErofsImage(blocks, head: head, limits: limits, decompressor: decompressor))
    case .squashfs: self = .squashfs(try SquashfsImage(blocks, limits: limits, decompressor: decompressor))
    case .ext4: self = .ext4(try Ext4Image(blocks, limits: limits))
    }
  }

  public var format: FileSystemFormat {
    switch self {
    case .erofs(let image): image.format
    case .squashfs(let image): image.format
    case .ext4(let image): image.format
    }
  }

  public var limits: FileSystemLimits {
    switch self {
    case .erofs(let image): image.limits
    case .squashfs(let image): image.limits
    case .ext4(let image): image.limits
    }
  }

  public var uuid: [UInt8]? {
    switch self {
    case .erofs(let image): image.uuid
    case .squashfs(let image): image.uuid
    case .ext4(let image): image.uuid
    }
  }

  public var byteCount: UInt64 {
    switch self {
    case .erofs(let image): image.byteCount
    case .squashfs(let image): image.byteCount
    case .ext4(let image): image.byteCount
    }
  }

  public var rootNid: UInt64 {
    switch self {
    case .erofs(let image): image.rootNid
    case .squashfs(let image): image.rootNid
    case .ext4(let image): image.rootNid
    }
  }

  /// Hands out the verified device below.
  public func withBlocks<Result>(_ body: (borrowing Blocks) -> Result) -> Result {
    switch self {
    case .erofs(let image): image.withBlocks(body)
    case .squashfs(let image): image.withBlocks(body)
    case .ext4(let image): image.withBlocks(body)
    }
  }

  public func inode(_ nid: UInt64) throws(FileSystemError) -> FileSystemInode {
    switch self {
    case .erofs(let image): try image.inode(nid)
    case .squashfs(let image): try image.inode(nid)
    case .ext4(let image): try image.inode(nid)
    }
  }

  public func inode(numbered number: UInt64) throws(FileSystemError) -> FileSystemInode {
    switch self {
    case .erofs(let image): try image.inode(numbered: number)
    case .squashfs(let image): try image.inode(numbered: number)
    case .ext4(let image): try image.inode(numbered: number)
    }
  }

  public func nextNames(_ progress: inout DirectoryProgress) throws(FileSystemError) -> [FileSystemName]? {
    switch self {
    case .erofs(let image): try image.nextNames(&progress)
    case .squashfs(let image): try image.nextNames(&progress)
    case .ext4(let image): try image.nextNames(&progress)
    }
  }

  public func find(_ wanted: [UInt8], in directory: FileSystemInode) throws(FileSystemError) -> FileSystemName? {
    switch self {
    case .erofs(let image): try image.find(wanted, in: directory)
    case .squashfs(let image): try image.find(wanted, in: directory)
    case .ext4(let image): try image.find(wanted, in: directory)
    }
  }

  public func contents(of inode: FileSystemInode, in range: Range<UInt64>) throws(FileSystemError) -> [UInt8] {
    switch self {
    case .erofs(let image): try image.contents(of: inode, in: range)
    case .squashfs(let image): try image.contents(of: inode, in: range)
    case .ext4(let image): try image.contents(of: inode, in: range)
    }
  }

  public func storedPlace(of inode: FileSystemInode) throws(FileSystemError) -> Range<UInt64>? {
    switch self {
    case .erofs(let image): try image.storedPlace(of: inode)
    case .squashfs(let image): try image.storedPlace(of: inode)
    case .ext4(let image): try image.storedPlace(of: inode)
    }
  }

  public var mayBeCompressed: Bool {
    switch self {
    case .erofs(let image): image.mayBeCompressed
    case .squashfs(let image): image.mayBeCompressed
    case .ext4(let image): image.mayBeCompressed
    }
  }

  public func obstacle(to inode: FileSystemInode) throws(FileSystemError) -> FileSystemError? {
    switch self {
    case .erofs(let image): try image.obstacle(to: inode)
    case .squashfs(let image): try image.obstacle(to: inode)
    case .ext4(let image): try image.obstacle(to: inode)
    }
  }

  public mutating func forgetBlocks() {
    switch consume self {
    case .erofs(var image):
      image.forgetBlocks()
      self = .erofs(image)
    case .squashfs(var image):
      image.forgetBlocks()
      self = .squashfs(image)
    case .ext4(var image):
      image.forgetBlocks()
      self = .ext4(image)
    }
  }

  public func proveAround(_ nids: [UInt64], limit: UInt64) {
    switch self {
    case .erofs(let image): image.proveAround(nids, limit: limit)
    case .squashfs(let image): image.proveAround(nids, limit: limit)
    case .ext4(let image): image.proveAround(nids, limit: limit)
    }
  }
}

internal import Base
internal import Verity

/// Where the contents of an inode are.
enum SquashfsLayout: Equatable, Sendable {
  /// A special file: no contents.
  case none
  /// Names in the directory table, and where its index is when it has one.
  case directory(MetadataPlace, index: Index?)
  case file(File)
  /// The target, behind the inode.
  case link(MetadataPlace)

  /// Places of blocks of a large directory, by the name that each begins with.
  struct Index: Equatable, Sendable {
    let place: MetadataPlace
    let count: Int
  }

  struct File: Equatable, Sendable {
    /// Where its first block is in the image; the others follow.
    let start: UInt64
    /// The list of its blocks' sizes.
    let sizes: MetadataPlace
    /// Whole blocks, and the rest unless that is in a fragment.
    let blockCount: UInt64
    /// Which fragment holds the end, and where.
    let fragment: (index: UInt32, offset: UInt32)?

    static func == (one: File, other: File) -> Bool {
      one.start == other.start && one.sizes == other.sizes && one.blockCount == other.blockCount
        && one.fragment?.index == other.fragment?.index && one.fragment?.offset == other.fragment?.offset
    }
  }
}

extension SquashfsImage where Blocks: ~Copyable {
  private var inodeRange: Range<UInt64> { superblock.inodeTable..<superblock.directoryTable }

  public func inode(_ nid: UInt64) throws(FileSystemError) -> FileSystemInode { try located(nid).inode }

  /// The inode that the kernel shows as that number: by the export table where there is one, otherwise by going through all
  /// directories. Two inodes of one number are refused there: which of them the kernel shows depends on what was asked first.
  public func inode(numbered number: UInt64) throws(FileSystemError) -> FileSystemInode {
    guard 1...UInt64(superblock.inodeCount) ~= number else {
      throw refusal(.range, expected: "an inode number of 1 to \(superblock.inodeCount)", found: "\(number)")
    }
    guard let exportTable = superblock.exportTable else { return try search(for: number) }
    let bytes = try entry(number - 1, size: 8, list: exportTable)
    let found = try inode((try? bytes.rawSpan.u64(at: 0)) ?? .max)
    guard found.number == number else {
      throw refusal(.inode, expected: "inode number \(number), as the export table says", found: "\(found.number)")
    }
    return found
  }

  private func search(for number: UInt64) throws(FileSystemError) -> FileSystemInode {
    var found: FileSystemInode?
    try walk { entry throws(FileSystemError) in
      guard entry.inode.number == number else { return }
      guard found == nil || found?.nid == entry.inode.nid else {
        throw refusal(.inode, expected: "one inode of number \(number)", found: "two").at(path: entry.path)
      }
      found = entry.inode
    }
    guard let found else {
      throw refusal(.notFound, expected: "an inode of number \(number)", found: "none in any directory")
    }
    return found
  }

  /// The inode of that reference, and where its contents are.
  func located(_ nid: UInt64) throws(FileSystemError) -> (inode: FileSystemInode, layout: SquashfsLayout) {
    do throws(FileSystemError) {
      guard nid >> 48 == 0 else {
        throw refusal(.range, expected: "a reference of 48 bits", found: "\(nid)")
      }
      return try read(nid)
    } catch {
      throw error.at(nid: nid)
    }
  }

  private func read(_ nid: UInt64) throws(FileSystemError) -> (inode: FileSystemInode, layout: SquashfsLayout) {
    // The table begins below 2^63, and a reference has 32 bits of it.
    var place = MetadataPlace(reference: nid, in: superblock.inodeTable)
    let offset = place.block
    let head = try read(16, at: &place, in: inodeRange)
    let raw: RawSquashfsInode
    do throws(ByteError) {
      raw = try RawSquashfsInode(head.rawSpan)
    } catch {
      throw refusal(.inode, at: offset, expected: "an inode of 16 bytes or more", found: "\(head.count) bytes")
    }
    guard let kind = FileSystemInode.Kind(squashfs: raw.isExtended ? raw.type - 7 : raw.type) else {
      throw refusal(.inode, at: offset, expected: "a type of 1 to 14", found: "\(raw.type)")
    }
    guard raw.mode & ~0o7777 == 0 else {
      throw refusal(.inode, at: offset, expected: "permissions without a type", found: String(raw.mode, radix: 8))
    }
    var body = try Body(kind, isExtended: raw.isExtended, blockSize: UInt64(superblock.blockSize)) {
      count throws(FileSystemError) in
      try read(count, at: &place, in: inodeRange)
    } refusal: { expected, found in
      refusal(.inode, at: offset, expected: expected, found: found)
    }
    body.setPlace(behind: place, directories: superblock.directoryTable)
    guard body.size <= UInt64(Int.max) else {
      throw refusal(.inode, at: offset, expected: "a size below 2^63", found: "\(body.size)")
    }
    let inode = FileSystemInode(
      nid: nid, number: UInt64(raw.number), kind: kind, permissions: raw.mode, size: body.size,
      linkCount: body.linkCount, owner: try identifier(raw.owner), group: try identifier(raw.group), offset: offset)
    return (inode, body.layout)
  }
}

extension FileSystemInode.Kind {
  /// `SQUASHFS_*_TYPE` (fs/squashfs/squashfs_fs.h), of inodes and names of directories.
  init?(squashfs number: UInt16) {
    guard let kind = Self.squashfsKinds[number] else { return nil }
    self = kind
  }

  private static let squashfsKinds: [UInt16: FileSystemInode.Kind] = [
    1: .directory, 2: .regular, 3: .symbolicLink, 4: .blockDevice, 5: .characterDevice, 6: .fifo, 7: .socket,
  ]
}

/// What all inodes begin with (`struct squashfs_base_inode`).
private struct RawSquashfsInode {
  let type: UInt16
  let mode: UInt16
  let owner: UInt16
  let group: UInt16
  let number: UInt32

  /// The types from 8 on have more fields.
  var isExtended: Bool { type > 7 }

  init(_ bytes: borrowing RawSpan) throws(ByteError) {
    type = try bytes.u16(at: 0)
    mode = try bytes.u16(at: 2)
    owner = try bytes.u16(at: 4)
    group = try bytes.u16(at: 6)
    number = try bytes.u32(at: 12)
  }
}

/// What follows, by kind (fs/squashfs/squashfs_fs.h).
private struct Body {
  private(set) var size: UInt64 = 0
  private(set) var linkCount: UInt32 = 1
  private(set) var layout = SquashfsLayout.none

  init(
    _ kind: FileSystemInode.Kind, isExtended: Bool, blockSize: UInt64,
    read: (Int) throws(FileSystemError) -> [UInt8], refusal: (String, String) -> FileSystemError
  ) throws(FileSystemError) {
    let bytes = try read(Self.byteCount(kind, isExtended: isExtended))
    do throws(ByteError) {
      try set(kind, isExtended: isExtended, bytes.rawSpan, blockSize: blockSize)
    } catch {
      throw refusal("an inode", error.description)
    }
    // `.` and `..` count for three bytes, and are not there.
    if kind == .directory {
      guard size >= 3 else { throw refusal("a directory of 3 bytes or more", "\(size)") }
      size -= 3
    }
  }

  /// Bytes behind those that all have.
  private static func byteCount(_ kind: FileSystemInode.Kind, isExtended: Bool) -> Int {
    switch kind {
    case .directory: isExtended ? 24 : 16
    case .regular: isExtended ? 40 : 16
    case .symbolicLink: 8
    case .blockDevice, .characterDevice: isExtended ? 12 : 8
    case .fifo, .socket: isExtended ? 8 : 4
    }
  }

  private mutating func set(
    _ kind: FileSystemInode.Kind, isExtended: Bool, _ bytes: borrowing RawSpan, blockSize: UInt64
  ) throws(ByteError) {
    let unset = MetadataPlace(block: 0, offset: 0)
    switch kind {
    case .directory:
      linkCount = try bytes.u32(at: isExtended ? 0 : 4)
      size = isExtended ? UInt64(try bytes.u32(at: 4)) : UInt64(try bytes.u16(at: 8))
      let block = UInt64(try bytes.u32(at: isExtended ? 8 : 0))
      let offset = Int(try bytes.u16(at: isExtended ? 18 : 10))
      let count = isExtended ? Int(try bytes.u16(at: 16)) : 0
      layout = .directory(
        MetadataPlace(block: block, offset: offset),
        index: count > 0 ? SquashfsLayout.Index(place: unset, count: count) : nil)
    case .regular:
      size = isExtended ? try bytes.u64(at: 8) : UInt64(try bytes.u32(at: 12))
      if isExtended { linkCount = try bytes.u32(at: 24) }
      let start = isExtended ? try bytes.u64(at: 0) : UInt64(try bytes.u32(at: 0))
      let index = try bytes.u32(at: isExtended ? 28 : 4)
      let offset = try bytes.u32(at: isExtended ? 32 : 8)
      // `SQUASHFS_INVALID_FRAG`. A file of whole blocks has no use for one.
      let hasFragment = index != .max && size % blockSize != 0
      let blockCount = size / blockSize + (hasFragment || size % blockSize == 0 ? 0 : 1)
      layout = .file(
        SquashfsLayout.File(
          start: start, sizes: unset, blockCount: blockCount, fragment: hasFragment ? (index, offset) : nil))
    case .symbolicLink:
      linkCount = try bytes.u32(at: 0)
      size = UInt64(try bytes.u32(at: 4))
      layout = .link(unset)
    case .blockDevice, .characterDevice, .fifo, .socket:
      linkCount = try bytes.u32(at: 0)
    }
  }

  /// Says where what follows the inode is, and where the tables are.
  mutating func setPlace(behind place: MetadataPlace, directories: UInt64) {
    switch layout {
    case .none: break
    case .directory(let names, let index):
      layout = .directory(
        MetadataPlace(block: directories + names.block, offset: names.offset),
        index: index.map { SquashfsLayout.Index(place: place, count: $0.count) })
    case .file(let file):
      layout = .file(
        SquashfsLayout.File(start: file.start, sizes: place, blockCount: file.blockCount, fragment: file.fragment))
    case .link: layout = .link(place)
    }
  }
}

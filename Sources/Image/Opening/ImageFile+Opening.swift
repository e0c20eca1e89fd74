public import Base
internal import Verity
internal import ImageFormat
internal import Linux

extension ImageFile {
  /// Opens an image of any layout.
  ///
  /// A partition table makes it a discoverable disk image. Without one the tree follows the file system; where no superblock
  /// follows it, the tree is in the file `NAME.verity` or `NAME.usrverity`.
  ///
  /// - Parameters:
  ///   - location: what the caller knows of where the parts are.
  ///   - offset: where the file system begins, in bytes, when a loop device says so. In a disk image it must be where
  ///     the table has the data partition.
  ///   - sizeLimit: bytes that the loop device is limited to, or 0.
  ///   - rootHash: which slot of a disk with several is meant; nil for the one whose root hash is stored with the image
  ///     or in a partition. Nothing is checked against it here.
  public static func open(
    _ path: String, at location: ImageLocation = ImageLocation(), offset: UInt64 = 0, sizeLimit: UInt64 = 0,
    rootHash: Digest? = nil
  ) throws(ImageFileError) -> ImageFile {
    let file = try OpenedFile.open(path)
    if location.verityData == nil, location.hashOffset == nil, let table = try file.partitionTable() {
      let disk = try file.slot(of: table, rootHash: rootHash, offset: offset)
      return try ddi(disk, in: file, location, offset: offset, sizeLimit: sizeLimit)
    }
    let available = file.byteCount >= offset ? file.byteCount - offset : 0
    let data = try file.window(from: offset, byteCount: sizeLimit == 0 ? available : min(sizeLimit, available))
    if let verityData = location.verityData { return try sidecar(file, data, tree: verityData, location) }
    let treeStart = location.hashOffset ?? treeBehindFileSystem(data)
    if treeStart == nil {
      let trees = Sidecars.all(imagePath: path).map(\.hashTree)
      if let tree = trees.first(where: { (try? FileStatus.of(path: $0)) != nil }) {
        return try sidecar(file, data, tree: tree, location)
      }
    }
    let layout: VerityLayout
    let top: TopBlock
    do throws(LayoutError) {
      // A device may be larger than the image that was written to it.
      layout = try DiskLayout.appended(
        in: data, hashOffset: treeStart, fit: file.status.kind == .blockDevice ? .window : .exact)
      top = try DiskLayout.topBlock(layout, data: data, hashes: data)
    } catch {
      throw .image(path: path, error.diagnostic)
    }
    return ImageFile(
      path: path, status: file.status, byteCount: file.byteCount, kind: .appended, layout: layout, top: top,
      fileSignature: try EnclosedSignature.of(path, location), data: data, hashes: nil)
  }

  /// Where the superblock is that follows the file system; nil when there is none.
  private static func treeBehindFileSystem(_ data: borrowing Source) -> UInt64? {
    do throws(LayoutError) {
      let end = try DiskLayout.treePlace(in: data)
      return DiskLayout.holdsSuperblock(data, at: end) ? end : nil
    } catch {
      return nil
    }
  }

  private static func sidecar(
    _ file: borrowing OpenedFile, _ data: consuming Source, tree path: String, _ location: ImageLocation
  ) throws(ImageFileError) -> ImageFile {
    let tree = try OpenedFile.open(path)
    let hashes = try tree.window(from: 0, byteCount: tree.byteCount)
    let layout: VerityLayout
    let top: TopBlock
    do throws(LayoutError) {
      layout = try DiskLayout.separate(data: data, hashes: hashes, hashOffset: location.hashOffset ?? 0)
      top = try DiskLayout.topBlock(layout, data: data, hashes: hashes)
    } catch {
      throw .image(path: file.path, error.diagnostic)
    }
    return ImageFile(
      path: file.path, status: file.status, byteCount: file.byteCount, kind: .sidecar, layout: layout, top: top,
      fileSignature: try EnclosedSignature.of(file.path, location), treePath: path, data: data, hashes: hashes)
  }

  private static func ddi(
    _ disk: DiscoverableImage, in file: borrowing OpenedFile, _ location: ImageLocation, offset: UInt64,
    sizeLimit: UInt64
  ) throws(ImageFileError) -> ImageFile {
    let size = disk.data.range.upperBound - disk.data.range.lowerBound
    let isWhole = offset == 0 && sizeLimit == 0
    guard isWhole || offset == disk.data.range.lowerBound && (sizeLimit == 0 || sizeLimit == size) else {
      throw .image(
        path: file.path,
        LayoutError.partitionTable(
          "data partition", expected: "at bytes \(disk.data.range)", found: "a device at byte \(offset)"
        ).diagnostic)
    }
    let data = try file.window(disk.data.range)
    let hashes = try file.window(disk.verity.range)
    let layout: VerityLayout
    let top: TopBlock
    do throws(LayoutError) {
      layout = try DiskLayout.separate(data: data, hashes: hashes)
      top = try DiskLayout.topBlock(layout, data: data, hashes: hashes)
      try disk.requireUUIDs(of: top.digest)
    } catch {
      throw .image(path: file.path, error.diagnostic)
    }
    return ImageFile(
      path: file.path, status: file.status, byteCount: file.byteCount, kind: .ddi, layout: layout, top: top,
      fileSignature: try EnclosedSignature.of(file.path, location, use: disk.types.use),
      partitionSignature: try file.signature(in: disk, rootHash: top.digest), note: disk.secondCopyFault?.diagnostic,
      slot: disk, data: data, hashes: hashes)
  }
}

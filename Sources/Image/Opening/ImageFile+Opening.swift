internal import Base
internal import Verity
internal import ImageFormat
internal import Linux

extension ImageFile {
  /// Opens an image of any layout.
  ///
  /// A partition table makes it a discoverable disk image. Without one the tree follows the file system; where no superblock
  /// follows it, the tree is in the file `NAME.verity`.
  ///
  /// - Parameters:
  ///   - offset: where the file system begins, in bytes, when a loop device says so. In a disk image it must be where
  ///     the table has the data partition.
  ///   - sizeLimit: bytes that the loop device is limited to, or 0.
  ///   - hashOffset: where the superblock is, in bytes, in the file that holds it, when the caller knows.
  ///   - verityData: the file that holds superblock and tree, when the caller names it.
  public static func open(
    _ path: String, offset: UInt64 = 0, sizeLimit: UInt64 = 0, hashOffset: UInt64? = nil, verityData: String? = nil
  ) throws(ImageFileError) -> ImageFile {
    let file = try OpenedFile.open(path)
    if verityData == nil, hashOffset == nil, let disk = try file.discoverableImage() {
      return try ddi(disk, in: file, offset: offset, sizeLimit: sizeLimit)
    }
    let available = file.byteCount >= offset ? file.byteCount - offset : 0
    let data = try file.window(from: offset, byteCount: sizeLimit == 0 ? available : min(sizeLimit, available))
    if let verityData { return try sidecar(file, data, tree: verityData, hashOffset: hashOffset ?? 0) }
    let treeStart: UInt64?
    if let hashOffset { treeStart = hashOffset } else { treeStart = treeBehindFileSystem(data) }
    if treeStart == nil {
      let tree = Sidecars(imagePath: path).hashTree
      if (try? FileStatus.of(path: tree)) != nil { return try sidecar(file, data, tree: tree, hashOffset: 0) }
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
      path: path, status: file.status, kind: .appended, layout: layout, top: top,
      fileSignature: try EnclosedSignature.besides(path), data: data, hashes: nil)
  }

  /// Where the superblock is that follows the file system; nil when there is none.
  private static func treeBehindFileSystem(_ data: borrowing Source) -> UInt64? {
    do throws(LayoutError) {
      let end = try DiskLayout.fileSystemSize(in: data)
      return DiskLayout.holdsSuperblock(data, at: end) ? end : nil
    } catch {
      return nil
    }
  }

  private static func sidecar(
    _ file: borrowing OpenedFile, _ data: consuming Source, tree path: String, hashOffset: UInt64
  ) throws(ImageFileError) -> ImageFile {
    let tree = try OpenedFile.open(path)
    let hashes = try tree.window(from: 0, byteCount: tree.byteCount)
    let layout: VerityLayout
    let top: TopBlock
    do throws(LayoutError) {
      layout = try DiskLayout.separate(data: data, hashes: hashes, hashOffset: hashOffset)
      top = try DiskLayout.topBlock(layout, data: data, hashes: hashes)
    } catch {
      throw .image(path: file.path, error.diagnostic)
    }
    return ImageFile(
      path: file.path, status: file.status, kind: .sidecar, layout: layout, top: top,
      fileSignature: try EnclosedSignature.besides(file.path), data: data, hashes: hashes)
  }

  private static func ddi(
    _ disk: DiscoverableImage, in file: borrowing OpenedFile, offset: UInt64, sizeLimit: UInt64
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
      path: file.path, status: file.status, kind: .ddi, layout: layout, top: top,
      fileSignature: try EnclosedSignature.besides(file.path),
      partitionSignature: try file.signature(in: disk, rootHash: top.digest), note: disk.secondCopyFault?.diagnostic,
      data: data, hashes: hashes)
  }
}

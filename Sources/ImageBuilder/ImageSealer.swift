internal import ByteKit
internal import DMVerity
internal import Diagnostics
internal import DiskLayout
internal import EROFS
internal import Hashing
internal import LinuxSys
internal import Manifest

/// Turns the file system that mkfs.erofs made into the finished image, in place.
struct ImageSealer {
  let seed: [UInt8]
  let salt: [UInt8]?
  let threads: Int
  let progress: (BuildStep) -> Void

  /// What the finished image is.
  struct Sealed {
    let rootHash: Digest
    let salt: [UInt8]
    let layout: VerityLayout
  }

  /// Writes the number of data blocks into the manifest, then superblock and tree behind the file system.
  ///
  /// - Parameter manifest: its text as it was packed, with another number of blocks; it gets the right one.
  func seal(_ file: borrowing OwnedFD, manifest: inout [UInt8]) throws(BuildError) -> Sealed {
    let blocks = try blockCount(of: file)
    guard let field = Manifest.blockCountField(in: manifest, count: blocks) else {
      throw .selfCheck(
        Diagnostic("build.bad-manifest", .incomplete, "the manifest has no field for the number of data blocks"))
    }
    manifest.replaceSubrange(field.offset..<(field.offset + field.characters.count), with: field.characters)
    // Our reader sees proven blocks only, so there is a tree already for the file system as mkfs.erofs left it.
    // It has exactly the size of the final one, which takes its place.
    let draft = try writeTree(file, blocks: blocks, salt: [], reports: false)
    try patchManifest(file, draft, at: field.offset, field.characters)
    let content = try digest(of: file, byteCount: draft.layout.parameters.dataByteCount)
    let salt: [UInt8]
    do throws(HashingError) {
      salt = if let given = self.salt { given } else { try DerivedValues.salt(seed: seed, fileSystem: content) }
    } catch {
      throw .verity(.hashing(error))
    }
    return try writeTree(file, blocks: blocks, salt: salt, reports: true)
  }

  private func blockCount(of file: borrowing OwnedFD) throws(BuildError) -> UInt64 {
    let size: UInt64
    do throws(SystemError) {
      size = try file.status().size
    } catch {
      throw .staging(error)
    }
    guard size > 0, size.isMultiple(of: 4096) else {
      throw .selfCheck(
        Diagnostic(
          "build.bad-file-system", .incomplete, "mkfs.erofs made a file of an odd size",
          expected: "a multiple of 4096 bytes", found: "\(size) bytes"))
    }
    return size / 4096
  }

  private func writeTree(
    _ file: borrowing OwnedFD, blocks: UInt64, salt: [UInt8], reports: Bool
  ) throws(BuildError) -> Sealed {
    let data = try source(file)
    var sink = FileSink(try duplicate(file))
    do throws(VerityError) {
      let parameters = try VerityParameters(dataBlockCount: blocks, salt: salt)
      let superblock = Superblock(parameters: parameters, uuid: try Superblock.derivedUUID(salt: salt))
      let layout = try VerityLayout(
        superblock: superblock, placement: .appended, superblockOffset: parameters.dataByteCount)
      let rootHash = try layout.writeTree(of: data, to: &sink, threads: threads) { done, total in
        if reports { progress(.hashing(done: done, total: total)) }
        return true
      }
      return Sealed(rootHash: rootHash, salt: salt, layout: layout)
    } catch {
      throw .verity(error)
    }
  }

  /// Overwrites the manifest's field for the number of blocks where the file system holds it.
  ///
  /// The number is known only when the file system is made, and the manifest is in it. Running mkfs.erofs a second
  /// time with the right number would do too, at twice the cost.
  private func patchManifest(
    _ file: borrowing OwnedFD, _ draft: Sealed, at offset: Int, _ characters: [UInt8]
  ) throws(BuildError) {
    let extents = try manifestExtents(try source(file), draft)
    do throws(SystemError) {
      for (index, character) in characters.enumerated() {
        let position = UInt64(offset + index)
        for extent in extents where extent.fileOffset..<(extent.fileOffset + extent.count) ~= position {
          guard let offset = extent.imageOffset else { continue }
          try file.writeAll([character].rawSpan, at: offset + (position - extent.fileOffset))
        }
      }
      // The end of a small file lies beside its inode, which can be in the superblock's block: its checksum is
      // computed again in any case.
      var block = [UInt8](repeating: 0, count: ErofsSuperblock.checksummedCount(blockSize: 4096))
      _ = try file.readFully(at: ErofsSuperblock.offset, into: &block)
      block.storeLittleEndian(ErofsSuperblock.checksum(of: block), at: ErofsSuperblock.checksumOffset)
      try file.writeAll(block.rawSpan, at: ErofsSuperblock.offset)
    } catch {
      throw .staging(error)
    }
  }

  private func manifestExtents(
    _ source: consuming FileSource, _ draft: Sealed
  ) throws(BuildError) -> [ErofsExtent] {
    let device: VerifiedDevice<FileSource>
    do throws(VerityError) {
      device = try VerifiedDevice(source, layout: draft.layout, rootHash: draft.rootHash)
    } catch {
      throw .verity(error)
    }
    do throws(ErofsError) {
      let image = try ErofsImage(device)
      return try image.extents(of: try image.lookup(Manifest.path))
    } catch {
      throw .selfCheck(error.diagnostic)
    }
  }

  /// SHA-256 of the file system.
  private func digest(of file: borrowing OwnedFD, byteCount: UInt64) throws(BuildError) -> Digest {
    var state: HashState
    do throws(HashingError) {
      state = try HashState(.sha256)
    } catch {
      throw .verity(.hashing(error))
    }
    do throws(SystemError) {
      var buffer = [UInt8](repeating: 0, count: 1 << 20)
      var done: UInt64 = 0
      while done < byteCount {
        let count = Int(min(UInt64(buffer.count), byteCount - done))
        if count < buffer.count { buffer.removeLast(buffer.count - count) }
        _ = try file.readFully(at: done, into: &buffer)
        state.update(buffer.rawSpan)
        done += UInt64(count)
      }
    } catch {
      throw .staging(error)
    }
    do throws(HashingError) {
      return try state.finish()
    } catch {
      throw .verity(.hashing(error))
    }
  }

  private func duplicate(_ file: borrowing OwnedFD) throws(BuildError) -> OwnedFD {
    do throws(SystemError) {
      return try file.duplicate()
    } catch {
      throw .staging(error)
    }
  }

  private func source(_ file: borrowing OwnedFD) throws(BuildError) -> FileSource {
    do throws(SystemError) {
      let size = try file.status().size
      return FileSource(try file.duplicate(), byteCount: size)
    } catch {
      throw .staging(error)
    }
  }
}

internal import Base
internal import FileSystems
internal import Verity
internal import Linux

/// Turns a file system into the finished image, in place.
struct ImageSealer {
  let seed: [UInt8]
  let salt: [UInt8]?
  let threads: Int
  /// The image's name, for messages.
  let output: String
  let progress: (BuildStep) -> Void

  /// What the finished image is.
  struct Sealed {
    let rootHash: Digest
    let salt: [UInt8]
    let layout: VerityLayout
  }

  /// Writes superblock and tree behind the file system.
  func seal(_ file: borrowing OwnedFD, _ fileSystem: FileSystem.Finished) throws(BuildError) -> Sealed {
    let salt: [UInt8]
    do throws(HashingError) {
      salt =
        if let given = self.salt { given } else {
          try DerivedValues.salt(seed: seed, manifest: fileSystem.manifestDigest)
        }
    } catch {
      throw .verity(.hashing(error))
    }
    let source = FileSource(try duplicate(file), byteCount: fileSystem.dataBlocks * UInt64(ErofsWriter.blockSize))
    var sink = ImageSink(try duplicate(file))
    do throws(VerityError) {
      let parameters = try VerityParameters(
        dataBlockSize: ErofsWriter.blockSize, dataBlockCount: fileSystem.dataBlocks, salt: salt)
      let superblock = Superblock(parameters: parameters, uuid: try Superblock.derivedUUID(salt: salt))
      let layout = try VerityLayout(
        superblock: superblock, placement: .appended, superblockOffset: parameters.dataByteCount)
      let rootHash = try layout.writeTree(of: source, to: &sink, threads: Processors.threads(threads)) {
        done, total in
        progress(.hashing(done: done, total: total))
        return true
      }
      return Sealed(rootHash: rootHash, salt: salt, layout: layout)
    } catch {
      if case .sink = error, let failure = sink.failure { throw .output(path: output, failure) }
      throw .verity(error)
    }
  }

  private func duplicate(_ file: borrowing OwnedFD) throws(BuildError) -> OwnedFD {
    do throws(SystemError) {
      return try file.duplicate()
    } catch {
      throw .output(path: output, error)
    }
  }
}

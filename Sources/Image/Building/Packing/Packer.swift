internal import BPFAnalysis
internal import BPFObject
internal import Base
internal import Verity
internal import FileSystems
internal import Linux
internal import ImageFormat

/// Reads files, each of them once: what was read is hashed, described and packed, and nothing else is.
struct Packer: Sendable {
  let directory: String
  let strips: Bool
  /// What goes before each path in the image: a directory with a slash at its end, or nothing.
  let prefix: String
  /// What the image states of sections whose names say no type.
  var sectionTypes: [SectionType] = []
  /// Which objects may be configured, see ``BuildRequest/configurable``.
  var configurable: [FileNamePattern]?

  /// A file that is ready to be put into the image.
  struct Packed: Sendable {
    let path: String
    let bytes: [UInt8]
    let entry: Entry
  }

  /// What the manifest says of a file.
  enum Entry: Sendable {
    case file(Manifest.File)
    case object(Manifest.File, DescribedObject)
    case refused(BPFObjectError)
  }

  /// What is kept of an object's description.
  struct DescribedObject: Sendable {
    /// Its entry in the manifest.
    let text: [UInt8]
    let programCount: Int
    let mapCount: Int
    /// The sections of it whose types are stated.
    let statedSections: [String]
    let unknown: [ObjectDescription.UnknownPart]
    let notes: [ObjectNote]
  }

  /// Bytes that are hashed side by side.
  private static let batchBytes = 1 << 20

  /// Reads and describes some files, each with a result of its own. Their digests are worked out side by side.
  func pack(_ files: ArraySlice<SourceScan.File>) -> [Result<Packed, BuildError>] {
    var results: [Result<Packed, BuildError>] = []
    var batch: [Result<Kept, BuildError>] = []
    var byteCount = 0
    for file in files {
      let kept = Result { () throws(BuildError) in try keep(file) }
      batch.append(kept)
      byteCount += (try? kept.get().bytes.count) ?? 0
      guard byteCount >= Self.batchBytes else { continue }
      results += pack(batch)
      (batch, byteCount) = ([], 0)
    }
    return results + pack(batch)
  }

  /// What is kept of a file that was read.
  private struct Kept {
    let file: SourceScan.File
    let bytes: [UInt8]
    var refusal: BPFObjectError?
  }

  /// Reads a file, and leaves out of it what is not to be packed.
  private func keep(_ file: SourceScan.File) throws(BuildError) -> Kept {
    do throws(BPFObjectError) {
      if file.isObject { try BPFObject.requireSize(file.size) }
    } catch {
      return Kept(file: file, bytes: [], refusal: error)
    }
    let bytes = try read(file.path, limit: file.isObject ? BPFObject.maximumByteCount : FileSystemLimits().fileBytes)
    guard strips, file.isObject else { return Kept(file: file, bytes: bytes) }
    do throws(BPFObjectError) {
      return Kept(file: file, bytes: try BPFObject.strip(bytes.rawSpan))
    } catch {
      return Kept(file: file, bytes: [], refusal: error)
    }
  }

  private func pack(_ batch: [Result<Kept, BuildError>]) -> [Result<Packed, BuildError>] {
    let digests = Result { () throws(HashingError) in try Digest.of(each: batch.map { (try? $0.get().bytes) ?? [] }) }
    return batch.indices.map { index in
      Result { () throws(BuildError) in
        let kept = try batch[index].get()
        do throws(HashingError) {
          return pack(kept, digest: try digests.get()[index])
        } catch {
          throw .verity(.hashing(error))
        }
      }
    }
  }

  /// Describes a file.
  private func pack(_ kept: Kept, digest: Digest) -> Packed {
    let path = kept.file.path
    if let refusal = kept.refusal { return Packed(path: path, bytes: [], entry: .refused(refusal)) }
    let packedPath = prefix + path
    let named = Manifest.File(path: packedPath, digest: digest, size: UInt64(kept.bytes.count))
    guard kept.file.isObject else { return Packed(path: packedPath, bytes: kept.bytes, entry: .file(named)) }
    do throws(BPFObjectError) {
      let (object, notes) = try ObjectDescription.describeWithNotes(
        kept.bytes, file: named, types: sectionTypes,
        isConfigurable: configurable.map { $0.contains { $0.matches(path) } })
      let described = DescribedObject(
        text: object.entry, programCount: object.programs.count, mapCount: object.maps.count,
        statedSections: object.statements.sectionTypes.map(\.section),
        unknown: ObjectDescription.unknownParts(of: object), notes: notes)
      return Packed(path: packedPath, bytes: kept.bytes, entry: .object(named, described))
    } catch {
      return Packed(path: path, bytes: [], entry: .refused(error))
    }
  }

  private func read(_ path: String, limit: Int) throws(BuildError) -> [UInt8] {
    let full = "\(directory)/\(path)"
    let status: FileStatus
    var bytes: [UInt8] = []
    var isComplete = false
    do throws(SystemError) {
      // The kind was seen before, but may have changed; and opening a FIFO must not wait for its writer.
      let file = try OwnedFD.open(full, [.readOnly, .noFollow, .nonBlocking])
      status = try file.status()
      if status.kind == .regular, status.size <= UInt64(limit) {
        bytes = [UInt8](repeating: 0, count: Int(status.size))
        isComplete = try file.readFully(at: 0, into: &bytes)
      }
    } catch {
      throw .source(path: full, error)
    }
    guard status.kind == .regular else {
      throw .badFile(path: full, expected: "a regular file", found: "a \(status.kind.rawValue)")
    }
    guard status.size <= UInt64(limit) else {
      throw .badFile(path: full, expected: "at most \(limit) bytes", found: "\(status.size) bytes")
    }
    guard isComplete else {
      throw .badFile(path: full, expected: "\(status.size) bytes", found: "fewer: the file became shorter")
    }
    return bytes
  }
}

internal import BPFObject
internal import ByteKit
internal import DMVerity
internal import EROFS
internal import Hashing
internal import LinuxSys
internal import Manifest

/// Reads files, each of them once: what was read is hashed, described and packed, and nothing else is.
struct Packer: Sendable {
  let directory: String
  let strips: Bool

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
  }

  /// The largest object, in bytes; the reader of objects has the same limit.
  private static let objectBytes = 64 << 20

  /// Reads and describes one file.
  func pack(_ file: SourceScan.File) throws(BuildError) -> Packed {
    let bytes = try read(file.path, limit: file.isObject ? Self.objectBytes : ErofsLimits().fileBytes)
    guard file.isObject else {
      return Packed(path: file.path, bytes: bytes, entry: .file(try entry(file.path, bytes)))
    }
    let kept: [UInt8]
    do throws(BPFObjectError) {
      kept = strips ? try BPFObject.strip(bytes.rawSpan) : bytes
    } catch {
      return Packed(path: file.path, bytes: [], entry: .refused(error))
    }
    let named = try entry(file.path, kept)
    do throws(BPFObjectError) {
      let object = try ObjectDescription.describe(kept, file: named)
      let described = DescribedObject(
        text: object.entry, programCount: object.programs.count, mapCount: object.maps.count)
      return Packed(path: file.path, bytes: kept, entry: .object(named, described))
    } catch {
      return Packed(path: file.path, bytes: [], entry: .refused(error))
    }
  }

  private func entry(_ path: String, _ bytes: [UInt8]) throws(BuildError) -> Manifest.File {
    do throws(HashingError) {
      return Manifest.File(path: path, digest: try Digest.of(bytes.rawSpan), size: UInt64(bytes.count))
    } catch {
      throw .verity(.hashing(error))
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

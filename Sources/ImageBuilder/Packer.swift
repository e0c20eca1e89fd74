internal import BPFObject
internal import ByteKit
internal import DMVerity
internal import EROFS
internal import Hashing
internal import LinuxSys
internal import Manifest

/// Reads files, each of them once: what was read is hashed, described and packed, and nothing else.
struct Packer {
  /// A file as it will be in the image.
  struct Packed {
    let path: String
    let bytes: [UInt8]
    let entry: Entry

    enum Entry {
      case file(Manifest.File)
      case object(Manifest.Object)
      case refused(BPFObjectError)
    }
  }

  let directory: String
  let strips: Bool

  /// The largest object, in bytes; the reader of objects has the same limit.
  private static let objectBytes = 64 << 20

  /// Reads one file and finds out what the manifest says of it.
  func pack(_ file: SourceScan.File) throws(BuildError) -> Packed {
    let limit = file.isObject ? Self.objectBytes : ErofsLimits().fileBytes
    let bytes = try read(file.path, limit: limit)
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
      return Packed(path: file.path, bytes: kept, entry: .object(try ObjectDescription.describe(kept, file: named)))
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
    let kind: FileStatus.Kind
    let bytes: [UInt8]?
    do throws(SystemError) {
      // The kind was seen before, but may have changed; and opening a FIFO must not wait for its writer.
      let file = try OwnedFD.open(full, [.readOnly, .noFollow, .nonBlocking])
      kind = try file.status().kind
      bytes = kind == .regular ? try file.readToEnd(limit: limit) : nil
    } catch {
      throw .source(path: full, error)
    }
    guard kind == .regular else {
      throw .badFile(path: full, expected: "a regular file", found: "a \(kind.rawValue)")
    }
    guard let bytes else { throw .badFile(path: full, expected: "at most \(limit) bytes", found: "more") }
    return bytes
  }
}

internal import BPFObject
internal import ByteKit
internal import DMVerity
internal import Dispatch
internal import EROFS
internal import Hashing
internal import LinuxSys
internal import Manifest
internal import Synchronization

/// Reads files, each of them once: what was read is hashed, described and copied, and nothing else is packed.
struct Packer: Sendable {
  /// What the manifest says of a file.
  enum Entry: Sendable {
    case file(Manifest.File)
    case object(Manifest.Object)
    case refused(BPFObjectError)
  }

  let directory: String
  let strips: Bool
  let writer: Stage.Writer

  /// The largest object, in bytes; the reader of objects has the same limit.
  private static let objectBytes = 64 << 20

  /// Packs some files on several threads, each of which holds one file's bytes at a time.
  ///
  /// - Returns: the entries in the order of the files.
  /// - Throws: of all errors that of the first file, whichever thread was faster.
  func pack(_ files: [SourceScan.File], threads: Int) throws(BuildError) -> [Entry] {
    let next = Atomic<Int>(0)
    let results = Mutex([Result<Entry, BuildError>?](repeating: nil, count: files.count))
    DispatchQueue.concurrentPerform(iterations: max(1, min(threads, files.count))) { _ in
      while true {
        let index = next.add(1, ordering: .relaxed).oldValue
        guard index < files.count else { return }
        do throws(BuildError) {
          let entry = try pack(files[index])
          results.withLock { $0[index] = .success(entry) }
        } catch {
          results.withLock { $0[index] = .failure(error) }
          // No more are handed out; all before this one have been.
          next.store(files.count, ordering: .relaxed)
        }
      }
    }
    var entries: [Entry] = []
    for result in results.withLock({ $0 }) {
      if let result { entries.append(try result.get()) }
    }
    return entries
  }

  private func pack(_ file: SourceScan.File) throws(BuildError) -> Entry {
    let bytes = try read(file.path, limit: file.isObject ? Self.objectBytes : ErofsLimits().fileBytes)
    guard file.isObject else {
      try writer.add(file.path, bytes)
      return .file(try entry(file.path, bytes))
    }
    let kept: [UInt8]
    let object: Manifest.Object
    do throws(BPFObjectError) {
      kept = strips ? try BPFObject.strip(bytes.rawSpan) : bytes
    } catch {
      return .refused(error)
    }
    let named = try entry(file.path, kept)
    do throws(BPFObjectError) {
      object = try ObjectDescription.describe(kept, file: named)
    } catch {
      return .refused(error)
    }
    try writer.add(file.path, kept)
    return .object(object)
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

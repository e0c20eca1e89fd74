internal import BPFObject
internal import Base
internal import FileSystems
internal import Linux
internal import ImageFormat
internal import Synchronization

/// What a directory holds, before anything is read.
struct SourceScan {
  /// A file to pack.
  struct File {
    /// Relative to the directory.
    let path: String
    /// Whether it must be a BPF object: it is one by its first bytes, or its name says so. Else it was named by --include.
    let isObject: Bool
    /// What it is now.
    let status: FileStatus

    /// Bytes it has now.
    var size: UInt64 { status.size }
  }

  /// In bytewise order of the paths.
  private(set) var files: [File] = []
  private(set) var skipped: [SkippedFile] = []
  /// Files that are packed as other files although they begin like ELF files.
  private(set) var unreadable: [SkippedFile] = []

  static let objectSuffix = ".bpf.o"

  /// Names that a thread looks at, at least; fewer are no work.
  private static let share = 256

  /// Lists everything below `directory`. Symbolic links are left out: what they lead to depends on the machine.
  ///
  /// - Parameter threads: how many ask what the names are.
  init(_ directory: String, includes: [FileNamePattern], threads: Int = 1) throws(BuildError) {
    let root: FileStatus
    do throws(SystemError) {
      root = try FileStatus.of(path: directory)
    } catch {
      throw .source(path: directory, error)
    }
    guard root.kind == .directory else { throw .notADirectory(path: directory) }
    let limits = FileSystemLimits()
    var entries = 0
    // One level of directories after another, so that there is much to ask at a time.
    var level = [""]
    for depth in 0... {
      var found: [(path: String, name: String)] = []
      for parent in level {
        let names: [String]
        do throws(SystemError) {
          names = try Directory.names(parent.isEmpty ? directory : "\(directory)/\(parent)")
        } catch {
          throw .source(path: "\(directory)/\(parent)", error)
        }
        for name in names {
          let path = parent.isEmpty ? name : "\(parent)/\(name)"
          entries += 1
          // The writer counts exactly, and only what is packed; this bounds the search.
          guard entries < limits.entries else {
            throw .badFile(path: path, expected: limits.allowed(.names), found: "more")
          }
          guard limits.allowPath(depth: depth + 1, byteCount: path.utf8.count) else {
            throw .badFile(path: path, expected: limits.allowed(.path), found: "a longer one")
          }
          found.append((path, name))
        }
      }
      let seen = Self.look(at: found.map(\.path), below: directory, threads: threads)
      level = []
      for ((path, name), seen) in zip(found, seen) {
        let isDirectory = try add(path, name: name, below: directory, includes: includes, seen: seen)
        if isDirectory { level.append(path) }
      }
      if level.isEmpty { break }
    }
    files.sort { $0.path.precedesBytewise($1.path) }
    skipped.sort { $0.path.precedesBytewise($1.path) }
    unreadable.sort { $0.path.precedesBytewise($1.path) }
  }

  /// What a name is, before the file is read.
  private struct Seen {
    let status: FileStatus
    /// By its first bytes; `object` where its name says so, for then it has to be one.
    let kind: BPFObject.FileKind

    init(_ path: String) throws(SystemError) {
      status = try FileStatus.of(path: path, followLinks: false)
      if path.hasSuffix(SourceScan.objectSuffix) {
        kind = .object
      } else {
        kind = status.kind == .regular ? Self.kind(of: path) : .other
      }
    }

    /// A file that cannot be opened is none that is looked into; where it is to be packed, reading it says why.
    private static func kind(of path: String) -> BPFObject.FileKind {
      guard let file = try? OwnedFD.open(path, [.readOnly, .noFollow, .nonBlocking]) else { return .other }
      var head = [UInt8](repeating: 0, count: BPFObject.FileKind.headByteCount)
      guard let count = try? file.readSome(into: &head) else { return .other }
      return BPFObject.FileKind(ofHead: Array(head.prefix(count)))
    }
  }

  /// What each path is, in their order.
  private static func look(
    at paths: [String], below directory: String, threads: Int
  ) -> [Result<Seen, SystemError>] {
    let seen = Mutex<[Result<Seen, SystemError>]>([])
    let count = max(1, min(threads, paths.count / share))
    WorkerPool<Never>(Processors.threads(threads)).run(count, into: seen) {
    } work: { _, number in
      paths[paths.count * number / count..<paths.count * (number + 1) / count].map { path in
        Result { () throws(SystemError) in try Seen("\(directory)/\(path)") }
      }
    } take: { seen, part in
      seen += part
    }
    return seen.withLock { $0 }
  }

  /// Takes one name; true when it is a directory to go into.
  private mutating func add(
    _ path: String, name: String, below directory: String, includes: [FileNamePattern],
    seen: Result<Seen, SystemError>
  ) throws(BuildError) -> Bool {
    // The manifest is text, and a new file system has no name that the manifest cannot say.
    guard !name.hasUndecodedBytes else {
      throw .badName(path: path, expected: "a name in UTF-8", found: "other bytes")
    }
    let found: Seen
    do throws(SystemError) {
      found = try seen.get()
    } catch {
      throw .source(path: "\(directory)/\(path)", error)
    }
    let kind = found.status.kind
    if kind == .directory { return true }
    let isIncluded = includes.contains { $0.matches(path) }
    let isObject: Bool
    switch found.kind {
    case .object: isObject = true
    case .other, .otherELF: isObject = false
    }
    guard isObject || isIncluded else {
      skipped.append(SkippedFile(path: path, reason: Self.whyLeftOut(found.kind)))
      return false
    }
    guard kind == .regular else {
      skipped.append(SkippedFile(path: path, reason: "a \(kind.rawValue), not a regular file"))
      return false
    }
    guard !path.hasPrefix(".verity-bpf/"), path != ".verity-bpf" else {
      throw .badName(path: path, expected: "a path outside `.verity-bpf`, where the manifest goes", found: "one inside")
    }
    files.append(File(path: path, isObject: isObject, status: found.status))
    if case .otherELF(let error) = found.kind {
      unreadable.append(SkippedFile(path: path, reason: error.message))
    }
    return false
  }

  private static func whyLeftOut(_ kind: BPFObject.FileKind) -> String {
    switch kind {
    case .otherELF(let error): "an ELF file, and no BPF object that can be read: \(error.message)"
    case .object, .other: "no BPF object, and not named by --include"
    }
  }

  /// The files in stretches of so many files and bytes, at most; a larger file is one by itself.
  func rounds(fileCount: Int, byteCount: UInt64) -> [ArraySlice<File>] {
    var rounds: [ArraySlice<File>] = []
    var start = 0
    var bytes: UInt64 = 0
    for (index, file) in files.enumerated() {
      let (sum, overflow) = bytes.addingReportingOverflow(file.size)
      if index > start, index - start >= fileCount || overflow || sum > byteCount {
        rounds.append(files[start..<index])
        (start, bytes) = (index, file.size)
      } else {
        bytes = sum
      }
    }
    return rounds + [files[start...]]
  }
}

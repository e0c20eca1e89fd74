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
    /// Whether it must be a BPF object; else it was named by --include.
    let isObject: Bool
    /// What it is now.
    let status: FileStatus

    /// Bytes it has now.
    var size: UInt64 { status.size }
  }

  /// In bytewise order of the paths.
  private(set) var files: [File] = []
  private(set) var skipped: [SkippedFile] = []

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
      let statuses = Self.statuses(of: found.map(\.path), below: directory, threads: threads)
      level = []
      for ((path, name), status) in zip(found, statuses) {
        let isDirectory = try add(path, name: name, below: directory, includes: includes, status: status)
        if isDirectory { level.append(path) }
      }
      if level.isEmpty { break }
    }
    files.sort { $0.path.precedesBytewise($1.path) }
    skipped.sort { $0.path.precedesBytewise($1.path) }
  }

  /// What each path is, in their order.
  private static func statuses(
    of paths: [String], below directory: String, threads: Int
  ) -> [Result<FileStatus, SystemError>] {
    let statuses = Mutex<[Result<FileStatus, SystemError>]>([])
    let count = max(1, min(threads, paths.count / share))
    WorkerPool<Never>(Processors.threads(threads)).run(count, into: statuses) {
    } work: { _, number in
      paths[paths.count * number / count..<paths.count * (number + 1) / count].map { path in
        Result { () throws(SystemError) in try FileStatus.of(path: "\(directory)/\(path)", followLinks: false) }
      }
    } take: { statuses, part in
      statuses += part
    }
    return statuses.withLock { $0 }
  }

  /// Takes one name; true when it is a directory to go into.
  private mutating func add(
    _ path: String, name: String, below directory: String, includes: [FileNamePattern],
    status: Result<FileStatus, SystemError>
  ) throws(BuildError) -> Bool {
    // Names come from readdir with malformed parts replaced; the replaced name would be another file's.
    guard !name.unicodeScalars.contains("\u{fffd}") else {
      throw .badName(path: path, expected: "a name in UTF-8", found: "other bytes")
    }
    let found: FileStatus
    do throws(SystemError) {
      found = try status.get()
    } catch {
      throw .source(path: "\(directory)/\(path)", error)
    }
    let kind = found.kind
    if kind == .directory { return true }
    let isObject = name.hasSuffix(Self.objectSuffix)
    guard isObject || includes.contains(where: { $0.matches(path) }) else {
      skipped.append(SkippedFile(path: path, reason: "not named *\(Self.objectSuffix) or by --include"))
      return false
    }
    guard kind == .regular else {
      skipped.append(SkippedFile(path: path, reason: "a \(kind.rawValue), not a regular file"))
      return false
    }
    guard !path.hasPrefix(".verity-bpf/"), path != ".verity-bpf" else {
      throw .badName(path: path, expected: "a path outside `.verity-bpf`, where the manifest goes", found: "one inside")
    }
    files.append(File(path: path, isObject: isObject, status: found))
    return false
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

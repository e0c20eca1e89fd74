internal import EROFS
internal import LinuxSys
internal import Manifest

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

  /// Lists everything below `directory`. Symbolic links are left out: what they lead to depends on the machine.
  init(_ directory: String, includes: [FileNamePattern]) throws(BuildError) {
    let root: FileStatus
    do throws(SystemError) {
      root = try FileStatus.of(path: directory)
    } catch {
      throw .source(path: directory, error)
    }
    guard root.kind == .directory else { throw .notADirectory(path: directory) }
    let limits = ErofsLimits()
    var entries = 0
    var pending: [(path: String, depth: Int)] = [("", 0)]
    while let current = pending.popLast() {
      let names: [String]
      do throws(SystemError) {
        names = try Directory.names(current.path.isEmpty ? directory : "\(directory)/\(current.path)")
      } catch {
        throw .source(path: "\(directory)/\(current.path)", error)
      }
      for name in names {
        let path = current.path.isEmpty ? name : "\(current.path)/\(name)"
        entries += 1
        guard entries < limits.entries, current.depth < limits.depth, path.utf8.count <= limits.pathBytes else {
          throw .badFile(
            path: path,
            expected: "at most \(limits.entries) files, \(limits.depth) levels, \(limits.pathBytes) bytes a path",
            found: "more")
        }
        if try add(path, name: name, below: directory, includes: includes) { pending.append((path, current.depth + 1)) }
      }
    }
    files.sort { $0.path.utf8.lexicographicallyPrecedes($1.path.utf8) }
    skipped.sort { $0.path.utf8.lexicographicallyPrecedes($1.path.utf8) }
  }

  /// Takes one name; true when it is a directory to go into.
  private mutating func add(
    _ path: String, name: String, below directory: String, includes: [FileNamePattern]
  ) throws(BuildError) -> Bool {
    // Names come from readdir with malformed parts replaced; the replaced name would be another file's.
    guard !name.unicodeScalars.contains("\u{fffd}") else {
      throw .badName(path: path, expected: "a name in UTF-8", found: "other bytes")
    }
    let status: FileStatus
    do throws(SystemError) {
      status = try FileStatus.of(path: "\(directory)/\(path)", followLinks: false)
    } catch {
      throw .source(path: "\(directory)/\(path)", error)
    }
    let kind = status.kind
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
    files.append(File(path: path, isObject: isObject, status: status))
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

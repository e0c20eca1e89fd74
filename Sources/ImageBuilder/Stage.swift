internal import ByteKit
internal import LinuxSys

/// A private copy of the files, with modes that do not depend on who builds: what mkfs.erofs packs.
struct Stage: ~Copyable {
  private let parent: PrivateDirectory
  private var directories: Set<String> = []

  /// The directory to pack.
  var root: String { "\(parent.path)/root" }

  private init(in parent: consuming PrivateDirectory) { self.parent = parent }

  /// An empty one for so many bytes, below `TMPDIR` or where the system keeps files in memory.
  static func make(byteCount: UInt64) throws(BuildError) -> Stage {
    do throws(SystemError) {
      let stage = Stage(
        in: try PrivateDirectory(prefix: "verity-bpf-build", in: Directory.scratch(byteCount: byteCount)))
      try Directory.create(stage.root)
      return stage
    } catch {
      throw .staging(error)
    }
  }

  /// Makes the directories above all of these paths.
  mutating func createDirectories(for paths: [String]) throws(BuildError) {
    do throws(SystemError) {
      for path in paths { try createDirectories(above: path) }
    } catch {
      throw .staging(error)
    }
  }

  private mutating func createDirectories(above path: String) throws(SystemError) {
    guard let end = path.utf8.lastIndex(of: UInt8(ascii: "/")), !directories.contains(String(path[..<end])) else {
      return
    }
    var directory = ""
    for component in path[..<end].split(separator: "/") {
      directory += directory.isEmpty ? component : "/\(component)"
      if directories.insert(directory).inserted { try Directory.create("\(root)/\(directory)", mode: 0o700) }
    }
  }

  /// Who writes the files, from any thread.
  var writer: Writer { Writer(root: root) }

  struct Writer: Sendable {
    let root: String

    /// Writes a file; the directories above it are there.
    func add(_ path: String, _ contents: [UInt8]) throws(BuildError) {
      do throws(SystemError) {
        let file = try OwnedFD.open("\(root)/\(path)", [.writeOnly, .create, .exclusive, .noFollow], mode: 0o600)
        try file.writeAll(contents.rawSpan)
        try file.setPermissions(0o444)
      } catch {
        throw .staging(error)
      }
    }
  }

  /// Gives the directories their final mode; nothing can be added afterwards.
  mutating func seal() throws(BuildError) {
    do throws(SystemError) {
      for directory in directories.sorted(by: { $0.utf8.count > $1.utf8.count }) {
        try Directory.setPermissions("\(root)/\(directory)", 0o555)
      }
      try Directory.setPermissions(root, 0o555)
    } catch {
      throw .staging(error)
    }
  }
}

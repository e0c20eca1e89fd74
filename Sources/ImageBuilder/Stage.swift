internal import ByteKit
internal import LinuxSys

/// A private copy of the files, with modes that do not depend on who builds: what mkfs.erofs packs.
struct Stage: ~Copyable {
  private let parent: PrivateDirectory
  private var directories: Set<String> = []

  /// The directory to pack.
  var root: String { "\(parent.path)/root" }

  private init(in parent: consuming PrivateDirectory) { self.parent = parent }

  /// An empty one, below `TMPDIR`.
  static func make() throws(BuildError) -> Stage {
    do throws(SystemError) {
      let stage = Stage(in: try PrivateDirectory(prefix: "verity-bpf-build"))
      try Directory.create(stage.root)
      return stage
    } catch {
      throw .staging(error)
    }
  }

  /// Writes a file and the directories above it.
  mutating func add(_ path: String, _ contents: [UInt8]) throws(BuildError) {
    do throws(SystemError) {
      try createDirectories(above: path)
      let file = try OwnedFD.open("\(root)/\(path)", [.writeOnly, .create, .exclusive, .noFollow], mode: 0o600)
      try file.writeAll(contents.rawSpan)
      try file.setPermissions(0o444)
    } catch {
      throw .staging(error)
    }
  }

  private mutating func createDirectories(above path: String) throws(SystemError) {
    let components = path.split(separator: "/")
    var directory = ""
    for component in components.dropLast() {
      directory += directory.isEmpty ? component : "/\(component)"
      if directories.insert(directory).inserted { try Directory.create("\(root)/\(directory)", mode: 0o700) }
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

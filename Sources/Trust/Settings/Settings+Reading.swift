internal import Base
internal import KernelABI
internal import Linux

/// Where settings are: `verity-bpf.conf`, of which the first in the order of the directories counts, and after it the drop-ins
/// `verity-bpf.conf.d/*.conf` of all of them, by their names; of two with one name the first counts (UAPI.6). An empty file and
/// a link to /dev/null mask what has the same name in a later directory.
extension Settings {
  /// In that order.
  public static let directories = ["/etc", "/run", "/usr/local/lib", "/usr/lib"].map { "\($0)/verity-bpf" }
  public static let file = "verity-bpf.conf"
  private static let suffix = ".conf"
  /// Bytes that a file may have.
  public static let sizeLimit = 1 << 20

  /// Reads the settings of this host.
  ///
  /// - Parameter root: what stands before every path; for tests.
  /// - Throws: ``SettingsError`` for a file that cannot be read or understood, or that others than root can change.
  public static func read(root: String = "") throws(SettingsError) -> Settings {
    var settings = Settings()
    for directory in directories {
      let path = "\(root)\(directory)/\(file)"
      guard let text = try contents(of: path, root: root) else { continue }
      if !text.isEmpty { try settings.read(text, of: path) }
      break
    }
    var dropIns: [String: String] = [:]
    for directory in directories.map({ "\(root)\($0)/\(file).d" }) {
      for name in try names(in: directory) where name.hasSuffix(suffix) && !name.hasPrefix(".") && dropIns[name] == nil
      {
        dropIns[name] = "\(directory)/\(name)"
      }
    }
    for (_, path) in dropIns.sorted(by: { $0.key.utf8.lexicographicallyPrecedes($1.key.utf8) }) {
      guard let text = try contents(of: path, root: root), !text.isEmpty else { continue }
      try settings.read(text, of: path)
    }
    return settings
  }

  private static func names(in directory: String) throws(SettingsError) -> [String] {
    do throws(SystemError) {
      return try Directory.names(directory)
    } catch {
      guard error.code == .enoent else { throw .system(error) }
      return []
    }
  }

  /// The bytes of a file; nil when it is not there, none when it masks.
  private static func contents(of path: String, root: String) throws(SettingsError) -> [UInt8]? {
    let status: FileStatus
    let bytes: [UInt8]?
    do throws(SystemError) {
      let link = try FileStatus.of(path: path, followLinks: false)
      if link.kind == .symbolicLink, try Directory.linkTarget(path) == "/dev/null" { return [] }
      let file = try OwnedFD.open(path, [.readOnly, .nonBlocking])
      status = try file.status()
      bytes = status.kind == .regular ? try file.readToEnd(limit: sizeLimit) : []
    } catch {
      guard error.code == .enoent else { throw .system(error) }
      return nil
    }
    guard status.kind == .regular else { throw .notAFile(path: path, kind: status.kind.rawValue) }
    if let reason = status.foreignControl() { throw .foreign(path: path, reason: reason) }
    try requireOwnDirectories(above: path, root: root)
    guard let bytes else { throw .tooLarge(path: path, limit: sizeLimit) }
    return bytes
  }

  /// Throws when others than root can put something else in the place of a file.
  private static func requireOwnDirectories(above path: String, root: String) throws(SettingsError) {
    for end in path.indices.dropFirst(root.count + 1) where path[end] == "/" {
      let directory = String(path[..<end])
      let status: FileStatus
      do throws(SystemError) { status = try FileStatus.of(path: directory) } catch { throw .system(error) }
      if let reason = status.foreignControl(allowsSticky: true) { throw .foreign(path: directory, reason: reason) }
    }
  }
}

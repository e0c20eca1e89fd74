internal import KernelABI
public import Linux

/// The linking helper's executable: the one beside the program that runs, and no other.
///
/// It is opened once, and what is open is what is executed. It has to be as hard to replace as the loader itself: on the same
/// file system, which is the same volume where that is one, of the same owner, and writable by nobody else.
public enum HelperExecutable {
  /// Its name, in the directory of the loader's own executable.
  public static let name = "verity-bpf-link"

  /// Opens it.
  public static func open() throws(LinkHelperError) -> OwnedFD {
    // What was removed or replaced while it runs has no name any more, and nothing is beside it.
    guard let own = ProcessIdentity.current().executable, let slash = own.lastIndex(of: "/") else {
      throw .unsuitable(path: name, expected: "this program to have a path, beside which it lies", found: "none")
    }
    return try open(beside: own, in: String(own[...slash]))
  }

  static func open(beside own: String, in directory: String) throws(LinkHelperError) -> OwnedFD {
    let path = directory + name
    let file = try opened(path)
    let status: FileStatus
    let ours: FileStatus
    do throws(SystemError) {
      status = try file.status()
      ours = try FileStatus.of(path: own)
    } catch {
      throw .notStarted(path: path, error)
    }
    try require(status, ours, path: path)
    return file
  }

  private static func opened(_ path: String) throws(LinkHelperError) -> OwnedFD {
    do throws(SystemError) {
      return try OwnedFD.open(path, [.readOnly, .noFollow])
    } catch {
      throw error.code == .enoent ? .missing(path: path) : .notStarted(path: path, error)
    }
  }

  private static func require(_ file: FileStatus, _ own: FileStatus, path: String) throws(LinkHelperError) {
    guard file.kind == .regular else {
      throw .unsuitable(path: path, expected: "a regular file", found: "a \(file.kind.rawValue)")
    }
    guard file.device == own.device else {
      throw .unsuitable(
        path: path, expected: "a file of the file system that this program is on, \(own.device)",
        found: "one of \(file.device)")
    }
    guard file.owner == own.owner, file.mode & 0o022 == 0 else {
      throw .unsuitable(
        path: path, expected: "a file of user \(own.owner) that no other user may write to",
        found: "user \(file.owner), mode \(String(file.mode, radix: 8))")
    }
  }
}

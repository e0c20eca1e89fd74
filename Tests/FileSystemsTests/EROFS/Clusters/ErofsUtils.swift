import Glibc
import Linux
import TestSupport
import Testing

/// Programs of erofs-utils: this machine's, and the newer ones that tools/debian got.
struct ErofsUtils: Sendable, CustomTestStringConvertible {
  /// A suite of Debian's, or nil for what is on the path.
  let suite: String?

  var testDescription: String { suite ?? "installed" }

  static let installed = ErofsUtils(suite: nil)
  /// All there are. What could not be got was said when it was tried.
  static let all = [installed] + ["trixie", "sid"].map { ErofsUtils(suite: $0) }.filter(\.isThere)
  /// The newest that was got.
  static var newest: ErofsUtils? { all.last { $0.suite != nil } }

  private var directory: String {
    let home = getenv("HOME").map { String(cString: $0) } ?? "/root"
    let cache = getenv("XDG_CACHE_HOME").map { String(cString: $0) } ?? "\(home)/.cache"
    return "\(cache)/verity-bpf/debian/\(suite ?? "")/erofs-utils"
  }

  private var isThere: Bool { (try? FileStatus.of(path: tool("mkfs.erofs"))) != nil }

  /// The path of a program.
  func tool(_ name: String) -> String { suite == nil ? name : "\(directory)/\(name)" }
}

import ByteKit
import Diagnostics
import DiskLayout
import LinuxSys

/// The root hash a user trusts beforehand: its digits, or the file that holds them.
struct TrustedRootHash {
  var hash: String?
  var file: String?

  init(hash: String? = nil, file: String? = nil) {
    self.hash = hash
    self.file = file
  }

  /// Whether these are the digits of a root hash.
  static func isRootHash(_ text: String) -> Bool { (try? RootHashFile.parse(argument: text)) != nil }

  /// The root hash, when one was named.
  func expected() throws -> Digest? {
    if let hash { return try RootHashFile.parse(argument: hash) }
    guard let file else { return nil }
    return try Self.read(file: file)
  }

  /// Reads a root-hash file.
  static func read(file: String) throws -> Digest {
    let descriptor = try OwnedFD.openRegular(file)
    let bytes = try descriptor.readToEnd(limit: 4096) ?? Array(repeating: 0, count: RootHashFile.maximumByteCount + 1)
    do throws(LayoutError) {
      return try RootHashFile.parse(bytes)
    } catch {
      var diagnostic = error.diagnostic
      diagnostic.message = "root-hash file `\(file)`: \(diagnostic.message)"
      throw DiagnosedFailure(diagnostic)
    }
  }
}

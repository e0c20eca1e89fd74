internal import Base
internal import KernelABI
internal import Linux

/// The certificates for root hashes in systemd's `verity.d` directories (systemd-dissect, dissect-image.c).
///
/// A name in an earlier directory stands for the same name in the later ones; an empty file and a link to /dev/null mask
/// it (UAPI.6).
enum VerityDropIns {
  static let directories = ["/etc/verity.d", "/run/verity.d", "/usr/local/lib/verity.d", "/usr/lib/verity.d"]
  static let suffix = ".crt"
  /// The name of the set.
  static let set = "verity.d"

  /// The certificates, and what was passed over.
  ///
  /// - Throws: ``TrustError/unreadable(_:)`` for a directory or mask that cannot be looked at.
  static func read(root: String) throws(TrustError) -> (certificates: [CertificateFile], problems: [Diagnostic]) {
    var seen: Set<String> = []
    var certificates: [CertificateFile] = []
    var problems: [Diagnostic] = []
    for directory in directories.map({ root + $0 }) {
      for name in try CertificateFile.names(in: directory) ?? []
      where name.hasSuffix(suffix) && seen.insert(name).inserted {
        let path = "\(directory)/\(name)"
        if try isMask(path) { continue }
        do throws(TrustError) {
          let file = try CertificateFile(only: path)
          certificates.append(file)
          problems += file.problems
        } catch {
          problems.append(error.diagnostic)
        }
      }
    }
    return (certificates, problems)
  }

  private static func isMask(_ path: String) throws(TrustError) -> Bool {
    if try CertificateFile.kind(of: path) == .symbolicLink, try CertificateFile.target(of: path) == "/dev/null" {
      return true
    }
    do throws(SystemError) {
      let status = try FileStatus.of(path: path)
      return status.kind == .regular && status.size == 0
    } catch {
      // A link to nothing is no mask; the reader of the certificate says what is wrong.
      guard error.code == .enoent else { throw .unreadable(error) }
      return false
    }
  }
}

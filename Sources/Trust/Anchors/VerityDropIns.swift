internal import Base
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
  static func read(root: String) -> (certificates: [CertificateFile], problems: [Diagnostic]) {
    var seen: Set<String> = []
    var certificates: [CertificateFile] = []
    var problems: [Diagnostic] = []
    for directory in directories.map({ root + $0 }) {
      let names = (try? Directory.names(directory)) ?? []
      for name in names where name.hasSuffix(suffix) && seen.insert(name).inserted {
        let path = "\(directory)/\(name)"
        if isMask(path) { continue }
        do throws(TrustError) {
          certificates.append(try CertificateFile(only: path))
        } catch {
          problems.append(error.diagnostic)
        }
      }
    }
    return (certificates, problems)
  }

  private static func isMask(_ path: String) -> Bool {
    if (try? Directory.linkTarget(path)) == "/dev/null" { return true }
    guard let status = try? FileStatus.of(path: path) else { return false }
    return status.kind == .regular && status.size == 0
  }
}

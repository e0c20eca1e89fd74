internal import Base
internal import KernelABI
internal import Linux
internal import Signatures

/// A file of certificates in PEM, read once.
struct CertificateFile {
  /// Bytes that a file may have. A certificate has about two thousand.
  static let limit = 1 << 20

  let pem: [UInt8]
  /// SHA-256 over the DER form of each certificate in it: one or more.
  let fingerprints: [Digest]
  /// The keys that lie beside them, each as a thing to tell.
  let problems: [Diagnostic]

  /// Reads every certificate of a file.
  init(_ path: String) throws(TrustError) {
    pem = try Self.bytes(of: path)
    do throws(SignatureError) {
      let certificates = try Certificates(pem: pem)
      fingerprints = try certificates.fingerprints()
      problems = certificates.keys.map {
        TrustError.keyAmongCertificates(path: path, block: $0.block, label: $0.label).diagnostic
      }
    } catch {
      throw .certificate(path: path, error)
    }
  }

  /// Reads a file in a place where readers differ about a second certificate: systemd takes the first of `verity.d`, and
  /// a mask of UAPI.11 is for one verifier. So there has to be exactly one.
  init(only path: String) throws(TrustError) {
    try self.init(path)
    guard fingerprints.count == 1 else { throw .certificateCount(path: path, count: fingerprints.count) }
  }

  /// The bytes of a regular file, without waiting for a FIFO's writer.
  static func bytes(of path: String, limit: Int = Self.limit) throws(TrustError) -> [UInt8] {
    let (kind, bytes): (FileStatus.Kind, [UInt8]?)
    do throws(SystemError) {
      let file = try OwnedFD.open(path, [.readOnly, .nonBlocking])
      kind = try file.status().kind
      bytes = kind == .regular ? try file.readToEnd(limit: limit) : nil
    } catch {
      throw .system(error)
    }
    guard kind == .regular else { throw .notAFile(path: path, kind: kind.rawValue) }
    guard let bytes else { throw .tooLarge(path: path, limit: limit) }
    return bytes
  }

  /// The names in a directory where certificates are kept; nil when it is not there. What cannot be read is an error: it
  /// could hold a mask.
  static func names(in directory: String) throws(TrustError) -> [String]? {
    do throws(SystemError) {
      return try Directory.names(directory)
    } catch {
      guard error.code == .enoent else { throw .unreadable(error) }
      return nil
    }
  }

  /// What kind of file a name is, without following it; nil when it is not there.
  static func kind(of path: String) throws(TrustError) -> FileStatus.Kind? {
    do throws(SystemError) {
      return try FileStatus.of(path: path, followLinks: false).kind
    } catch {
      guard error.code == .enoent else { throw .unreadable(error) }
      return nil
    }
  }

  /// Where a symbolic link leads.
  static func target(of path: String) throws(TrustError) -> String {
    do throws(SystemError) { return try Directory.linkTarget(path) } catch { throw .unreadable(error) }
  }
}

public import Base
internal import KernelABI
public import Linux

/// Why an audit log cannot be read. A reader must not take that for a log that says nothing of a
/// program.
public enum AuditReadError: Error, Equatable, Sendable {
  /// The directory has no file of the log.
  case missing(directory: String)
  /// The system does not let us read it.
  case unreadable(path: String, SystemError)
  /// It is no text; the text names what it is.
  case format(path: String, of: String, next: String)
  /// It is compressed in a way that is not known here; the text names it.
  case compression(path: String, by: String)
  /// The library that undoes the compression is not there.
  case noDecompressor(path: String, reason: String)
  /// It is compressed, and damaged or cut.
  case damaged(path: String)
  /// Its files were others each time they had been read.
  case changing(directory: String)
  /// What tells this start of the machine from others cannot be read.
  case noBootID
}

extension AuditReadError: Diagnosable {
  public var diagnostic: Diagnostic {
    switch self {
    case .missing(let directory):
      Diagnostic(
        "audit.missing", .incomplete, "there is no audit log in `\(directory)`",
        expected: "audit.jsonl (for replay also audit.log), or what rotation has made of it", found: "no such file",
        why: "without records nothing can be said of the programs that are loaded",
        next: "name the directory that load wrote to with --audit-dir")
    case .unreadable(let path, let error):
      Diagnostic(
        "audit.unreadable", .incomplete, "the audit log `\(path)` cannot be read",
        expected: "a regular file that this process may read", found: error.description,
        next: error.code == .eacces ? "run as root" : error.diagnostic.next)
    case .format(let path, let format, let next):
      Diagnostic(
        "audit.format", .unsupported, "the audit log `\(path)` is \(format)",
        expected: "text, in whatever form of audit records", found: format, next: next)
    case .compression(let path, let format):
      Diagnostic(
        "audit.compression", .unsupported, "the audit log `\(path)` is compressed by \(format)",
        expected: "plain text, gzip, zstd or xz", found: format,
        next: "decompress it, or have logrotate use gzip, zstd or xz")
    case .noDecompressor(let path, let reason):
      Diagnostic(
        "audit.no-decompressor", .unsupported,
        "the audit log `\(path)` is compressed, and its library cannot be opened",
        expected: "libz.so.1 for gzip, libzstd.so.1 for zstd, liblzma.so.5 for xz", found: reason,
        next: "install the library")
    case .damaged(let path):
      Diagnostic(
        "audit.damaged-file", .incomplete, "the compressed audit log `\(path)` is damaged or cut short",
        expected: "a whole file", found: "the decompressor refuses it",
        why: "what was recorded in it is not known", next: "restore it from a backup, or move it out of the directory")
    case .changing(let directory):
      Diagnostic(
        "audit.changing", .incomplete,
        "the files of the audit log in `\(directory)` were others each time they were read",
        next: "try again when the rotation is done")
    case .noBootID:
      Diagnostic(
        "audit.no-boot-id", .incomplete, "what tells this start of the machine from others cannot be read",
        expected: KernelStatement.bootIdentifier.place(), next: "mount procfs")
    }
  }
}

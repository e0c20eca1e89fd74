internal import Base
internal import KernelABI
internal import Linux

/// The whole logs of the verifier, in files that only their owner reads: they can hold addresses of the kernel.
///
/// Where the caller names no file, the newest are kept in one directory, so that what a machine refuses at boot can be read
/// afterwards and nothing grows. They are no records: a load does not depend on them.
enum KeptLogs {
  /// How many are kept.
  static let countLimit = 16
  /// Bytes of a log that are kept: its end, where the verifier says what it has against the program.
  static let byteLimit = 1 << 20
  /// How their names end.
  static let suffix = ".verifier.log"

  /// Writes a log.
  ///
  /// - Parameter program: the program's name in the kernel.
  /// - Returns: the file; nil where none could be written.
  static func keep(_ text: String, of program: String, _ options: LoadOptions) -> String? {
    if let path = options.verifierLog { return write(Array(text.utf8), to: path) ? path : nil }
    guard let directory = options.logDirectory, prepare(directory) else { return nil }
    // Times of one form sort by their names.
    let time = Timestamp.now().rfc3339.filter { $0 != ":" }
    let random = String(UInt32.random(in: .min ... .max), radix: 16)
    let path = "\(directory)/\(time)-\(program)-\(random)\(suffix)"
    guard write(end(of: Array(text.utf8)), to: path) else { return nil }
    removeOldest(in: directory)
    return path
  }

  /// Makes the directory where it is missing; false where others could read or change what is in it.
  private static func prepare(_ path: String) -> Bool {
    do throws(SystemError) {
      try Directory.create(path, mode: 0o700)
    } catch {
      guard error.code == .eexist else { return false }
    }
    guard let status = try? FileStatus.of(path: path, followLinks: false), status.kind == .directory else {
      return false
    }
    return status.mode & 0o077 == 0
      && (status.owner == 0 || status.owner == UInt64(ProcessIdentity.effectiveUser))
  }

  private static func end(of log: [UInt8]) -> [UInt8] {
    guard log.count > byteLimit else { return log }
    let cut = "[the first \(log.count - byteLimit) bytes are left out; --verifier-log FILE keeps all]\n"
    return Array(cut.utf8) + log.suffix(byteLimit)
  }

  private static func write(_ bytes: [UInt8], to path: String) -> Bool {
    do throws(SystemError) {
      let file = try PendingFile(replacing: path, mode: 0o600)
      try file.descriptor.writeAll(bytes.rawSpan)
      try file.commit()
      return true
    } catch {
      return false
    }
  }

  /// Another process may have removed the same.
  private static func removeOldest(in directory: String) {
    let names = ((try? Directory.names(directory)) ?? []).filter { $0.hasSuffix(suffix) }
    for name in names.dropLast(countLimit) { Cleanup.removeTree("\(directory)/\(name)") }
  }
}

internal import CLinuxShim
internal import Glibc

/// The program that this process runs.
public enum ProcessImage {
  /// The path of its file, without symbolic links.
  ///
  /// - Throws: ``SystemError`` where there is no /proc.
  public static func path() throws(SystemError) -> String {
    let link = "/proc/self/exe"
    var target = [UInt8](repeating: 0, count: Int(PATH_MAX))
    let length = unsafe target.withUnsafeMutableBytes { buffer in
      guard let base = buffer.baseAddress else { return -1 }
      return unsafe readlink(link, base, buffer.count)
    }
    guard length > 0, length < target.count else { throw .current("readlink", path: link) }
    return String(decoding: target[..<length], as: UTF8.self)
  }

  /// Becomes another program, started with the same words and the same open files. Returns only by throwing.
  public static func replace(with path: String) throws(SystemError) -> Never {
    unsafe vb_become(path)
    throw .current("execve", path: path)
  }

  /// Sets the name under which the process is listed and recorded: /proc/self/comm, at most 15 bytes.
  public static func name(_ command: String) { _ = unsafe vb_set_command(command) }

  /// Ends the process.
  public static func end(_ status: Int32) -> Never { exit(status) }
}

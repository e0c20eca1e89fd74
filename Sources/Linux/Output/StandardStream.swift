internal import Base
internal import Glibc

/// The process's standard output and error, written by descriptor: no buffer that another thread could share.
public enum StandardStream: CInt, Sendable {
  case output = 1
  case error = 2

  /// Writes the text. Errors are reported, so that a full disk under a redirected output does not pass for success.
  public func write(_ text: String) throws(SystemError) { try write(Array(text.utf8)) }

  /// Writes the bytes; see ``write(_:)-(String)``.
  public func write(_ bytes: [UInt8]) throws(SystemError) {
    var bytes = bytes[...]
    while !bytes.isEmpty {
      let wrote = unsafe bytes.withUnsafeBytes { unsafe Glibc.write(rawValue, $0.baseAddress, $0.count) }
      if wrote < 0 {
        if Glibc.errno == EINTR { continue }
        throw .current("write", path: self == .output ? "standard output" : "standard error")
      }
      bytes = bytes.dropFirst(wrote)
    }
  }

  /// Opens /dev/null under each of the numbers 0 to 2 that the process was started without, so that no file of ours
  /// gets such a number and is written to as if it were a stream.
  ///
  /// For reading only: what is written to a stream that was closed is lost, and writing says so (EBADF).
  public static func fillGaps() {
    var opened: CInt
    repeat { opened = unsafe open("/dev/null", O_RDONLY) } while opened >= 0 && opened <= 2
    if opened > 2 { close(opened) }
  }

  /// Whether a person may be watching.
  public var isTerminal: Bool { isatty(rawValue) == 1 }

  /// Columns of the terminal, or nil when there is none.
  public var terminalWidth: Int? {
    var size = winsize()
    guard unsafe ioctl(rawValue, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0 else { return nil }
    return Int(size.ws_col)
  }
}

/// What the process was given by its environment.
public enum Environment {
  /// The variable's value, when it is set.
  public static func value(_ name: String) -> String? {
    unsafe getenv(name).map { unsafe String(systemCString: $0) }
  }

  /// Variables by which libraries that are loaded on demand find their configuration, and code: of libcrypto
  /// (openssl-env(7)), of libcryptsetup by way of it, of libdevmapper, and of what glibc converts texts with.
  public static let ofLibraries = [
    "CTLOG_FILE", "OPENSSL_CONF", "OPENSSL_CONF_INCLUDE", "OPENSSL_ENGINES", "OPENSSL_MODULES", "SSL_CERT_DIR",
    "SSL_CERT_FILE", "DM_DEFAULT_NAME_MANGLING_MODE", "DM_DEV_DIR", "DM_DISABLE_UDEV", "DM_UDEV_COOKIE", "GCONV_PATH",
  ]

  /// Takes variables out. Other threads may be reading the environment, so this is for before they start.
  public static func forget(_ names: [String]) {
    for name in names { unsafe unsetenv(name) }
  }
}

public import KernelABI
internal import CLinuxShim
internal import Glibc

/// A system call that failed, with what it was about.
public struct SystemError: Error, Equatable, Sendable, CustomStringConvertible {
  /// The call, as its manual page names it (`openat`, `ioctl LOOP_CONFIGURE`).
  public let operation: String
  /// The path or device concerned, when there is one.
  public let path: String?
  /// The error number.
  public let errno: CInt
  /// Bytes that the file may have at most, where that is what is wrong with it.
  public private(set) var limit: Int?
  /// What the kernel was to state, where it could not be asked: what would have answered is not the kernel, or nothing
  /// answers. That is neither a yes nor a no.
  public private(set) var unanswered: KernelStatement?
  /// What was found in its place, in a few words; nil where the call's own error says it.
  public private(set) var found: String?

  public init(_ operation: String, path: String? = nil, errno: CInt) {
    self.operation = operation
    self.path = path
    self.errno = errno
  }

  /// The error the calling thread has just met.
  static func current(_ operation: String, path: String? = nil) -> SystemError {
    SystemError(operation, path: path, errno: Glibc.errno)
  }

  /// A failure that the caller found itself, and that a system call would have answered with this.
  public init(_ operation: String, path: String? = nil, _ code: Errno) {
    self.init(operation, path: path, errno: code.rawValue)
  }

  /// A file that is larger than its reader takes.
  ///
  /// - Parameter limit: bytes that it may have at most.
  public static func tooLarge(_ path: String? = nil, limit: Int) -> SystemError {
    var error = SystemError("read", path: path, .efbig)
    error.limit = limit
    return error
  }

  /// The kernel could not be asked for a statement.
  ///
  /// - Parameters:
  ///   - path: where it would have been asked.
  ///   - found: what lies there instead, in a few words.
  public static func unanswered(
    _ statement: KernelStatement, at path: String, found: String? = nil, errno: CInt? = nil
  ) -> SystemError {
    var error = SystemError("ask the kernel", path: path, errno: errno ?? EXDEV)
    error.unanswered = statement
    error.found = found
    return error
  }

  /// The same failure, as one of asking for a statement.
  func asking(_ statement: KernelStatement) -> SystemError {
    var error = self
    error.unanswered = statement
    return error
  }

  /// The error number, where it is known here.
  public var code: Errno? { Errno(rawValue: errno) }

  /// The macro's name, `ENOENT`.
  public var errnoName: String { code?.name ?? "errno \(errno)" }

  /// The text of the error, in the C locale, lower-case as all our messages.
  public var errnoText: String {
    guard let text = unsafe vb_errno_text(errno) else { return "unknown error" }
    let sentence = unsafe String(cString: text)
    return sentence.prefix(1).lowercased() + sentence.dropFirst()
  }

  public var description: String {
    let object = path.map { " `\($0)`" } ?? ""
    if let found { return "\(operation)\(object): found \(found)" }
    let reason = limit.map { "more than \($0) bytes" } ?? errnoText
    return "\(operation)\(object): \(reason) (\(errnoName))"
  }
}

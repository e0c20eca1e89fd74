internal import Base
public import KernelABI
internal import CLinuxShim
internal import Glibc

/// Files that the kernel makes up, in sysfs, procfs and their like, told from what root may have put in their place.
///
/// Decisions hang on a few of these words, and a path proves nothing: anything can be bound over a file, over one of the
/// directories above it, or over the whole file system. So the file system is asked for its type on the open descriptor
/// of its root (statfs(2), include/uapi/linux/magic.h), and from there the path may cross no mount (openat2(2),
/// RESOLVE_NO_XDEV, kernel 5.6 and later): neither an ordinary file nor another of the kernel's own, bound over the one
/// that is asked for, is read.
///
/// What is asked for is a ``KernelStatement``, with the words that stand for the `*` of its path.
public enum KernelFile {
  /// What the kernel says in one of its files.
  public enum Answer: Equatable, Sendable {
    /// The text, without the line feed at its end.
    case text(String)
    /// The kernel has no such file: its own file system says so.
    case absent
    /// It could not be asked: the file system is not mounted where it belongs, something lies over the file, it may not be
    /// read, or what it says is no text. A decision that depends on the answer has to expect the worst.
    case unknown(SystemError)

    /// The text, when there is one.
    public var text: String? {
      guard case .text(let text) = self else { return nil }
      return text
    }
  }

  /// Bytes of the longest text that is read by default.
  private static let limit = 1 << 16

  /// Bytes of the longest attribute of sysfs: a page of the smallest size that Linux has.
  private static let longestAttribute = 4096

  // MARK: Questions

  /// Asks the kernel.
  public static func read(_ statement: KernelStatement, _ words: String...) -> Answer { read(statement, words) }

  /// The same with an array of words.
  public static func read(_ statement: KernelStatement, _ words: [String]) -> Answer {
    do throws(SystemError) {
      guard let bytes = try textBytes(of: statement, words) else { return .absent }
      // Only the line feed that the kernel adds is not part of the value: a path may end in blanks.
      guard let text = String(validating: bytes.last == 0x0a ? bytes.dropLast() : bytes[...], as: UTF8.self) else {
        throw .unanswered(statement, at: statement.place(words), found: "bytes that are no UTF-8", errno: EILSEQ)
      }
      return .text(text)
    } catch {
      return .unknown(error)
    }
  }

  /// The text; nil when the kernel has no such file.
  ///
  /// - Throws: `SystemError` with ``SystemError/unanswered`` when it could not be asked.
  public static func ask(_ statement: KernelStatement, _ words: String...) throws(SystemError) -> String? {
    try ask(statement, words)
  }

  static func ask(_ statement: KernelStatement, _ words: [String]) throws(SystemError) -> String? {
    switch read(statement, words) {
    case .text(let text): return text
    case .absent: return nil
    case .unknown(let error): throw error
    }
  }

  /// The text as a decimal number; nil when the kernel has no such file.
  ///
  /// - Throws: `SystemError` with ``SystemError/unanswered`` when it could not be asked, or says something else.
  public static func askNumber(_ statement: KernelStatement, _ words: String...) throws(SystemError) -> UInt64? {
    guard let text = try ask(statement, words) else { return nil }
    guard let number = UInt64(text) else {
      throw .unanswered(statement, at: statement.place(words), found: "`\(text)`, which is no number", errno: EINVAL)
    }
    return number
  }

  /// Whether the kernel has such a file or directory, whatever is in it.
  ///
  /// - Throws: `SystemError` with ``SystemError/unanswered`` when it could not be asked.
  public static func has(_ statement: KernelStatement, _ words: String...) throws(SystemError) -> Bool {
    try opened(statement, words, VB_O_PATH) { _ throws(SystemError) in true } ?? false
  }

  /// The text, where nothing but a message or the worst follows from its absence; nil when the kernel has no such file
  /// or could not be asked.
  public static func text(_ statement: KernelStatement, _ words: String...) -> String? { read(statement, words).text }

  /// The bytes of a file that is no text; nil when the kernel has no such file.
  ///
  /// - Parameter limit: bytes that it may have at most.
  public static func bytes(
    of statement: KernelStatement, _ words: String..., limit: Int
  ) throws(SystemError) -> [UInt8]? { try bytes(of: statement, words, limit: limit) }

  private static func bytes(
    of statement: KernelStatement, _ words: [String], limit: Int
  ) throws(SystemError) -> [UInt8]? {
    try opened(statement, words) { file throws(SystemError) in
      do throws(SystemError) {
        return try file.readToEnd(of: statement.place(words), limit: limit)
      } catch {
        throw error.asking(statement)
      }
    }
  }

  /// The bytes of a file that is text. Of sysfs's attributes one read is the whole, as none is longer than a page
  /// (Documentation/filesystems/sysfs.rst), and it fills a buffer as far as it can (fs/seq_file.c, seq_read_iter).
  private static func textBytes(
    of statement: KernelStatement, _ words: [String]
  ) throws(SystemError) -> [UInt8]? {
    guard (try? place(of: statement.place(words), statement))?.type == .sysfs else {
      return try bytes(of: statement, words, limit: limit)
    }
    return try opened(statement, words) { file throws(SystemError) in
      var attribute = [UInt8](repeating: 0, count: longestAttribute + 1)
      do throws(SystemError) {
        let count = try file.readSome(into: &attribute)
        if count <= longestAttribute { return Array(attribute[..<count]) }
        return try attribute + file.readToEnd(of: statement.place(words), limit: limit)
      } catch {
        throw error.asking(statement)
      }
    }
  }

  /// The names in one of the kernel's directories, sorted bytewise; nil when the kernel has no such directory.
  ///
  /// - Throws: `SystemError` with ``SystemError/unanswered`` when it could not be asked.
  public static func names(_ statement: KernelStatement, _ words: String...) throws(SystemError) -> [String]? {
    try opened(statement, words) { directory throws(SystemError) in
      do throws(SystemError) {
        return try Directory.names(of: directory, path: statement.place(words))
      } catch {
        throw error.asking(statement)
      }
    }
  }

  /// Where one of the kernel's directories stands in the order in which sysfs made its own; nil when there is none.
  ///
  /// sysfs numbers what it holds as it comes and never takes a number twice (fs/kernfs/dir.c, __kernfs_new_node: 64 bits
  /// since Linux 5.5), and the inode's number is this one. Times say nothing: an inode has that of its first look-up.
  public static func order(of statement: KernelStatement, _ words: String...) throws(SystemError) -> UInt64? {
    try opened(statement, words, VB_O_PATH) { directory throws(SystemError) in
      do throws(SystemError) { return try directory.status().inode } catch { throw error.asking(statement) }
    }
  }

  /// Where one of the kernel's symbolic links leads; nil when there is none, it could not be asked, or it is no text.
  public static func link(_ statement: KernelStatement, _ words: String...) -> String? {
    let path = statement.place(words)
    guard let slash = path.lastIndex(of: "/"), let directory = try? open(String(path[..<slash]), for: statement) else {
      return nil
    }
    var target = [CChar](repeating: 0, count: Int(PATH_MAX) + 1)
    let count = directory.withRaw { raw in
      unsafe String(path[path.index(after: slash)...]).withCString { name in
        unsafe target.withUnsafeMutableBufferPointer { buffer in
          guard let start = buffer.baseAddress else { return 0 }
          return unsafe readlinkat(raw, name, start, buffer.count)
        }
      }
    }
    guard count > 0, count < target.count else { return nil }
    return String(systemBytes: target.prefix(count).map { UInt8(bitPattern: $0) })
  }

  /// Opens one of the kernel's files.
  ///
  /// - Throws: `SystemError`: ENOENT when the kernel has none; with ``SystemError/unanswered`` when it could not be asked.
  public static func open(_ statement: KernelStatement, _ words: String...) throws(SystemError) -> OwnedFD {
    try open(statement.place(words), for: statement)
  }

  /// Tells the kernel something, in one call: what is written to its files is taken as a whole.
  ///
  /// - Throws: `SystemError`, with ``SystemError/unanswered`` when the file of its own that says so could not be read.
  public static func write(_ text: String, to statement: KernelStatement, _ words: String...) throws(SystemError) {
    let path = statement.place(words)
    let file = try open(path, for: statement, VB_O_WRONLY)
    let bytes = text.systemBytes
    let wrote = file.withRaw { raw in unsafe bytes.withUnsafeBytes { unsafe Glibc.write(raw, $0.baseAddress, $0.count) }
    }
    if wrote != bytes.count { throw .current("write", path: path) }
  }

  /// The calling thread's network namespace.
  public static func openNetworkNamespace() throws(SystemError) -> OwnedFD {
    let statement = KernelStatement.networkNamespace
    // The last step is a link of procfs that leads into another file system of the kernel's.
    let namespace = try open(statement).open(at: "net", .readOnly)
    guard try namespace.fileSystemType() == FileSystemMagic.nsfs.rawValue else {
      throw .unanswered(statement, at: "\(statement.place())/net", found: "what is no namespace")
    }
    return namespace
  }

  /// The file that the calling process runs, whatever its path leads to now.
  public static func openExecutable() throws(SystemError) -> OwnedFD {
    let statement = KernelStatement.executable
    // The link itself: nothing is mounted on it, and it is procfs's.
    _ = try open(statement.place(), for: statement, VB_O_PATH | VB_O_NOFOLLOW)
    let directory = try open(String(statement.place().dropLast("/exe".count)), for: statement, VB_O_PATH)
    let file = try directory.open(at: "exe", .readOnly)
    _ = try open(statement.place(), for: statement, VB_O_PATH | VB_O_NOFOLLOW)
    return file
  }

  /// Whether the file system that a statement is read from is mounted where it belongs.
  static func isMounted(_ statement: KernelStatement) -> Bool {
    (try? withRoot(of: statement.place(), statement) { _ throws(SystemError) in true }) ?? false
  }

  /// What lies at a statement's path, by whatever hand. Only for statements that are not authenticated; nil for every
  /// other, and where there is nothing.
  static func shown(_ statement: KernelStatement, _ words: String..., limit: Int = KernelFile.limit) -> [UInt8]? {
    guard statement.authentication == .none else { return nil }
    return try? OwnedFD.open(statement.place(words), .readOnly).readToEnd(limit: limit)
  }

  // MARK: How they are put

  /// Opens a file for a question; nil when the kernel has none.
  private static func opened<Result>(
    _ statement: KernelStatement, _ words: [String], _ flags: CInt = VB_O_RDONLY,
    _ use: (borrowing OwnedFD) throws(SystemError) -> Result
  ) throws(SystemError) -> Result? {
    let file: OwnedFD
    do throws(SystemError) {
      file = try open(statement.place(words), for: statement, flags)
    } catch {
      // Below a genuine root, without crossing a mount: so it is the kernel that has none.
      if error.unanswered == nil, error.errno == ENOENT || error.errno == ENOTDIR { return nil }
      throw error.unanswered == nil ? error.asking(statement) : error
    }
    return try use(file)
  }

  /// - Throws: without ``SystemError/unanswered`` only what the kernel's own file system says.
  private static func open(
    _ path: String, for statement: KernelStatement, _ flags: CInt = VB_O_RDONLY
  ) throws(SystemError) -> OwnedFD {
    let rest = path.dropFirst(try place(of: path, statement).path.utf8.count + 1)
    return try withRoot(of: path, statement) { root throws(SystemError) in
      let descriptor = root.withRaw { raw in
        unsafe (rest.isEmpty ? "." : String(rest)).withCString { unsafe vb_open_within_mount(raw, $0, flags) }
      }
      guard descriptor >= 0 else {
        let error = SystemError.current("openat2", path: path)
        if error.errno == EXDEV { throw .unanswered(statement, at: path, found: "something that was put over it") }
        throw error
      }
      return OwnedFD(adopting: descriptor)
    }
  }
}

internal import KernelABI
internal import CLinuxShim
internal import Glibc

/// Files that the kernel makes up, in sysfs, procfs and securityfs, told from what root may have put in their place.
///
/// Decisions hang on a few of these words, and a path proves nothing: anything can be bound over a file, over one of the
/// directories above it, or over the whole file system. So the file system is asked for its type on the open descriptor
/// of its root (statfs(2), include/uapi/linux/magic.h), and from there the way may cross no mount (openat2(2),
/// RESOLVE_NO_XDEV, kernel 5.6 and later): neither an ordinary file nor another of the kernel's own, bound over the one
/// that is asked for, is read.
public enum KernelFile {
  /// What the kernel says in one of its files.
  public enum Answer: Equatable, Sendable {
    /// The text, without the line feed at its end.
    case text(String)
    /// The kernel has no such file: its own file system says so.
    case absent
    /// It could not be asked: the file system is not mounted where it belongs, something lies over the file (EXDEV), or
    /// it may not be read. Who decides by the answer has to expect the worst.
    case unknown(SystemError)

    /// The text, when there is one.
    public var text: String? {
      guard case .text(let text) = self else { return nil }
      return text
    }
  }

  /// One of the kernel's file systems, and where it belongs.
  private struct Place {
    let path: String
    /// `f_type` of statfs(2).
    let type: FileSystemMagic
    /// Whether the root's inode number, which the kernel gives, has to be 1: no directory of the same file system lies
    /// in its place. Not asked of /proc/sys, which is a directory that containers like to bind onto itself, and below
    /// which there are paths that no other directory of procfs has.
    let isRoot: Bool
  }

  /// The longer paths first.
  private static let places = [
    Place(path: "/sys/kernel/security", type: .securityfs, isRoot: true),
    Place(path: "/sys", type: .sysfs, isRoot: true),
    Place(path: "/proc/sys", type: .proc, isRoot: false),
    Place(path: "/proc", type: .proc, isRoot: true),
  ]

  /// Bytes of the longest text that is read.
  private static let limit = 1 << 16

  /// Asks the kernel.
  ///
  /// - Parameter path: below /sys, /proc or /sys/kernel/security.
  public static func read(_ path: String) -> Answer {
    do throws(SystemError) {
      let root = try root(of: path)
      let file: OwnedFD
      do throws(SystemError) {
        file = try open(path, below: root)
      } catch {
        // Below a genuine root, without crossing a mount: so it is the kernel that has none.
        if error.errno == ENOENT || error.errno == ENOTDIR { return .absent }
        throw error
      }
      let bytes = try file.readToEnd(of: path, limit: limit)
      // Only the line feed that the kernel adds is not part of the value: a path may end in blanks.
      guard let text = String(validating: bytes.last == 0x0a ? bytes.dropLast() : bytes[...], as: UTF8.self) else {
        throw SystemError("read", path: path, errno: EILSEQ)
      }
      return .text(text)
    } catch {
      return .unknown(error)
    }
  }

  /// The text; nil when the kernel has no such file or could not be asked.
  public static func text(_ path: String) -> String? { read(path).text }

  /// The text as a decimal number.
  public static func number(_ path: String) -> UInt64? { text(path).flatMap { UInt64($0) } }

  /// Where one of the kernel's symbolic links leads; nil when there is none, it could not be asked, or it is no text.
  public static func link(_ path: String) -> String? {
    guard let slash = path.lastIndex(of: "/"), let directory = try? open(String(path[..<slash])) else { return nil }
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
    return String(validating: target.prefix(count).map { UInt8(bitPattern: $0) }, as: UTF8.self)
  }

  /// Opens one of the kernel's files.
  ///
  /// - Throws: `SystemError`; EXDEV when something else lies there.
  public static func open(_ path: String) throws(SystemError) -> OwnedFD { try open(path, below: try root(of: path)) }

  /// The node that devtmpfs or udev keeps for a block device, from `DEVNAME=` of its uevent file.
  public static func node(of device: DeviceNumber) -> String? {
    text("/sys/dev/block/\(device)/uevent")?.split(separator: "\n")
      .first { $0.hasPrefix("DEVNAME=") }.map { "/dev/" + $0.dropFirst("DEVNAME=".count) }
  }

  private static func place(of path: String) throws(SystemError) -> Place {
    guard let place = places.first(where: { path.hasPrefix($0.path + "/") }) else {
      throw SystemError("open", path: path, errno: EINVAL)
    }
    return place
  }

  /// The directory that a path is to be followed from.
  private static func root(of path: String) throws(SystemError) -> OwnedFD {
    let place = try place(of: path)
    let root = try OwnedFD.open(place.path, [.path, .directory])
    let inode = try root.status().inode
    guard try root.fileSystemType() == place.type.rawValue, !place.isRoot || inode == 1 else {
      throw SystemError("find the kernel's own files", path: place.path, errno: EXDEV)
    }
    return root
  }

  private static func open(_ path: String, below root: borrowing OwnedFD) throws(SystemError) -> OwnedFD {
    let rest = path.dropFirst(try place(of: path).path.utf8.count + 1)
    let descriptor = root.withRaw { raw in
      unsafe String(rest).withCString { unsafe vb_open_within_mount(raw, $0, VB_O_RDONLY) }
    }
    guard descriptor >= 0 else { throw .current("openat2", path: path) }
    return OwnedFD(adopting: descriptor)
  }
}

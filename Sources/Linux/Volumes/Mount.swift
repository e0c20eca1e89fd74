internal import Base
internal import KernelABI
internal import CLinuxShim
internal import Glibc

/// mount(2) and umount2(2).
public enum Mount {
  /// How a file system is mounted.
  public struct Flags: OptionSet, Sendable {
    public let rawValue: UInt
    public init(rawValue: UInt) { self.rawValue = rawValue }

    public static let readOnly = Flags(rawValue: UInt(VB_MS_RDONLY))
    public static let noSetUserID = Flags(rawValue: UInt(VB_MS_NOSUID))
    public static let noDevices = Flags(rawValue: UInt(VB_MS_NODEV))
    public static let noExecution = Flags(rawValue: UInt(VB_MS_NOEXEC))
  }

  /// Mounts `source` of a file system `type` on the directory `target`.
  public static func mount(
    _ source: String, on target: String, type: String, _ flags: Flags = []
  ) throws(SystemError) {
    let result = source.withSystemPath { source in
      target.withSystemPath { unsafe vb_mount(source, $0, type, flags.rawValue, nil) }
    }
    guard result == 0 else { throw .current("mount", path: target) }
  }

  /// Unmounts, without following a symbolic link at the end of the path. EBUSY while files are open.
  public static func unmount(_ target: String) throws(SystemError) {
    guard target.withSystemPath({ unsafe vb_umount($0) }) == 0 else { throw .current("umount", path: target) }
  }

  /// What is mounted at a path.
  public struct Place: Equatable, Sendable {
    /// The directory of the file system that is seen there: `/` for all of it, another where a part was bound.
    public let root: String
    public let path: String

    public init(root: String, path: String) {
      self.root = root
      self.path = path
    }
  }

  /// Where a device is mounted in this mount namespace (/proc/self/mountinfo, proc(5)): in the order in which it was, or, in
  /// a copy of another namespace, in which the mounts were copied.
  ///
  /// - Throws: `SystemError` with ``SystemError/unanswered`` when the kernel cannot be asked.
  public static func places(of device: DeviceNumber) throws(SystemError) -> [Place] {
    let number = device.description
    guard let bytes = try KernelFile.bytes(of: .mounts, limit: limit) else {
      throw .unanswered(.mounts, at: KernelStatement.mounts.place(), found: "no such file", errno: ENOENT)
    }
    return places(in: bytes) { fields in fields[2].elementsEqual(number.utf8) }
  }

  /// The same for a message; none when the kernel cannot be asked.
  public static func shownPlaces(of device: DeviceNumber) -> [String] {
    ((try? places(of: device)) ?? []).map { $0.path }
  }

  /// Where file systems of a type are mounted, in that order.
  public static func places(ofType type: String) -> [String] {
    guard let bytes = try? KernelFile.bytes(of: .mounts, limit: limit) else { return [] }
    return places(in: bytes) { fields in
      // `… - TYPE SOURCE OPTIONS`, behind any number of optional fields.
      let rest = fields[5].split(separator: 32)
      guard let dash = rest.firstIndex(of: [0x2d]), dash + 1 < rest.count else { return false }
      return rest[dash + 1].elementsEqual(type.utf8)
    }.map { $0.path }
  }

  /// The longest list of mounts that is read, in bytes.
  static let limit = 16 << 20

  private static func places(in bytes: [UInt8], where isMeant: ([ArraySlice<UInt8>]) -> Bool) -> [Place] {
    bytes.split(separator: 10).compactMap { line in
      // `36 35 98:0 /root /mount/point options …`, blanks and line feeds in octal.
      let fields = line.split(separator: 32, maxSplits: 5)
      return fields.count == 6 && isMeant(fields)
        ? Place(root: unescaped(fields[3]), path: unescaped(fields[4])) : nil
    }
  }

  /// Text in which the kernel wrote bytes as `\\040`: a backslash and three octal digits.
  static func unescaped(_ text: ArraySlice<UInt8>) -> String {
    var bytes: [UInt8] = []
    var rest = text
    while let byte = rest.popFirst() {
      let digits = rest.prefix(3)
      if byte == 0x5c, digits.count == 3, let code = UInt8(String(decoding: digits, as: UTF8.self), radix: 8) {
        bytes.append(code)
        rest = rest.dropFirst(3)
      } else {
        bytes.append(byte)
      }
    }
    return String(systemBytes: bytes)
  }

  /// From now on what the calling thread mounts is seen by nobody else, and goes away when the thread ends, however it
  /// ends (mount_namespaces(7)). Needs CAP_SYS_ADMIN.
  public static func enterPrivateNamespace() throws(SystemError) {
    guard vb_unshare_mounts() == 0 else { throw .current("unshare CLONE_NEWNS") }
  }
}

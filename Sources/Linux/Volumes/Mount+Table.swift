internal import Base
internal import Glibc
internal import KernelABI

extension Mount {
  /// One mount of this mount namespace, a line of /proc/self/mountinfo (proc(5)).
  public struct Entry: Equatable, Sendable {
    /// Its number, which is used again once it is gone, and that of the mount it lies on.
    public let identifier: UInt64
    public let parent: UInt64
    public let device: DeviceNumber
    /// Which directory of the file system is seen there, and where.
    public let place: Place
    /// The file system's type, as it was mounted.
    public let type: String
    /// What the file system says of how it was mounted.
    public let options: [Option]
  }

  /// An option of a file system.
  public struct Option: Equatable, Sendable {
    public let name: String
    /// Nil where it has none.
    public let value: String?

    public init(_ name: String, _ value: String? = nil) {
      self.name = name
      self.value = value
    }
  }

  /// All mounts of this mount namespace, in the order of ``places(of:)``.
  ///
  /// - Throws: `SystemError` with ``SystemError/unanswered`` when the kernel cannot be asked.
  public static func entries() throws(SystemError) -> [Entry] {
    guard let bytes = try KernelFile.bytes(of: .mounts, limit: limit) else {
      throw .unanswered(.mounts, at: KernelStatement.mounts.place(), found: "no such file", errno: ENOENT)
    }
    return bytes.split(separator: 10).compactMap { entry($0) }
  }

  /// The number of the mount that an open file was reached through.
  ///
  /// - Throws: `SystemError` with ``SystemError/unanswered`` when the kernel cannot be asked.
  public static func identifier(ofOpenFile number: Int32) throws(SystemError) -> UInt64 {
    let text = try KernelFile.ask(.openFileMount, "\(number)") ?? ""
    for line in text.utf8.split(separator: 10) {
      let fields = String(Substring(line)).split(whereSeparator: { $0.isWhitespace || $0 == ":" })
      if fields.count == 2, fields[0] == "mnt_id", let identifier = UInt64(fields[1]) { return identifier }
    }
    throw .unanswered(
      .openFileMount, at: KernelStatement.openFileMount.place("\(number)"), found: "no number of a mount")
  }

  /// Reads a line; nil where it is none.
  static func entry(_ line: ArraySlice<UInt8>) -> Entry? {
    // `36 35 98:0 /root /mount/point options optional-fields… - TYPE SOURCE OPTIONS`
    let fields = line.split(separator: 32, omittingEmptySubsequences: false)
    guard fields.count > 6, let dash = fields[6...].firstIndex(of: [0x2d]), dash + 3 < fields.count,
      let identifier = UInt64(unescaped(fields[0])), let parent = UInt64(unescaped(fields[1])),
      let device = DeviceNumber(unescaped(fields[2]))
    else { return nil }
    // Commas and equals signs inside of a value are in octal too.
    let options = fields[dash + 3].split(separator: UInt8(ascii: ",")).map { option in
      let parts = option.split(separator: UInt8(ascii: "="), maxSplits: 1, omittingEmptySubsequences: false)
      return Option(unescaped(parts[0]), parts.count == 2 ? unescaped(parts[1]) : nil)
    }
    return Entry(
      identifier: identifier, parent: parent, device: device,
      place: Place(root: unescaped(fields[3]), path: unescaped(fields[4])), type: unescaped(fields[dash + 1]),
      options: options)
  }
}

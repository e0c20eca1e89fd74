public import KernelABI
internal import Glibc

/// Device nodes, told from what root may have put in their place.
///
/// A node is a name that anything can be bound over; what is opened by it answers every ioctl. So it has to be a device of
/// the kind that is meant, with the number that sysfs gives to the device of that name (``KernelFile``): behind a number
/// there is one driver, whatever its node is called. A device that a process answers for (CUSE) has another number.
public enum KernelDevice {
  /// Opens the node of a ``KernelStatement/Source-swift.enum/node(_:_:number:fixed:)``.
  ///
  /// - Throws: `SystemError`: ENOENT and its like when the kernel has no such device; with ``SystemError/unanswered`` when
  ///   there is something else, or when the kernel has the device and there is no node to ask it by.
  public static func open(
    _ statement: KernelStatement, _ words: String..., flags: OpenFlags
  ) throws(SystemError) -> OwnedFD {
    guard case .node(_, let kind, let numberStatement, let fixed) = statement.source else {
      throw .unanswered(statement, at: statement.place(words), found: "no device", errno: EINVAL)
    }
    let path = statement.place(words)
    let number = try Self.number(numberStatement, words)
    // Before it is opened, too: opening some devices does things.
    let status: FileStatus
    do throws(SystemError) {
      status = try FileStatus.of(path: path)
    } catch {
      guard error.code == .enoent, number != nil else { throw error }
      throw .unanswered(statement, at: path, found: "no such node", errno: ENOENT)
    }
    let expected = number ?? fixed.map { DeviceNumber(major: $0.major, minor: $0.minor) }
    try require(status, kind, expected, at: path, for: statement)
    let device = try OwnedFD.open(path, flags)
    // Its module may have come by being opened. Whatever lay at the path before, this is what is open now.
    try require(try device.status(), kind, try Self.number(numberStatement, words), at: path, for: statement)
    return device
  }

  /// Opens a block device, by the node that devtmpfs or udev keeps for it.
  ///
  /// - Throws: `SystemError`, with ``SystemError/unanswered`` when there is no such node, or something else.
  public static func openBlock(
    _ number: DeviceNumber, flags: OpenFlags = .readOnly
  ) throws(SystemError) -> OwnedFD { try openBlock(number, at: try nodePath(of: number), flags: flags) }

  /// The same by a node, or a link to one, at a path.
  public static func openBlock(
    _ number: DeviceNumber, at path: String, flags: OpenFlags = .readOnly
  ) throws(SystemError) -> OwnedFD {
    let device: OwnedFD
    do throws(SystemError) {
      try require(try FileStatus.of(path: path), .block, number, at: path, for: .blockNode)
      device = try OwnedFD.open(path, flags)
    } catch {
      guard error.code == .enoent else { throw error }
      throw .unanswered(.blockNode, at: path, found: "no such node", errno: ENOENT)
    }
    try require(try device.status(), .block, number, at: path, for: .blockNode)
    return device
  }

  /// The path of a block device's node, from `DEVNAME=` of its uevent file; nothing says what lies there.
  ///
  /// - Throws: `SystemError` with ``SystemError/unanswered`` when sysfs does not tell.
  public static func nodePath(of number: DeviceNumber) throws(SystemError) -> String {
    let text = try KernelFile.ask(.blockName, number.description)
    let line = text?.split(separator: "\n").first { $0.hasPrefix("DEVNAME=") }
    guard let name = line?.dropFirst("DEVNAME=".count), !name.isEmpty else {
      throw .unanswered(
        .blockName, at: KernelStatement.blockName.place(number.description),
        found: text == nil ? "no such device" : "no name", errno: ENOENT)
    }
    return KernelStatement.blockNode.place(String(name))
  }

  /// Refuses what is no block device of a number.
  ///
  /// - Parameter path: a node, or a link to one.
  public static func requireBlock(_ number: DeviceNumber, at path: String) throws(SystemError) {
    try require(try FileStatus.of(path: path), .block, number, at: path, for: .blockNode)
  }

  /// The number that sysfs gives to a device; nil when the kernel has none of that name.
  private static func number(
    _ statement: KernelStatement, _ words: [String]
  ) throws(SystemError) -> DeviceNumber? {
    guard let text = try KernelFile.ask(statement, words) else { return nil }
    guard let number = DeviceNumber(text) else {
      throw .unanswered(statement, at: statement.place(words), found: "`\(text)`, which is no number", errno: EINVAL)
    }
    return number
  }

  private static func require(
    _ status: FileStatus, _ kind: KernelStatement.DeviceKind, _ number: DeviceNumber?, at path: String,
    for statement: KernelStatement
  ) throws(SystemError) {
    let isKind =
      switch kind {
      case .block: status.kind == .blockDevice
      case .character: status.kind == .characterDevice
      }
    guard isKind, let number, status.specialDevice == number else {
      let found = [.blockDevice, .characterDevice].contains(status.kind) ? " \(status.specialDevice)" : ""
      let wanted = number.map { ", and not device \($0)" } ?? ", which sysfs does not know"
      throw .unanswered(statement, at: path, found: "a \(status.kind.rawValue)\(found)\(wanted)")
    }
  }
}

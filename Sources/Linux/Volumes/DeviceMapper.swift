internal import Base
internal import KernelABI
internal import CLinuxShim
internal import Glibc

/// The device-mapper's control device (drivers/md/dm-ioctl.c). Every command needs CAP_SYS_ADMIN.
public struct DeviceMapper: ~Copyable {
  /// What the kernel says of a mapped device with every answer.
  public struct Device: Sendable, Equatable {
    public let name: String
    /// Any text, chosen by the process that made the device; tools put their own names in front of it (`CRYPT-VERITY-…`).
    public let uuid: String
    public let number: DeviceNumber
    public let isReadOnly: Bool
    /// I/O waits until the device is resumed, by the user's or the kernel's own wish.
    public let isSuspended: Bool
    public let hasActiveTable: Bool
    /// A table that takes over at the next resume.
    public let hasInactiveTable: Bool
    public let isRemovedWhenClosed: Bool
    public let targetCount: UInt32
    public let eventNumber: UInt32

    init(_ raw: vb_dm_device) {
      name = Self.text(of: raw.name)
      uuid = Self.text(of: raw.uuid)
      number = DeviceNumber(major: raw.major, minor: raw.minor)
      isReadOnly = raw.flags & UInt32(VB_DM_READONLY) != 0
      isSuspended = raw.flags & (UInt32(VB_DM_SUSPEND) | UInt32(VB_DM_INTERNAL_SUSPEND)) != 0
      hasActiveTable = raw.flags & UInt32(VB_DM_ACTIVE_PRESENT) != 0
      hasInactiveTable = raw.flags & UInt32(VB_DM_INACTIVE_PRESENT) != 0
      isRemovedWhenClosed = raw.flags & UInt32(VB_DM_DEFERRED_REMOVE) != 0
      targetCount = raw.target_count
      eventNumber = raw.event_number
    }

    private static func text<T>(of field: T) -> String {
      unsafe withUnsafeBytes(of: field) { bytes in unsafe String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self) }
    }
  }

  /// A device's active table, one way or the other: as it was loaded, or as it goes.
  public enum View: Sendable {
    /// STATUSTYPE_TABLE: the targets' parameters.
    case parameters
    /// STATUSTYPE_INFO: the targets' state.
    case state
  }

  /// The longest answer that is read, in bytes. A verity table of one target is below 1 KiB.
  private static let answerLimit = 1 << 20

  private let control: OwnedFD

  /// - Throws: ENOENT without device-mapper in the kernel, EACCES without the permission; with
  ///   ``SystemError/unanswered`` when something else is in the place of its control device.
  public static func open() throws(SystemError) -> DeviceMapper {
    DeviceMapper(control: try KernelDevice.open(.mapperControl, flags: .readWrite))
  }

  private init(control: consuming OwnedFD) { self.control = control }

  /// DM_TABLE_STATUS of the active table: the device, and its targets as `struct dm_target_spec`, each followed by text.
  public borrowing func table(
    of number: DeviceNumber, _ view: View
  ) throws(SystemError) -> (device: Device, targets: [UInt8]) {
    let flags = view == .parameters ? UInt32(VB_DM_STATUS_TABLE) : 0
    var capacity = 16384
    while true {
      let answer = try command(
        UInt32(VB_DM_TABLE_STATUS), "DM_TABLE_STATUS", flags: flags, device: .number(number), capacity: capacity)
      if !answer.isCut { return (answer.device, answer.payload) }
      capacity *= 4
      guard capacity <= Self.answerLimit else {
        throw SystemError("ioctl DM_TABLE_STATUS", path: "\(number)", errno: EOVERFLOW)
      }
    }
  }

  /// DM_LIST_DEVICES: the numbers of all mapped devices, in the kernel's order.
  public borrowing func devices() throws(SystemError) -> [DeviceNumber] {
    var capacity = 16384
    while true {
      let answer = try command(
        UInt32(VB_DM_LIST_DEVICES), "DM_LIST_DEVICES", device: .name("", uuid: nil), capacity: capacity)
      if !answer.isCut { return Self.numbers(inList: answer.payload.rawSpan) }
      capacity *= 4
      guard capacity <= Self.answerLimit else { throw SystemError("ioctl DM_LIST_DEVICES", errno: EOVERFLOW) }
    }
  }

  /// Reads a chain of `struct dm_name_list`: a device number, the distance to the next, a name. A list of no devices is one
  /// of the number 0.
  static func numbers(inList bytes: RawSpan) -> [DeviceNumber] {
    var found: [DeviceNumber] = []
    var offset = 0
    while let device = try? bytes.u64(at: offset), let next = try? bytes.u32(at: offset + 8) {
      // The kernel's huge_encode_dev (include/linux/kdev_t.h).
      if device != 0 {
        found.append(DeviceNumber(major: (device & 0xfff00) >> 8, minor: device & 0xff | (device >> 12) & 0xfff00))
      }
      guard next > 0 else { break }
      offset += Int(next)
    }
    return found
  }

  /// DM_DEV_STATUS: the device of a name; nil when there is none.
  public borrowing func device(named name: String) throws(SystemError) -> Device? {
    do throws(SystemError) {
      return try command(UInt32(VB_DM_DEV_STATUS), "DM_DEV_STATUS", device: .name(name, uuid: nil)).device
    } catch {
      guard error.errno == ENXIO else { throw error }
      return nil
    }
  }

  /// DM_DEV_CREATE: a device without a table.
  public borrowing func create(name: String, uuid: String) throws(SystemError) -> Device {
    try command(UInt32(VB_DM_DEV_CREATE), "DM_DEV_CREATE", device: .name(name, uuid: uuid)).device
  }

  /// DM_TABLE_LOAD of a read-only table with one target; it takes over with ``resume(name:)``.
  ///
  /// - Parameter sectors: the device's size in sectors of 512 bytes.
  public borrowing func loadTable(
    name: String, type: String, sectors: UInt64, parameters: String
  ) throws(SystemError) {
    var payload = [UInt8](repeating: 0, count: parameters.utf8.count + 256)
    let capacity = payload.count
    let size = unsafe payload.withUnsafeMutableBytes { bytes in
      unsafe vb_dm_one_target(bytes.baseAddress, capacity, type, sectors, parameters)
    }
    guard size > 0 else { throw SystemError("ioctl DM_TABLE_LOAD", path: name, errno: EINVAL) }
    payload.removeLast(capacity - size)
    _ = try command(
      UInt32(VB_DM_TABLE_LOAD), "DM_TABLE_LOAD", flags: UInt32(VB_DM_READONLY), device: .name(name, uuid: nil),
      targetCount: 1, payload: payload)
  }

  /// DM_DEV_SUSPEND without its flag: puts a loaded table into force, and lets I/O go.
  public borrowing func resume(name: String) throws(SystemError) {
    _ = try command(UInt32(VB_DM_DEV_SUSPEND), "DM_DEV_SUSPEND (resume)", device: .name(name, uuid: nil))
  }

  /// DM_DEV_SUSPEND: I/O waits from now on.
  public borrowing func suspend(name: String) throws(SystemError) {
    _ = try command(
      UInt32(VB_DM_DEV_SUSPEND), "DM_DEV_SUSPEND", flags: UInt32(VB_DM_SUSPEND), device: .name(name, uuid: nil))
  }

  /// DM_DEV_REMOVE with DM_DEFERRED_REMOVE: removed now, or by the kernel when the last who has it open or mounted is gone,
  /// however that ends.
  ///
  /// - Returns: whether it is in use, and so still there.
  public borrowing func removeWhenUnused(_ number: DeviceNumber) throws(SystemError) -> Bool {
    try command(
      UInt32(VB_DM_DEV_REMOVE), "DM_DEV_REMOVE", flags: UInt32(VB_DM_DEFERRED_REMOVE), device: .number(number)
    ).device.isRemovedWhenClosed
  }

  /// DM_DEV_REMOVE. EBUSY while the device is open or mounted.
  public borrowing func remove(name: String) throws(SystemError) {
    _ = try command(UInt32(VB_DM_DEV_REMOVE), "DM_DEV_REMOVE", device: .name(name, uuid: nil))
  }

  /// Which device a command is for.
  private enum Handle {
    case number(DeviceNumber)
    case name(String, uuid: String?)

    var text: String {
      switch self {
      case .number(let number): number.description
      case .name(let name, _): name
      }
    }
  }

  private struct Answer {
    var device: Device
    var payload: [UInt8]
    var isCut: Bool
  }

  private borrowing func command(
    _ code: UInt32, _ operation: String, flags: UInt32 = 0, device: Handle, targetCount: UInt32 = 0,
    payload: [UInt8] = [], capacity: Int = 4096
  ) throws(SystemError) -> Answer {
    let room = max(capacity, payload.count)
    var buffer = payload + [UInt8](repeating: 0, count: room - payload.count)
    var size = payload.count
    var raw = vb_dm_device()
    let result = control.withRaw { fd in
      unsafe buffer.withUnsafeMutableBytes { bytes -> CInt in
        let base = bytes.baseAddress
        switch device {
        case .number(let number):
          return unsafe vb_dm_command(
            fd, code, flags, nil, nil, number.major, number.minor, targetCount, base, &size, room, &raw)
        case .name(let name, let uuid?):
          return unsafe vb_dm_command(fd, code, flags, name, uuid, 0, 0, targetCount, base, &size, room, &raw)
        case .name(let name, nil):
          return unsafe vb_dm_command(fd, code, flags, name, nil, 0, 0, targetCount, base, &size, room, &raw)
        }
      }
    }
    guard result == 0 else { throw .current("ioctl \(operation)", path: device.text) }
    return Answer(
      device: Device(raw), payload: Array(buffer.prefix(size)), isCut: raw.flags & UInt32(VB_DM_BUFFER_FULL) != 0)
  }
}

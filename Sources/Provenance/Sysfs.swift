internal import ByteKit
internal import LinuxSys

/// Small files of sysfs; nil when the kernel does not tell.
enum Sysfs {
  static func text(_ path: String) -> String? {
    guard let descriptor = try? OwnedFD.open(path, .readOnly),
      let bytes = try? descriptor.readToEnd(limit: 8192)
    else { return nil }
    // Only the line feed that sysfs adds is not part of the value: a path may end in blanks.
    return String(validating: bytes.last == 0x0a ? bytes.dropLast() : bytes[...], as: UTF8.self)
  }

  static func number(_ path: String) -> UInt64? { text(path).flatMap { UInt64($0) } }

  /// The node that devtmpfs or udev keeps for a block device, from `DEVNAME=` of its uevent file.
  static func node(of device: DeviceNumber) -> String? {
    text("/sys/dev/block/\(device)/uevent")?.split(separator: "\n")
      .first { $0.hasPrefix("DEVNAME=") }.map { "/dev/" + $0.dropFirst("DEVNAME=".count) }
  }
}

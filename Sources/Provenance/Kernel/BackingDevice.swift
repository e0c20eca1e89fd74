internal import KernelABI
internal import Linux
internal import Verity

/// The one block device that a file's contents come from, on file systems that no reader here knows.
enum BackingDevice {
  /// Ids that a file system is asked about one by one.
  static let identifierLimit: UInt64 = 1024

  /// The device-mapper device under the mount of a file.
  ///
  /// - Throws: ``ProvenanceError`` when the contents can come from elsewhere, when the mount is writable, and when the
  ///   device is not the device-mapper's.
  static func mapped(under file: borrowing OpenObject) throws(ProvenanceError) -> DeviceNumber {
    let number = try number(under: file)
    guard try KernelWitness.isMapped(number) else {
      throw refusal(of: file, "its device \(number) is none of the device-mapper's, so no hash tree is over its blocks")
    }
    guard try file.isReadOnlyMount() else {
      throw refusal(
        of: file, "it is mounted for writing, so that its files need not be what device \(number) holds",
        next: "mount the verity device read-only and open the object there")
    }
    return number
  }

  /// The device, whatever it is.
  static func number(under file: borrowing OpenObject) throws(ProvenanceError) -> DeviceNumber {
    switch FileSystemNames.describe(file.fileSystem).contents {
    case .device: return file.status.device
    case .listedDevices: return try numberUnderBtrfs(file)
    case .elsewhere(let why): throw refusal(of: file, why)
    }
  }

  /// btrfs gives its files an anonymous device number. What it says of its devices (how many, and of which ids) is held
  /// against what sysfs lists for it, seed devices among them; the number is sysfs's.
  private static func numberUnderBtrfs(_ file: borrowing OpenObject) throws(ProvenanceError) -> DeviceNumber {
    let known = try file.btrfsDevices()
    let uuid = VolumeUUID(known.uuid).description
    let names: [String]?
    do throws(SystemError) { names = try KernelFile.names(.btrfsDevices, uuid) } catch { throw .system(error) }
    var identifiers: Int?
    if known.highestIdentifier <= identifierLimit {
      var found = 0
      for identifier in 0...known.highestIdentifier where try file.hasBtrfsDevice(identifier) { found += 1 }
      identifiers = found
    }
    guard let name = soleDevice(count: known.count, identifiers: identifiers, names: names) else {
      let count = max(known.count, UInt64(names?.count ?? 0))
      throw refusal(of: file, "it has \(count) devices, so no one device vouches for it")
    }
    do throws(SystemError) {
      if let number = try KernelFile.ask(.btrfsDevice, uuid, name).flatMap({ DeviceNumber($0) }) { return number }
      throw SystemError.unanswered(
        .btrfsDevice, at: KernelStatement.btrfsDevice.place(uuid, name), found: "no device number")
    } catch {
      throw .system(error)
    }
  }

  /// The name of the only device, when everything that was asked says that there is one.
  ///
  /// - Parameters:
  ///   - count: how many the file system counts, without those of a seed.
  ///   - identifiers: how many ids it has a device for, those of a seed among them; nil when there are too many to ask.
  ///   - names: what sysfs lists; nil when it lists nothing.
  static func soleDevice(count: UInt64, identifiers: Int?, names: [String]?) -> String? {
    guard count == 1, identifiers == 1, let names, names.count == 1 else { return nil }
    return names[0]
  }

  private static func refusal(
    of file: borrowing OpenObject, _ why: String,
    next: String = "pack the object with `verity-bpf build-image`, mount the image read-only and open it there"
  ) -> ProvenanceError {
    .fileSystem(fd: file.number, name: FileSystemNames.describe(file.fileSystem).name, why: why, next: next)
  }
}

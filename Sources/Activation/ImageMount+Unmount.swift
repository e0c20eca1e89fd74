internal import LinuxSys

extension ImageMount {
  /// Unmounts what ``mount(_:threads:progress:)`` mounted on a directory, and takes its volume and loop devices down.
  ///
  /// - Returns: the block device that was mounted, as sysfs names it.
  /// - Throws: ``ActivationError/notOurs(directory:found:)`` before anything is touched when it is another mount.
  public static func unmount(_ directory: String) throws(ActivationError) -> String {
    let number: DeviceNumber
    do throws(SystemError) {
      let status = try FileStatus.of(path: directory)
      let parent = try FileStatus.of(path: "\(directory)/..")
      guard status.device != parent.device else {
        throw SystemError("umount", path: directory, errno: SystemError.invalidArgument)
      }
      number = status.device
    } catch {
      throw .system(error, doing: "`\(directory)` is no mount point")
    }
    let volume = Sysfs.text("/sys/dev/block/\(number)/dm/name")
    let isLoop = Sysfs.text("/sys/dev/block/\(number)/loop/backing_file") != nil
    guard isLoop || volume?.hasPrefix(prefix) == true else {
      throw .notOurs(directory: directory, found: volume.map { "the volume `\($0)`" } ?? "device \(number)")
    }
    do throws(SystemError) {
      try Mount.unmount(directory)
    } catch {
      throw .system(error, doing: "`\(directory)` was not unmounted")
    }
    guard let volume else { return "loop device \(number)" }
    do throws(VerityActivation.Failure) {
      try VerityActivation.deactivate(name: volume)
    } catch {
      throw .activation(name: volume, error, isSigned: false)
    }
    return "/dev/mapper/\(volume)"
  }
}

/// One-line files of sysfs.
private enum Sysfs {
  static func text(_ path: String) -> String? {
    guard let bytes = try? OwnedFD.open(path, .readOnly).readToEnd(limit: 8192) else { return nil }
    return String(validating: bytes.last == 0x0a ? bytes.dropLast() : bytes[...], as: UTF8.self)
  }
}

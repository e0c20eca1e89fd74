internal import KernelABI
internal import Linux

/// What became of a mount that was taken away.
public struct UnmountedVolume: Equatable, Sendable {
  /// The mount point, without symbolic links.
  public let directory: String
  /// The block device that was mounted.
  public let device: String
  /// Whether the device is gone. While others use it (another mount, an open descriptor, a mount namespace of another
  /// process) it stays, and the kernel takes it down with the last of them.
  public let isGone: Bool
  /// Where the device is still mounted in this mount namespace.
  public let otherMounts: [String]
}

extension ImageMount {
  /// What is mounted on a directory, when it is ours.
  private enum OwnDevice {
    case volume(name: String)
    case loop(path: String)
  }

  /// Unmounts what ``mount(_:_:threads:progress:)`` mounted on a directory, and takes its volume and loop devices down, or
  /// has the kernel do so when their last user is gone.
  ///
  /// - Throws: ``ActivationError/notOurs(directory:found:)`` before anything is touched when it is another mount.
  public static func unmount(_ directory: String) throws(ActivationError) -> UnmountedVolume {
    let (path, number) = try mountPoint(directory)
    let device = try ownDevice(number, on: path)
    do throws(SystemError) {
      try Mount.unmount(path)
    } catch {
      throw .system(error, doing: "`\(path)` was not unmounted")
    }
    let others = Mount.places(of: number)
    switch device {
    case .loop(let loop):
      let isGone = others.isEmpty && goes { KernelFile.read(.loopBackingFile, number.description) == .absent }
      return UnmountedVolume(directory: path, device: loop, isGone: isGone, otherMounts: others)
    case .volume(let name):
      // Where it cannot be asked, it is there: nothing is said to be gone that may not be.
      let isThere = {
        switch KernelFile.read(.mappedName, number.description) {
        case .text(let other): other == name
        case .absent: false
        case .unknown: true
        }
      }
      if isThere() {
        do throws(VerityActivation.Failure) {
          try VerityActivation.deactivate(name: name)
        } catch {
          // It may have been waiting for its last user, which this mount was.
          if isThere() { throw .deactivation(directory: path, name: name, error) }
        }
      }
      return UnmountedVolume(
        directory: path, device: KernelStatement.mappedNode.place(name), isGone: !isThere(), otherMounts: others)
    }
  }

  private static func mountPoint(
    _ directory: String
  ) throws(ActivationError) -> (path: String, number: DeviceNumber) {
    do throws(SystemError) {
      let path = try Directory.resolved(directory)
      let status = try FileStatus.of(path: path)
      let parent = try FileStatus.of(path: "\(path)/..")
      guard status.device != parent.device else {
        throw SystemError("umount", path: directory, .einval)
      }
      return (path, status.device)
    } catch {
      throw .system(error, doing: "`\(directory)` is no mount point")
    }
  }

  /// Nothing of this is a proof, nor has it to be: it keeps us from taking down what others made.
  private static func ownDevice(_ number: DeviceNumber, on directory: String) throws(ActivationError) -> OwnDevice {
    let type: UInt64
    do throws(SystemError) {
      type = try OwnedFD.open(directory, [.path, .directory]).fileSystemType()
    } catch {
      throw .system(error, doing: "`\(directory)` cannot be looked at")
    }
    guard type == FileSystemMagic.erofs.rawValue else {
      throw .notOurs(directory: directory, found: "another file system, on device \(number)")
    }
    let answers: (name: String?, uuid: String?, isLoop: Bool)
    do throws(SystemError) {
      answers = (
        try KernelFile.ask(.mappedName, "\(number)"), try KernelFile.ask(.mappedIdentifier, "\(number)"),
        try KernelFile.has(.loopBackingFile, "\(number)")
      )
    } catch {
      throw .system(error, doing: "whose mount `\(directory)` is, is not known")
    }
    if let name = answers.name {
      guard name.hasPrefix(prefix), answers.uuid?.hasPrefix("CRYPT-VERITY-") == true else {
        throw .notOurs(directory: directory, found: "the volume `\(name)`")
      }
      return .volume(name: name)
    }
    guard answers.isLoop else { throw .notOurs(directory: directory, found: "device \(number)") }
    let loop: LoopStatus
    let node: String
    do throws(SystemError) {
      node = try KernelDevice.nodePath(of: number)
      loop = try KernelDevice.openBlock(number).loopStatus()
    } catch {
      throw .system(error, doing: "device \(number), which is mounted on `\(directory)`, cannot be looked at")
    }
    guard loop.label == loopLabel else {
      throw .notOurs(directory: directory, found: "`\(node)`, which another program set up")
    }
    return .loop(path: node)
  }

  /// Waits a little for what the kernel does behind the back of umount(2): udev may look at the device once more.
  private static func goes(_ isGone: () -> Bool) -> Bool {
    for _ in 0..<20 {
      if isGone() { return true }
      Timestamp.pause(milliseconds: 10)
    }
    return isGone()
  }
}

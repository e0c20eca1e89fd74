internal import Linux

/// An image behind a loop device, mounted until this value goes. Needs root.
public final class MountedImage: Sendable {
  public let image: String
  public let device: String
  public let mountPoint: String

  /// Sets up the loop device and mounts the image below `directory`.
  public init(_ image: String, in directory: TemporaryDirectory, name: String = "mnt", type: String = "erofs") throws {
    self.image = image
    mountPoint = directory.file(name)
    try Directory.create(mountPoint)
    let printed = try Tools.run("losetup", "--read-only", "--find", "--show", image)
    device = String(printed.split(separator: "\n").first ?? "")
    do {
      try Tools.run("mount", "-t", type, "-o", "ro", device, mountPoint)
    } catch {
      _ = try? Tools.run("losetup", "-d", device)
      throw error
    }
  }

  deinit {
    _ = try? Tools.run("umount", mountPoint)
    _ = try? Tools.run("losetup", "-d", device)
  }

  /// The path of a file on the mount.
  public func file(_ name: String) -> String { "\(mountPoint)/\(name)" }
}

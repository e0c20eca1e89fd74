import Base
import KernelABI
import Linux
import TestSupport
import Testing

@testable import Provenance

@Suite struct BackingDeviceTests {
  @Test func oneDeviceByEveryAnswer() {
    #expect(BackingDevice.soleDevice(count: 1, identifiers: 1, names: ["dm-0"]) == "dm-0")
    // A second one of its own; a seed, which the file system does not count; an id that sysfs knows nothing of; too many
    // ids to ask about.
    #expect(BackingDevice.soleDevice(count: 2, identifiers: 2, names: ["dm-0", "dm-1"]) == nil)
    #expect(BackingDevice.soleDevice(count: 1, identifiers: 2, names: ["dm-0", "dm-1"]) == nil)
    #expect(BackingDevice.soleDevice(count: 1, identifiers: 1, names: ["dm-0", "dm-1"]) == nil)
    #expect(BackingDevice.soleDevice(count: 1, identifiers: 2, names: ["dm-0"]) == nil)
    #expect(BackingDevice.soleDevice(count: 2, identifiers: 1, names: ["dm-0"]) == nil)
    #expect(BackingDevice.soleDevice(count: 1, identifiers: nil, names: ["dm-0"]) == nil)
    #expect(BackingDevice.soleDevice(count: 1, identifiers: 1, names: []) == nil)
    #expect(BackingDevice.soleDevice(count: 1, identifiers: 1, names: nil) == nil)
  }

  @Test func onlyListedFileSystemsHaveOneDevice() {
    let single = FileSystemMagic.allCases.filter { FileSystemNames.describe($0.rawValue).contents == .device }
    // A process answers for a file system in user space, whatever device is under it.
    #expect(Set(single) == [.erofs, .ext4, .squashfs, .fat, .iso9660])
    #expect(FileSystemNames.describe(FileSystemMagic.btrfs.rawValue).contents == .listedDevices)
    for unknown: UInt64 in [1, 0x5346_4846] {
      guard case .elsewhere = FileSystemNames.describe(unknown).contents else {
        Issue.record("\(unknown) has a device")
        continue
      }
    }
  }

  /// The words about a file system under which there is no dm-verity.
  @Test(
    .enabled(if: Tools.isRoot, "loop devices and mounts need root"),
    arguments: [("ext4", "mkfs.ext4 -q -d tree others.raw 4M"), ("squashfs", "mksquashfs tree others.raw -quiet")])
  func refusedWithoutVerity(type: String, maker: String) throws {
    let directory = try TemporaryDirectory()
    try Directory.create(directory.file("tree"))
    try directory.write("tree/a.bpf.o", "an object")
    try Directory.create(directory.file("m"))
    do {
      let mount = "mount -o ro,loop -t \(type) others.raw m"
      try Tools.run("sh", "-c", "cd '\(directory.path)' && \(maker) >/dev/null && \(mount)")
    } catch {
      print("skipped: \(type) cannot be made or mounted here: \(error)")
      return
    }
    defer { _ = try? Tools.run("umount", directory.file("m")) }
    let file = try OwnedFD.open(directory.file("m/a.bpf.o"), .readOnly)
    for takesKernelAlone in [false, true] {
      var examination = Examination(takesKernelAlone: takesKernelAlone)
      do {
        _ = try examination.examine(fd: file.withRaw { $0 })
        Issue.record("examined")
      } catch {
        let told = "\(error.diagnostic.message)"
        #expect(error.diagnostic.code == "provenance.file-system" && told.contains("is on \(type): its device 7:"))
        #expect(!told.contains("writable") && told.contains("no hash tree is over its blocks"))
      }
    }
  }
}

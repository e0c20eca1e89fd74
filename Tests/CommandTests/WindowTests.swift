import Base
import Linux
import TestSupport
import Testing
import Verity

/// Data and tree are what dm-verity maps: partitions, devices and data may be larger than what lies in them.
@Suite struct WindowTests {
  /// A file system without a manifest of ours, which would count its blocks.
  static func fileSystem(_ directory: TemporaryDirectory) throws -> [UInt8] {
    try Directory.create(directory.file("tree"))
    try directory.write("tree/numbers", (0..<40000).map { UInt8(truncatingIfNeeded: $0 / 7) })
    try Tools.run("mkfs.erofs", "-T0", directory.file("made"), directory.file("tree"))
    return try directory.read("made")
  }

  static func verify(
    _ directory: TemporaryDirectory, _ image: String, _ rootHash: Digest
  ) throws -> VerityBPFCommand.Result {
    try VerityBPFCommand.run(["verify", "--json", image, "--root-hash", rootHash.hex], in: directory.path)
  }

  static func isInstalled() -> Bool { (try? Subprocess.run(["mkfs.erofs", "-V"])) != nil }

  /// A slot of a fixed size, its rest under the tree, and the tree in a file of its own.
  @Test(.enabled(if: isInstalled(), "mkfs.erofs is not installed"), arguments: [0, 0xff] as [UInt8])
  func dataMayBeLargerThanTheFileSystem(filler: UInt8) throws {
    let directory = try TemporaryDirectory()
    let data = try Self.fileSystem(directory) + [UInt8](repeating: filler, count: 20 * 4096)
    let built = try MemoryImage.build(data: data, salt: [3])
    try directory.write("d.raw", data)
    try directory.write("d.verity", Array(built.bytes.dropFirst(data.count)) + [1])
    let result = try Self.verify(directory, "d.raw", built.rootHash)
    #expect(result.status == 0, "\(result.errors)")
    #expect(result.errors.contains("warning[verify.padding]") == (filler != 0), "\(result.errors)")
    // Any bit of the rest is under the root hash.
    try directory.write("d.raw", data.dropLast() + [filler ^ 1])
    let changed = try Self.verify(directory, "d.raw", built.rootHash)
    #expect(changed.status == 4 && changed.errors.contains("error[verity.data-mismatch]"), "\(changed.errors)")
    try directory.write("d.raw", Array(data.dropLast(4096)))
    let cut = try Self.verify(directory, "d.raw", built.rootHash)
    #expect(cut.status == 4 && cut.errors.contains("error[verity.truncated]"), "\(cut.errors)")
  }

  @Test(.enabled(if: isInstalled(), "mkfs.erofs is not installed"))
  func fileSystemMayNotBeLargerThanTheData() throws {
    let directory = try TemporaryDirectory()
    let data = try Self.fileSystem(directory)
    let built = try MemoryImage.build(data: Array(data.dropLast(4096)))
    try directory.write("d.raw", data)
    try directory.write("d.verity", Array(built.bytes.dropFirst(data.count - 4096)))
    let result = try Self.verify(directory, "d.raw", built.rootHash)
    #expect(result.status == 4 && result.errors.contains("error[erofs.device-size]"), "\(result.errors)")
  }

  /// Blocks of data, of hashes and of the file system are three sizes.
  @Test(
    .enabled(if: isInstalled(), "mkfs.erofs is not installed"),
    arguments: [(512, 512), (1024, 4096), (4096, 1024), (2048, 512), (8192, 4096)])
  func sizesOfBlocksAreIndependent(data dataBlock: Int, hash hashBlock: Int) throws {
    let directory = try TemporaryDirectory()
    let data = try Self.fileSystem(directory)
    let built = try MemoryImage.build(data: data, dataBlockSize: dataBlock, hashBlockSize: hashBlock)
    try directory.write("appended.raw", built.bytes)
    let result = try VerityBPFCommand.run(
      [
        "verify", "--json", "appended.raw", "--root-hash", built.rootHash.hex, "--hash-offset",
        "\(built.layout.superblockOffset)",
      ], in: directory.path)
    #expect(result.status == 0, "\(dataBlock), \(hashBlock): \(result.errors)")
    #expect(try result.json()["file_system"] == "erofs")
  }

  /// What systemd-repart makes of a small tree: partitions of a mebibyte, whatever is in them.
  @Test func partitionsMayBeLarger() throws {
    let directory = try BuildImageTests.sources()
    #expect(try BuildImageTests.build(directory, ["--layout=ddi"]).status == 0)
    var disk = try Disk(try directory.read("out.raw"))
    let data = disk.parts[0].bytes
    for index in disk.parts.indices {
      disk.parts[index].padding = 450560
      disk.parts[index].filler = 0x5a
    }
    try directory.write("out.raw", disk.bytes)
    let result = try VerityBPFCommand.run(["verify", "out.raw"], in: directory.path)
    #expect(result.status == 0, "\(result.errors)")
    for command in [["inspect", "out.raw"], ["provenance", "--image", "out.raw", "--object", "a.bpf.o"]] {
      let result = try VerityBPFCommand.run(command, in: directory.path)
      #expect(result.status == 0, "\(result.errors)")
    }
    disk.parts[0].padding = 0
    disk.parts[0].bytes = Array(data.dropLast(4096))
    try directory.write("out.raw", disk.bytes)
    let cut = try VerityBPFCommand.run(["verify", "out.raw"], in: directory.path)
    #expect(cut.status == 4 && cut.errors.contains("error[verity.truncated]"), "\(cut.errors)")
  }
}

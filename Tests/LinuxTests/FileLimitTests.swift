import Base
import Linux
import Testing

/// A file over a limit is refused by its size, before its contents are read.
@Suite struct FileLimitTests {
  /// A file of so many bytes, none of which takes room on the disk.
  private func sparse(_ byteCount: UInt64, in directory: borrowing PrivateDirectory) throws -> String {
    let path = "\(directory.path)/file"
    try OwnedFD.open(path, [.writeOnly, .create]).truncate(to: byteCount)
    return path
  }

  @Test func aLargeFileIsNotRead() throws {
    let directory = try PrivateDirectory(prefix: "verity-bpf-limits")
    // A terabyte: reading up to the limit would fill the memory of most machines.
    let path = try sparse(1 << 40, in: directory)
    let limit = 1 << 38
    #expect(try OwnedFD.open(path, .readOnly).readToEnd(limit: limit) == nil)
    let error = #expect(throws: SystemError.self) {
      try OwnedFD.open(path, .readOnly).readToEnd(of: path, limit: limit)
    }
    #expect(error?.limit == limit && error?.errnoName == "EFBIG")
    let diagnostic = error?.diagnostic
    #expect(diagnostic?.code == "system.too-large" && diagnostic?.expected == "at most \(limit) bytes")
    #expect(diagnostic?.message.contains(path) == true)
  }

  @Test(arguments: [0, 1, 511, 512, 513, 4096])
  func whatFitsIsRead(byteCount: Int) throws {
    let directory = try PrivateDirectory(prefix: "verity-bpf-limits")
    let path = try sparse(UInt64(byteCount), in: directory)
    let bytes = [UInt8](repeating: 0, count: byteCount)
    #expect(try OwnedFD.open(path, .readOnly).readToEnd(limit: byteCount) == bytes)
    #expect(byteCount == 0 ? true : try OwnedFD.open(path, .readOnly).readToEnd(limit: byteCount - 1) == nil)
  }
}

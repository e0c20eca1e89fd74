import FileSystems
import Testing
import Verity

/// Whether the kernel takes a file system's contents from one device alone, where they are not read here.
@Suite struct SuperblockDeviceTests {
  private static func isOnOneDevice(_ change: (inout [UInt8]) -> Void) throws -> Bool {
    var image = try ErofsFixture.named("plain").image()
    change(&image)
    return try ErofsSuperblock.isOnOneDevice(
      MemoryImage.build(data: image, dataBlockSize: 512, salt: [1]).device())
  }

  @Test func layoutsThatAreKnownByName() throws {
    #expect(try Self.isOnOneDevice { _ in })
    for bit in [0, 1, 2, 4, 5, 6, 7, 8] {
      #expect(try Self.isOnOneDevice { $0[1104 + bit / 8] |= 1 << (bit % 8) }, "bit \(bit)")
    }
  }

  @Test func whateverMayNameAnotherDevice() throws {
    // DEVICE_TABLE, and what no header names yet.
    for bit in [3] + Array(9..<32) {
      #expect(try !Self.isOnOneDevice { $0[1104 + bit / 8] |= 1 << (bit % 8) }, "bit \(bit)")
    }
    #expect(try !Self.isOnOneDevice { $0[1110] = 1 })
    #expect(try !Self.isOnOneDevice { $0[1111] = 1 })
    // ISHARE_XATTRS, and unknown compatible features.
    for bit in 5..<32 {
      #expect(try !Self.isOnOneDevice { $0[1032 + bit / 8] |= 1 << (bit % 8) }, "compatible bit \(bit)")
    }
    #expect(try !Self.isOnOneDevice { $0[1024] ^= 1 })
    #expect(try !Self.isOnOneDevice { $0 = Array($0.prefix(1024)) })
  }
}

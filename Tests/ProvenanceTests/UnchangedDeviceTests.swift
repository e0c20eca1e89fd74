import Base
import Linux
import Testing

@testable import Provenance

/// What is read of a device before and after an examination has to be the same, in every part.
@Suite struct UnchangedDeviceTests {
  static func loop(
    device: UInt64 = 3, name: String = "loop3", backingFile: String = "/images/a.raw", offset: UInt64 = 4096,
    sizeLimit: UInt64 = 1 << 20, isReadOnly: Bool = true, diskSequence: UInt64 = 17
  ) -> LoopFacts {
    LoopFacts(
      device: DeviceNumber(major: 7, minor: device), name: name, backingFile: backingFile, offset: offset,
      sizeLimit: sizeLimit, isReadOnly: isReadOnly, diskSequence: diskSequence)
  }

  static func volume(
    device: UInt64 = 1, name: String = "demo", uuid: String = "CRYPT-VERITY-1", rootHash: UInt8 = 0xab,
    salt: [UInt8] = [1, 2], dataDevice: UInt64 = 3, hashDevice: UInt64 = 4, mode: String = "EIO",
    ignoresZeroBlocks: Bool = false, correctsErrors: Bool = false, isSigned: Bool = true,
    isKeyringUnsealed: Bool = false, doubts: [VolumeFacts.Doubt] = [], hasPendingTable: Bool = false,
    eventNumber: UInt32 = 0, diskSequence: UInt64? = 9, table: String = "1 7:3 7:4"
  ) throws -> VolumeFacts {
    VolumeFacts(
      device: DeviceNumber(major: 254, minor: device), name: name, uuid: uuid,
      rootHash: try #require(Digest(.sha256, bytes: [UInt8](repeating: rootHash, count: 32))), salt: salt,
      dataDevice: DeviceNumber(major: 7, minor: dataDevice), hashDevice: DeviceNumber(major: 7, minor: hashDevice),
      mode: mode, ignoresZeroBlocks: ignoresZeroBlocks, correctsErrors: correctsErrors, isSigned: isSigned,
      keyring: isKeyringUnsealed ? .unsealed : .sealed, doubts: doubts, hasPendingTable: hasPendingTable,
      eventNumber: eventNumber,
      diskSequence: diskSequence, table: table)
  }

  @Test func aLoopDeviceThatWasSetUpAnew() throws {
    try Self.loop().requireUnchanged(Self.loop())
    for other in [
      Self.loop(device: 4), Self.loop(name: "loop4"), Self.loop(backingFile: "/images/b.raw"), Self.loop(offset: 0),
      Self.loop(sizeLimit: 0), Self.loop(isReadOnly: false), Self.loop(diskSequence: 18),
    ] {
      let error = #expect(throws: ProvenanceError.self) { try Self.loop().requireUnchanged(other) }
      #expect(error?.diagnostic.code == "provenance.mount-differs" && error?.diagnostic.category == .integrity)
      #expect(error?.diagnostic.found == "disk sequence \(other.diskSequence) over `\(other.backingFile)`")
    }
  }

  @Test func aTableThatWasReplaced() throws {
    let volume = try Self.volume()
    try volume.requireUnchanged(Self.volume())
    for other in [
      try Self.volume(device: 2), try Self.volume(name: "other"), try Self.volume(uuid: ""),
      try Self.volume(rootHash: 0xac), try Self.volume(salt: []), try Self.volume(dataDevice: 5),
      try Self.volume(hashDevice: 5), try Self.volume(mode: "LOGGING"), try Self.volume(ignoresZeroBlocks: true),
      try Self.volume(correctsErrors: true), try Self.volume(isSigned: false), try Self.volume(isKeyringUnsealed: true),
      try Self.volume(doubts: [.corruptionSeen]), try Self.volume(hasPendingTable: true),
      try Self.volume(eventNumber: 1), try Self.volume(diskSequence: nil), try Self.volume(table: "1 7:3 7:5"),
    ] {
      let error = #expect(throws: ProvenanceError.self) { try volume.requireUnchanged(other) }
      #expect(error?.diagnostic.code == "provenance.table-changed" && error?.diagnostic.category == .integrity)
      #expect(error?.diagnostic.expected == volume.table && error?.diagnostic.found == other.table)
    }
  }
}

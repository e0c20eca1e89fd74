internal import Base

extension PartitionTable {
  /// Holds the second copy of a table against the first (UEFI specification, section 5.3.2).
  ///
  /// The copy's header is in the disk's last sector, its entries before it and behind the last partition. The two headers
  /// name each other's sectors and their own entries; everything else in them is the same, and so are the entries.
  ///
  /// - Parameters:
  ///   - header: the first header's sector, which was found sound.
  ///   - entries: the first copy's entries, all of them.
  /// - Returns: what is wrong, or nil.
  static func secondCopyFault(
    of header: [UInt8], _ fields: HeaderFields, entries: [UInt8], sectorSize: UInt64,
    on disk: borrowing some ByteSource & ~Copyable
  ) -> LayoutError? {
    let lastSector = disk.byteCount / sectorSize - 1
    guard disk.byteCount % sectorSize == 0, fields.otherSector == lastSector else {
      return .secondTable(
        expected: "in the last sector of a disk of \(disk.byteCount) bytes",
        found: "in sector \(fields.otherSector) of \(sectorSize) bytes")
    }
    do throws(LayoutError) {
      let copy = try bytes(of: disk, at: lastSector * sectorSize, count: 512)
      let copyFields = try Self.fields(copy)
      guard same(header, copy, headerSize: fields.headerSize), copyFields.currentSector == lastSector,
        copyFields.otherSector == 1
      else {
        return .secondTable(expected: "the first header with the sectors swapped", found: "another header")
      }
      var summed = Array(copy.prefix(Int(fields.headerSize)))
      summed.replaceSubrange(16..<20, with: [0, 0, 0, 0])
      let sum = CRC32.checksum(summed)
      guard sum == copyFields.headerChecksum else {
        return .secondTable(
          expected: "CRC-32 0x\(String(copyFields.headerChecksum, radix: 16))",
          found: "CRC-32 0x\(String(sum, radix: 16))")
      }
      let sectors = (UInt64(entries.count) + sectorSize - 1) / sectorSize
      let start = copyFields.entriesSector
      guard start > fields.lastUsableSector, start <= lastSector, lastSector - start >= sectors else {
        return .secondTable(
          expected: "entries between the last partition and sector \(lastSector)", found: "entries at sector \(start)")
      }
      guard try bytes(of: disk, at: start * sectorSize, count: entries.count) == entries else {
        return .secondTable(expected: "the entries of the first copy", found: "other entries")
      }
      return nil
    } catch {
      return .secondTable(expected: "a second copy that can be read", found: "\(error)")
    }
  }

  private static func fields(_ header: [UInt8]) throws(LayoutError) -> HeaderFields {
    do throws(ByteError) { return try HeaderFields(header.rawSpan) } catch { throw damaged(error.description) }
  }

  /// Whether two headers are equal but for their checksums (bytes 16 to 19), their own and each other's sectors (24 to 39)
  /// and the place of their entries (72 to 79).
  private static func same(_ one: [UInt8], _ other: [UInt8], headerSize: UInt32) -> Bool {
    let own = [16..<20, 24..<40, 72..<80]
    return zip(one, other).prefix(Int(headerSize)).enumerated().allSatisfy { index, pair in
      pair.0 == pair.1 || own.contains { $0.contains(index) }
    }
  }
}

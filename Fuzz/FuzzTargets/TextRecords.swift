import Base
import ImageFormat
import Verity

/// Small records that are read beside an image: each comes back as it was written.
enum TextRecords {
  static func check(_ bytes: [UInt8]) throws(BrokenPromise) -> Bool {
    var isTaken = try accepts {
      let digest = try RootHashFile.parse(bytes)
      try require(
        try RootHashFile.parse(Array(RootHashFile.text(digest).utf8)) == digest, "a root hash comes back as written")
    }
    let record = try accepts {
      let record = try SignatureRecord(parsing: bytes)
      try require(try SignatureRecord(parsing: record.partition) == record, "a signature's record comes back")
      try require(record.partition.count.isMultiple(of: 4096), "a signature's partition is of whole blocks")
    }
    let descriptor = try accepts {
      let descriptor = try VerityDescriptor(parsing: bytes)
      try require(try VerityDescriptor(parsing: descriptor.bytes) == descriptor, "a file's descriptor comes back")
      // But for the size of the signature, which is no part of what is hashed.
      try require(descriptor.bytes[8...] == bytes[8...], "a file's descriptor has no bytes that mean nothing")
    }
    isTaken = isTaken || record || descriptor
    guard let text = String(validating: bytes, as: UTF8.self) else { return isTaken }
    try accepts { _ = try RootHashFile.parse(argument: text) }
    let table = try accepts {
      let table = try VerityTable(text)
      try require(table.dataBlockSize > 0 || table.dataBlockCount >= 0, "a table has numbers")
    }
    try accepts { _ = try VerityState(text) }
    return isTaken || table
  }
}

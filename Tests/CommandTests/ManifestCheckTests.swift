import Base
import Linux
import TestSupport
import Testing

/// What `verify` and `inspect` hold an image's manifest against.
@Suite struct ManifestCheckTests {
  private struct NotDescribed: Error {}

  /// The data of one of our images under a tree of veritysetup's.
  private static func reformatted(
    _ directory: TemporaryDirectory, data: [UInt8], salt: String, uuid: String
  ) throws -> VerityBPFCommand.Result {
    let path = try directory.write("other.raw", data)
    let report = try Tools.run(
      "veritysetup", "format", path, path, "--hash-offset=\(data.count)", "--salt=\(salt)", "--uuid=\(uuid)")
    let line = report.split(separator: "\n").first { $0.hasPrefix("Root hash:") } ?? ""
    try directory.write("other.roothash", String(line.split(separator: "\t").last ?? "").trimmed)
    return try VerityBPFCommand.run(["verify", path, "--json"])
  }

  private static func built() throws -> (directory: TemporaryDirectory, data: [UInt8], salt: String, uuid: String) {
    let directory = try BuildImageTests.sources()
    #expect(try BuildImageTests.build(directory, ["--name=n", "--version=7"]).status == 0)
    let json = try VerityBPFCommand.run(["inspect", directory.file("out.raw"), "--json"]).json()
    guard case .integer(let blocks) = json["data_blocks"], case .string(let salt) = json["salt"],
      case .string(let uuid) = json["uuid"]
    else { throw NotDescribed() }
    return (directory, Array(try directory.read("out.raw")[..<Int(blocks * 4096)]), salt, uuid)
  }

  /// With our salt and UUID, veritysetup makes our image, byte for byte.
  @Test func veritysetupMakesTheSameImage() throws {
    let (directory, data, salt, uuid) = try Self.built()
    let result = try Self.reformatted(directory, data: data, salt: salt, uuid: uuid)
    #expect(result.status == 0, "\(result.errors)")
    #expect(try directory.read("other.raw") == directory.read("out.raw"))
    #expect(try directory.read("other.roothash") == directory.read("out.roothash"))
    #expect(try result.json()["name"] == "n" && result.json()["version"] == "7")
  }

  @Test func anotherUUIDIsRefused() throws {
    let (directory, data, salt, _) = try Self.built()
    let result = try Self.reformatted(
      directory, data: data, salt: salt, uuid: "00000000-0000-4000-8000-000000000000")
    #expect(result.status == 4)
    #expect(try result.json()["error"]?["code"] == "manifest.uuid")
  }

  @Test func anotherNumberOfBlocksIsRefused() throws {
    let (directory, data, salt, uuid) = try Self.built()
    let key = Array("\"data_blocks\": ".utf8)
    let start = try #require(data.indices.first { data[$0...].starts(with: key) })
    var changed = data
    changed[start + key.count] = UInt8(ascii: "1")
    for index in 1..<10 where changed[start + key.count + index] == UInt8(ascii: " ") {
      changed[start + key.count + index] = UInt8(ascii: "0")
    }
    // The manifest can be in the block of the superblock, which has a checksum.
    let result = try Self.reformatted(directory, data: changed.withErofsChecksum, salt: salt, uuid: uuid)
    #expect(result.status == 4, "\(result.errors)")
    #expect(try result.json()["error"]?["code"] == "manifest.data-blocks")
    let inspected = try VerityBPFCommand.run(["inspect", directory.file("other.raw")])
    #expect(inspected.status == 4 && inspected.errors.contains("error[manifest.data-blocks]"))
  }

  /// A manifest that says something else of an object than its bytes do, under a tree that is sound.
  @Test(arguments: [
    ("\"minimum_kernel\": \"", "\"minimum_kernel\": \"4", "programs.xdp_counter.analysis"),
    ("\"type\": \"xd", "\"type\": \"td", "programs"),
    ("\"core_relocations\": ", "\"core_relocations\": 7", "core_relocations"),
    ("\"license\": \"", "\"license\": \"X", "license"),
    ("\"count\": ", "\"count\": 9", "programs.xdp_counter.instructions"),
  ])
  func anotherDescriptionIsRefusedAtLoad(text: String, other: String, member: String) throws {
    let (directory, data, salt, uuid) = try Self.built()
    let start = try #require(data.indices.first { data[$0...].starts(with: text.utf8) })
    var changed = data
    for (index, byte) in other.utf8.enumerated() { changed[start + index] = byte }
    #expect(changed != data)
    let verified = try Self.reformatted(directory, data: changed.withErofsChecksum, salt: salt, uuid: uuid)
    #expect(verified.status == 0, "the tree is sound: \(verified.errors)")
    try directory.write("all.pol", "policy_name=all policy_version=1.0.0\nDEFAULT action=ALLOW\n")
    let load = { (image: String, object: String) in
      try VerityBPFCommand.run(
        ["load", "--image", image, "--object", object, "--policy", "all.pol", "--dry-run"], in: directory.path)
    }
    #expect(try load("out.raw", "a.bpf.o").status == 0)
    let refused = try load("other.raw", "a.bpf.o")
    #expect(refused.status == 4 && refused.errors.contains("error[manifest.description]"), "\(refused.errors)")
    #expect(refused.errors.contains("`\(member)`"), "\(refused.errors)")
    // The other object is described as it is.
    #expect(try load("other.raw", "net/b.bpf.o").status == 0)
  }

  /// The same said with blanks in other places.
  @Test func otherWordsMeanTheSameAtLoad() throws {
    let (directory, data, salt, uuid) = try Self.built()
    let text = Array("\"core_relocations\": ".utf8)
    let start = try #require(data.indices.first { data[$0...].starts(with: text) })
    var changed = data
    changed.replaceSubrange(start..<start + text.count, with: "\"core_relocations\" :".utf8)
    #expect(try Self.reformatted(directory, data: changed.withErofsChecksum, salt: salt, uuid: uuid).status == 0)
    try directory.write("all.pol", "policy_name=all policy_version=1.0.0\nDEFAULT action=ALLOW\n")
    for object in ["a.bpf.o", "net/b.bpf.o"] {
      let result = try VerityBPFCommand.run(
        ["load", "--image", "other.raw", "--object", object, "--policy", "all.pol", "--dry-run"], in: directory.path)
      #expect(result.status == 0, "\(result.errors)")
    }
  }

  /// A name cannot move the cursor of whoever reads it.
  @Test func controlCharactersAreShownNotSent() throws {
    let directory = try BuildImageTests.sources()
    let name = "\u{1b}[31mred\u{9b}2J\u{202e}.txt"
    try directory.write("progs/\(name)", "text")
    try directory.write("progs/\u{1b}]0;skipped", "text")
    let built = try BuildImageTests.build(directory, ["--include=*.txt"])
    #expect(built.status == 0 && built.errors.contains("\\u{1b}]0;skipped"))
    let inspected = try VerityBPFCommand.run(["inspect", directory.file("out.raw")])
    #expect(inspected.output.contains("\\u{1b}[31mred\\u{9b}2J\\u{202e}.txt"))
    let json = try VerityBPFCommand.run(["inspect", directory.file("out.raw"), "--json"])
    for text in [built.output, built.errors, inspected.output, json.output] {
      #expect(!text.unicodeScalars.contains { ["\u{1b}", "\u{9b}", "\u{202e}"].contains($0) })
    }
    guard case .array(let files) = try json.json()["files"] else {
      Issue.record("\(json.output)")
      return
    }
    #expect(files.contains { $0["path"] == .string(name) })
  }
}

extension [UInt8] {
  /// The superblock's CRC-32C made anew: seed of all ones, no inversion, over bytes 1024 to 4095 with the field zero.
  fileprivate var withErofsChecksum: [UInt8] {
    var copy = self
    copy.storeLittleEndian(UInt32(0), at: 1028)
    var remainder = UInt32.max
    for byte in copy[1024..<4096] {
      remainder ^= UInt32(byte)
      for _ in 0..<8 { remainder = remainder & 1 == 1 ? remainder >> 1 ^ 0x82f6_3b78 : remainder >> 1 }
    }
    copy.storeLittleEndian(remainder, at: 1028)
    return copy
  }
}

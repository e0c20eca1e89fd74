import Base
import Verity
import Testing

/// Table lines that Linux 6.12 and 7.3 wrote.
struct VerityTableTests {
  static let root = "a8d490871bcc5829ec43a908c6d24c9e6f031dc5ea8fdf07138cee393ebd06ae"
  static let line = "1 254:0 254:0 4096 4096 1356 1357 sha256 \(root) 0007"

  @Test func readsASignedTable() throws {
    let table = try VerityTable(Self.line + " 2 root_hash_sig_key_desc cryptsetup:11111111-good")
    #expect(table.hashType == 1)
    #expect(table.dataDevice == "254:0")
    #expect(table.dataBlockCount == 1356)
    #expect(table.hashStart == 1357)
    #expect(Hex.encode(table.rootDigest) == Self.root)
    #expect(table.salt == [0, 7])
    #expect(table.signatureKeyDescription == "cryptsetup:11111111-good")
    #expect(table.mode == .eio)
    #expect(!table.checksAtMostOnce && !table.ignoresZeroBlocks && table.correction == nil)
  }

  @Test func readsTablesWithAndWithoutSaltAndOptions() throws {
    #expect(try VerityTable("1 7:0 7:1 512 4096 3 1 sha1 00ff -").salt.isEmpty)
    #expect(try VerityTable(Self.line).signatureKeyDescription == nil)
    #expect(try VerityTable(Self.line + " 0").mode == .eio)
    let options = try VerityTable(
      Self.line + " 5 ignore_corruption panic_on_error ignore_zero_blocks check_at_most_once try_verify_in_tasklet")
    #expect(options.mode == .logging && options.errorMode == "panic_on_error")
    #expect(options.ignoresZeroBlocks && options.checksAtMostOnce && options.verifiesInTasklet)
    let corrected = try VerityTable(
      Self.line + " 8 use_fec_from_device 7:2 fec_blocks 10 fec_start 11 fec_roots 2")
    #expect(corrected.correction?.roots == 2 && corrected.correction?.device == "7:2")
  }

  @Test(arguments: [
    "", "1 254:0", line + " 1", line + " 1 do_not_verify", line + " 2 ignore_corruption", line + " x",
    line + " 2 ignore_corruption restart_on_corruption", line + " 2 check_at_most_once check_at_most_once",
    line + " 1 root_hash_sig_key_desc", line + " 2 fec_roots 2", "1 /dev/vda 254:0 4096 4096 1 1 sha256 00 -",
    "1 254:0 254:0 4096 4096 1 1 sha256 0g -", "1 254:0 254:0 4096 4096 +1 1 sha256 00 -",
    "4294967296 254:0 254:0 4096 4096 1 1 sha256 00 -",
    // A description with blanks that looks like more options.
    line + " 2 root_hash_sig_key_desc a ignore_corruption",
  ])
  func refusesWhatTheKernelDoesNotWrite(_ text: String) {
    #expect(throws: TableError.self) { try VerityTable(text) }
  }

  @Test func readsStates() throws {
    #expect(try !VerityState("V").hasSeenCorruption)
    #expect(try VerityState("C").hasSeenCorruption)
    #expect(try VerityState("V -").corrected == nil)
    #expect(try VerityState("C 3").corrected == 3)
    for text in ["", "X", "V C", "V - -", "VC"] {
      #expect(throws: TableError.self) { try VerityState(text) }
    }
  }

  /// A target as the kernel lays it out: 40 bytes, the text, padded to eight.
  private func target(type: String, text: String, at place: Int, start: UInt64 = 0) -> [UInt8] {
    var bytes: [UInt8] = []
    func little(_ value: UInt64, _ count: Int) {
      for index in 0..<count { bytes.append(UInt8(truncatingIfNeeded: value >> UInt64(8 * index))) }
    }
    let size = (40 + text.utf8.count + 1 + 7) / 8 * 8
    little(start, 8)
    little(80, 8)
    little(0, 4)
    little(UInt64(place + size), 4)
    bytes += Array(type.utf8) + [UInt8](repeating: 0, count: 16 - type.utf8.count)
    bytes += Array(text.utf8) + [UInt8](repeating: 0, count: size - 40 - text.utf8.count)
    return bytes
  }

  @Test func readsTargetLists() throws {
    let one = target(type: "verity", text: Self.line, at: 0)
    let targets = try TableTarget.list(one.rawSpan, count: 1)
    #expect(try TableTarget.soleVerity(targets).text == Self.line)
    #expect(targets.first?.length == 80)

    // Pitfall: a linear device that calls itself CRYPT-VERITY-…, and verity with a neighbour.
    let linear = try TableTarget.list(target(type: "linear", text: "254:0 0", at: 0).rawSpan, count: 1)
    #expect(throws: TableError.targetType("linear")) { try TableTarget.soleVerity(linear) }
    let two = one + target(type: "linear", text: "254:0 0", at: one.count, start: 80)
    let both = try TableTarget.list(two.rawSpan, count: 2)
    #expect(both.map(\.type) == ["verity", "linear"])
    #expect(throws: TableError.targetCount(2)) { try TableTarget.soleVerity(both) }
    #expect(throws: TableError.targetCount(0)) { try TableTarget.soleVerity([]) }
  }

  @Test func endsInAResultForAnyBytes() throws {
    let good = target(type: "verity", text: Self.line, at: 0)
    var random = SystemRandomNumberGenerator()
    for _ in 0..<2000 {
      var bytes = good
      for _ in 0..<Int.random(in: 1...4, using: &random) {
        bytes[Int.random(in: 0..<bytes.count, using: &random)] = .random(in: 0...255, using: &random)
      }
      bytes.removeLast(Int.random(in: 0...8, using: &random))
      let targets = try? TableTarget.list(bytes.rawSpan, count: .random(in: 0...3, using: &random))
      for target in targets ?? [] { _ = try? VerityTable(target.text) }
    }
    for length in good.indices {
      #expect(throws: TableError.self) { try TableTarget.list(Array(good[..<min(length, 100)]).rawSpan, count: 1) }
    }
  }
}

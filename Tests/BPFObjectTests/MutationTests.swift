import BPFTestSupport
import BPFAnalysis
import BPFObject
import Base
import Testing

/// Damaged objects: each ends in a linked object or an error, soon, and never in a trap.
@Suite struct MutationTests {
  /// A run of bytes that one kind of structure takes.
  struct Region {
    let name: String
    let range: Range<Int>
  }

  static let rounds = 60
  private static let interesting: [UInt64] = [
    0, 1, 2, 7, 8, 0x7f, 0x80, 0xff, 0x7fff, 0xffff, 0x7fff_ffff, 0x8000_0000, 0xffff_fff8, 0xffff_ffff,
    0x7fff_ffff_ffff_ffff, .max,
  ]

  /// The headers, and every section that linking reads.
  private static func regions(_ bytes: [UInt8]) throws -> [Region] {
    let span = bytes.rawSpan
    let table = Int(try span.u64(at: 40))
    let count = Int(try span.u16(at: 60))
    let names = Int(try span.u64(at: table + Int(try span.u16(at: 62)) * 64 + 24))
    var regions = [Region(name: "ELF header", range: 0..<64)]
    regions.append(Region(name: "section headers", range: table..<table + count * 64))
    for index in 1..<count {
      let header = table + index * 64
      let name = try #require(try span.cString(at: names + Int(try span.u32(at: header))))
      let offset = Int(try span.u64(at: header + 24))
      let size = Int(try span.u64(at: header + 32))
      guard !name.contains("debug"), try span.u32(at: header + 4) != 8, size > 0 else { continue }
      regions.append(Region(name: name, range: offset..<offset + size))
    }
    return regions
  }

  private static func check(_ bytes: [UInt8], _ what: @autoclosure () -> String) -> Bool {
    let start = ContinuousClock.now
    var linked = false
    do throws(BPFObjectError) {
      let object = try BPFObject.link(bytes: bytes.rawSpan, allowsExterns: true)
      linked = true
      #expect(BPFObject.reports(of: object).count == object.programs.count, "\(what())")
      for program in object.programs {
        #expect(!program.funcInfo.isEmpty || program.coreRelocations.isEmpty, "\(what())")
        #expect(program.instructions.count.isMultiple(of: 8), "\(what())")
        #expect(program.edits.allSatisfy { $0.index < program.instructions.count / 8 }, "\(what())")
      }
    } catch {
      #expect(!error.message.isEmpty && !error.diagnostic.code.isEmpty, "\(what())")
    }
    let elapsed = ContinuousClock.now - start
    #expect(elapsed < .seconds(2), "\(what()) took \(elapsed)")
    return linked
  }

  /// One region after the other is damaged: a bit, a byte, or an aligned number is overwritten.
  @Test(arguments: TestObject.names + ["struct_ops", "KFUNC", "KCONFIG"])
  func damagedStructures(_ name: String) throws {
    let isMacro = name.hasPrefix("K")
    let original = try TestObject.bytes(isMacro ? "externs" : name, flags: isMacro ? ["-D\(name)"] : [])
    var generator = Generator(UInt64(name.utf8.reduce(7) { $0 &* 31 &+ Int($1) }))
    var refused = 0
    var total = 0
    for region in try Self.regions(original) {
      for round in 0..<Self.rounds {
        var bytes = original
        for _ in 0...Int.random(in: 0..<3, using: &generator) {
          let at = Int.random(in: region.range, using: &generator)
          switch round % 3 {
          case 0: bytes[at] ^= 1 << UInt8.random(in: 0..<8, using: &generator)
          case 1: bytes[at] = UInt8.random(in: 0...255, using: &generator)
          default:
            let aligned = at & ~3
            guard aligned + 8 <= bytes.count else { continue }
            let value = Self.interesting.randomElement(using: &generator) ?? 0
            if Bool.random(using: &generator) {
              bytes.storeLittleEndian(UInt32(truncatingIfNeeded: value), at: aligned)
            } else {
              bytes.storeLittleEndian(value, at: aligned)
            }
          }
        }
        total += 1
        if !Self.check(bytes, "\(name), \(region.name), round \(round)") { refused += 1 }
      }
    }
    #expect(total >= 250)
    // Much of an object may change and still be one; but damage to tables must be noticed.
    #expect(refused > total / 5, "\(refused) of \(total) refused")
  }

  @Test(arguments: TestObject.names)
  func truncatedAndExtended(_ name: String) throws {
    let original = try TestObject.bytes(name)
    for count in stride(from: 0, to: original.count, by: max(1, original.count / 80)) {
      #expect(!Self.check(Array(original.prefix(count)), "\(name), \(count) bytes"))
    }
    #expect(Self.check(original + [1, 2, 3], "\(name), three bytes more"))
  }

  /// Two sections swap their headers' places in the file, or their contents.
  @Test(arguments: TestObject.names)
  func shuffledSections(_ name: String) throws {
    let original = try TestObject.bytes(name)
    let table = Int(try original.rawSpan.u64(at: 40))
    let count = Int(try original.rawSpan.u16(at: 60))
    var generator = Generator(42)
    for round in 0..<60 {
      var bytes = original
      let left = table + Int.random(in: 1..<count, using: &generator) * 64
      let right = table + Int.random(in: 1..<count, using: &generator) * 64
      // Name, type, flags, address, offset, size, link, info, alignment, entry size.
      let fields = [0..<4, 4..<8, 8..<16, 24..<32, 32..<40, 40..<44, 44..<48, 48..<56, 56..<64, 24..<40, 0..<64]
      let field = fields[round % fields.count]
      for offset in field { bytes.swapAt(left + offset, right + offset) }
      _ = Self.check(bytes, "\(name), shuffle \(round)")
    }
  }

  @Test func randomBytesBehindAGoodHeader() throws {
    let original = try TestObject.bytes("data")
    var generator = Generator(99)
    for round in 0..<50 {
      var bytes = original
      for index in 64..<bytes.count { bytes[index] = UInt8.random(in: 0...255, using: &generator) }
      #expect(!Self.check(bytes, "random \(round)"))
    }
  }
}

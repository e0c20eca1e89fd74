import BPFTestSupport
import KernelABI
@testable import BPFObject
import Base
import Testing

/// Sections that came with libbpf 1.7 and 1.8. What newer kernels make of them is the test machine's business (`loading.*`).
@Suite struct NewerSectionTests {
  @Test func variablesOfEachProcessor() throws {
    let bytes = try TestObject.compile(
      source: """
        __u64 seen SEC(".percpu") = 3; __u32 zeros[4] SEC(".percpu.zeros");
        SEC("raw_tp/task_rename") int count(void *ctx) { seen++; zeros[1]++; return 0; }
        char LICENSE[] SEC("license") = "GPL";
        """)
    let object = try BPFObject.link(bytes: bytes.rawSpan, objectName: "counting")
    let maps = Dictionary(uniqueKeysWithValues: object.maps.map { ($0.name, $0) })
    let seen = try #require(maps[".percpu"])
    // The kernel maps no such array into a process.
    #expect(seen.type == .percpuArray && seen.flags == 0 && seen.valueSize == 8 && seen.maxEntries == 1)
    #expect(seen.initialValue == [3, 0, 0, 0, 0, 0, 0, 0] && !seen.isFrozen && seen.btfValueTypeID != 0)
    #expect(maps[".percpu.zeros"]?.initialValue == [])
  }

  /// A program of two that jumps by a table, and the bytes of the table.
  private static func jumping(_ table: String, size: Int = 16) throws -> [UInt8] {
    try TestObject.compile(
      source: """
        SEC("xdp") int first(struct xdp_md *ctx) { return 2; }
        SEC("xdp") __attribute__((naked)) int jumps(struct xdp_md *ctx) {
          asm volatile(".pushsection .jumptables,\\"\\",@progbits; table: \(table); .size table, \(size); .global table;"
            ".popsection; r0 = table ll; r0 += 8; r0 = *(u64 *)(r0 + 0); .8byte 0x0d;"
            "zero: r0 = 0; exit; one: r0 = 1; exit; end:" ::: "r0", "memory");
        }
        char LICENSE[] SEC("license") = "GPL";
        """)
  }

  @Test func aJumpTableBecomesAMapOfItsProgram() throws {
    let bytes = try Self.jumping(".quad zero - xdp; .quad one - xdp")
    let object = try BPFObject.link(bytes: bytes.rawSpan)
    let table = try #require(object.maps.last)
    #expect(
      table.type == .insnArray && table.origin == .jumpTable && table.isFrozen && table.name == ".jumptables.jumps.0")
    #expect(table.keySize == 4 && table.valueSize == 16 && table.maxEntries == 2)
    // From the program's start, which is not the section's.
    #expect(table.jumpTargets == [5, 7])
    let jumps = try #require(object.programs.first { $0.name == "jumps" })
    let load = Instruction(at: 0, in: jumps.instructions.rawSpan)
    #expect(load?.sourceField == Instruction.Load.mapIndexValue && load?.immediate == Int32(object.maps.count - 1))
    #expect(object.programs.first { $0.name == "first" }?.edits.isEmpty == true)
  }

  /// Of the program that jumps, or of the whole object.
  private static func mistake(in bytes: [UInt8]) -> BPFObjectError? {
    do throws(BPFObjectError) {
      let object = try BPFObject.link(bytes: bytes.rawSpan)
      return object.programs.first { $0.name == "jumps" }?.linkError
    } catch {
      return error
    }
  }

  @Test(arguments: [
    (".quad zero - xdp; .quad 0", 16), (".quad zero - xdp; .quad end - xdp", 16), (".quad zero - xdp; .quad 0x3c", 16),
    (".quad zero - xdp; .quad -8", 16), (".quad zero - xdp; .quad one - xdp", 12),
    (".quad zero - xdp; .quad one - xdp", 24),
    (".quad zero - xdp; .quad one - xdp", 0), (".quad zero; .quad one - xdp", 16),
  ])
  func aJumpTableThatLeadsElsewhereIsRefused(_ table: String, _ size: Int) throws {
    let bytes = try Self.jumping(table, size: size)
    // The other program has no part in it.
    let error = Self.mistake(in: bytes)
    #expect(error?.check == .badRelocation, "\(String(describing: error))")
  }
}

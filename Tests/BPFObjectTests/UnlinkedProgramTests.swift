import BPFAnalysis
import BPFTestSupport
import Base
import KernelABI
import Testing

@testable import BPFObject

/// A program that cannot be linked keeps none from being loaded that can.
@Suite struct UnlinkedProgramTests {
  /// A map by a bare number, which is a descriptor of whoever loads it.
  private static let bareNumber = "asm volatile(\".quad 0x0000000100001118; .quad 0\" ::: \"r1\");"

  private static func source(first: String = "xdp", second: String = "xdp") -> String {
    """
    static __attribute__((noinline)) int helper(int x) { asm volatile("" : "+r"(x)); return x; }
    SEC("\(first)") int broken(struct xdp_md *context) { \(bareNumber) return helper(1); }
    SEC("\(second)") int sound(struct xdp_md *context) { return helper(2); }
    """
  }

  private static func linked(_ source: String) throws -> LinkedObject {
    let bytes = try TestObject.compile(source: source)
    return try BPFObject.link(bytes: bytes.rawSpan)
  }

  private static func refusal(of object: LinkedObject) -> BPFObjectError? {
    do throws(BPFObjectError) {
      try object.requireLoadable()
      return nil
    } catch {
      return error
    }
  }

  @Test func theOthersAreLinked() throws {
    var object = try Self.linked(Self.source())
    let broken = try #require(object.programs.first)
    #expect(object.programs.map(\.name) == ["broken", "sound"])
    #expect(broken.linkError?.check == .badInstruction && broken.instructions.isEmpty && broken.edits.isEmpty)
    let alone = try Self.linked(Self.source().replacing(Self.bareNumber, with: "")).programs
    #expect(object.programs[1].instructions == alone[1].instructions && object.programs[1].linkError == nil)
    let refusal = try #require(Self.refusal(of: object))
    #expect(refusal.check == .badInstruction)
    #expect(refusal.next == "load the others: --without-program broken")
    object.keepPrograms { $0.name == "sound" }
    #expect(Self.refusal(of: object) == nil)
  }

  @Test func whatIsLoadedOnRequestAloneIsNoObstacle() throws {
    let object = try Self.linked(Self.source(first: "?xdp"))
    #expect(object.programs[0].linkError != nil && Self.refusal(of: object) == nil)
  }

  @Test func anObjectOfWhichNothingCouldBeLoadedIsRefused() throws {
    let bytes = try TestObject.compile(
      source: "SEC(\"xdp\") int broken(struct xdp_md *context) { \(Self.bareNumber) return 2; }")
    do throws(BPFObjectError) {
      _ = try BPFObject.link(bytes: bytes.rawSpan)
      Issue.record("no refusal")
    } catch {
      #expect(error.check == .badInstruction && error.next == nil, "\(error)")
    }
  }

  /// The tag names no function of the object, and is one program's.
  @Test func anExceptionCallbackIsItsProgramsOwn() throws {
    func object(_ of: String) throws -> LinkedObject {
      try Self.linked(
        """
        __attribute__((noinline, btf_decl_tag("\(of == "callee" ? "exception_callback:absent" : "other"))")))
        int callee(int x) { asm volatile("" : "+r"(x)); return x; }
        SEC("tc") __attribute__((btf_decl_tag("\(of == "broken" ? "exception_callback:absent" : "other")"))) int broken(struct __sk_buff *skb) { return 0; }
        SEC("tc") int sound(struct __sk_buff *skb) { return callee(1); }
        """)
    }
    let linked = try object("broken")
    #expect(linked.programs[0].linkError?.check == .badFunction && linked.programs[1].linkError == nil)
    // Of a function that is no program it is about the whole object.
    #expect(throws: BPFObjectError.self) { _ = try object("callee") }
  }

  /// Maps are made of all that are there.
  @Test func itLeavesNoJumpTables() throws {
    let object = try Self.linked(
      """
      SEC("xdp") __attribute__((naked)) int broken(struct xdp_md *ctx) {
        asm volatile(".pushsection .jumptables,\\"\\",@progbits; table: .quad zero - xdp; .size table, 8; .global table;"
          ".popsection; r0 = table ll; r0 = *(u64 *)(r0 + 0); .8byte 0x0d; zero: r0 = 0; exit;"
          ".quad 0x0000000100001118; .quad 0; exit" ::: "r0", "memory");
      }
      SEC("xdp") int sound(struct xdp_md *context) { return 2; }
      """)
    #expect(object.programs[0].linkError?.check == .badInstruction && object.programs[1].linkError == nil)
    #expect(object.maps.allSatisfy { $0.origin != .jumpTable })
  }

  /// Or an object could ask for as much of it as it likes.
  @Test func workIsCountedThatCameToNothing() throws {
    let programs = (0..<140).map { "SEC(\"xdp\") int p\($0)(void *c) { int r = big(1); \(Self.bareNumber) return r; }" }
    let bytes = try TestObject.compile(
      source: """
        static __attribute__((noinline)) int big(int x) {
          asm volatile(".rept 60000; r0 += 1; .endr" : "+r"(x) :: "r0");
          return x;
        }
        \(programs.joined(separator: "\n"))
        SEC("xdp") int sound(void *c) { return 2; }
        """)
    do throws(BPFObjectError) {
      _ = try BPFObject.link(bytes: bytes.rawSpan)
      Issue.record("no refusal")
    } catch {
      #expect(error.check == .tooLarge, "\(error)")
    }
  }

  @Test func theWorstIsSaidOfIt() throws {
    let bytes = try TestObject.compile(source: Self.source())
    let report = try BPFObject.report(bytes: bytes.rawSpan)
    let broken = report.programs[0]
    #expect(broken.linkError?.check == .badInstruction && broken.instructionCount == 0 && broken.submitted == nil)
    #expect(!broken.isRestricted && broken.readScope == .undeclared && !broken.kernelReads.isEmpty)
    #expect(broken.unfollowed.first?.description.contains("cannot be linked") == true)
    #expect(LockdownMode.allCases.dropFirst().allSatisfy { !broken.restrictions(in: $0).isEmpty })
    #expect(broken.capabilities.contains(.sysAdmin) && broken.capabilities.contains(.sysBoot))
    #expect(broken.minimumKernel.version > report.programs[1].minimumKernel.version)
    #expect(report.programs[1].isRestricted && report.programs[1].linkError == nil)
    #expect(report.notes.map(\.code) == [.unlinkedProgram])
  }

  /// Of two releases of what is not known, nothing says that they are the same.
  @Test func aComparisonDoesNotCallItTheSame() throws {
    let bytes = try TestObject.compile(source: Self.source())
    let report = try BPFObject.report(bytes: bytes.rawSpan)
    let changes = ObjectDiff(from: report, to: report).changes
    #expect(changes.map(\.subject) == ["program broken"] && changes.first?.gone == [])
  }
}

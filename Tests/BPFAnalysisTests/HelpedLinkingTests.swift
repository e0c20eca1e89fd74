import BPFAnalysis
import BPFObject
import BPFTestSupport
import Base
import KernelABI
import LinkProtocol
import Testing

/// Linking by edits comes to what linking in one process comes to.
@Suite struct HelpedLinkingTests {
  private func answer(_ bytes: [UInt8]) throws -> LinkAnswer? {
    guard case .edits(let answer) = HelperAnswer(bytes.rawSpan) else { return nil }
    return answer
  }

  private func linked(_ bytes: [UInt8], _ answer: LinkAnswer) throws -> LinkedObject {
    let tables = try ObjectTables(bytes.rawSpan, objectName: "object.bpf.o")
    return try tables.link(CheckedEdits(answer, object: bytes.rawSpan, layout: tables.layout))
  }

  @Test(arguments: TestObject.names) func editsLinkTheSame(_ name: String) throws {
    let bytes = try TestObject.bytes(name)
    let own = try BPFObject.link(bytes: bytes.rawSpan, objectName: "object.bpf.o", allowsExterns: true)
    guard let answer = try answer(bytes) else {
      // What no edit stands for.
      let hasInner = own.maps.contains { !$0.inner.isEmpty }
      #expect(name == "slots" || hasInner || !own.externs.isEmpty || !own.typeEdits.isEmpty, "\(name)")
      return
    }
    let helped = try linked(bytes, answer)
    #expect(helped.programs == own.programs)
    #expect(helped.maps == own.maps)
    #expect(helped.btf == own.btf)
    #expect(helped.license == own.license)
  }

  /// The loader takes the worst of what it has not read.
  @Test func typesAreUnknown() throws {
    let bytes = try TestObject.bytes("core")
    let helped = try linked(bytes, try #require(try answer(bytes)))
    for report in BPFObject.reports(of: helped) {
      #expect(!report.isRestricted && report.strictestLockdown == .none)
    }
    #expect(helped.needOfTypes != nil)
  }

  @Test func whatNoEditStandsForIsNamed() throws {
    let slots = try TestObject.bytes("slots")
    #expect(HelperAnswer(slots.rawSpan) == .outside(.mapContents))
    let annotated = try TestObject.compile(
      source: """
        static const char note[] __attribute__((used, section(".verity_bpf"))) = "drop integrity: nothing\\n";
        SEC("xdp") int drop(struct xdp_md *context) { return 1; }
        char LICENSE[] SEC("license") = "GPL";
        """)
    #expect(HelperAnswer(annotated.rawSpan) == .outside(.annotations))
    let symbols = try TestObject.compile(
      source: """
        extern int CONFIG_HZ __attribute__((section(".kconfig")));
        SEC("xdp") int drop(struct xdp_md *context) { return CONFIG_HZ; }
        char LICENSE[] SEC("license") = "GPL";
        """)
    #expect(HelperAnswer(symbols.rawSpan) == .outside(.kernelSymbols))
    #expect(HelperAnswer(Array("text".utf8).rawSpan).isRefusal)
  }

  @Test func checksHaveNumbers() {
    for check in BPFObjectError.Check.allCases { #expect(BPFObjectError.Check(number: check.number) == check) }
    #expect(BPFObjectError.Check(number: UInt32(BPFObjectError.Check.allCases.count)) == nil)
    #expect(LinkLimits.objectBytes == BPFObject.maximumByteCount)
  }
}

extension HelperAnswer {
  fileprivate var isRefusal: Bool {
    switch self {
    case .refused: true
    case .edits, .outside: false
    }
  }
}

import BPFTestSupport
import Base
import Testing

@testable import BPFObject

/// Declaration tags are texts of an object's author, not names.
@Suite struct TagTextTests {
  private static func link(_ tag: String) throws(BPFObjectError) -> LinkedObject {
    let bytes: [UInt8]
    do {
      bytes = try TestObject.compile(
        source: """
          __attribute__((btf_decl_tag("\(tag)"))) SEC("xdp") int f(struct xdp_md *context) { (void)context; return 0; }
          """)
    } catch {
      throw BPFObjectError(.notELF, "\(error)")
    }
    return try BPFObject.link(bytes: bytes.rawSpan)
  }

  /// Those of the kernel's selftests have what a message has to be, line by line.
  @Test(arguments: ["comment:first\\nsecond", "a\u{202e}b", "\u{200d}"]) func anyText(tag: String) throws {
    #expect(try Self.link(tag).programs.count == 1)
  }

  @Test func whatNamesAFunctionIsAName() {
    for tag in ["exception_callback:\\nabsent", "exception_callback:absent"] {
      #expect(throws: BPFObjectError.self) { try Self.link(tag) }
    }
  }
}

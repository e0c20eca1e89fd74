import BPFTestSupport
import Base
import KernelABI
import Testing

@testable import BPFObject

/// Sections whose names say nothing of their programs.
@Suite struct SectionTypeTests {
  private static func object() throws -> LinkedObject {
    let bytes = try TestObject.compile(
      source: """
        SEC("filter") int f(struct xdp_md *context) { (void)context; return 0; }
        SEC("?later") int g(struct xdp_md *context) { (void)context; return 0; }
        SEC("xdp") int h(struct xdp_md *context) { (void)context; return 0; }
        """)
    return try BPFObject.link(bytes: bytes.rawSpan)
  }

  private static func refusal(_ types: String...) throws -> BPFObjectError.Check? {
    var object = try object()
    do throws(BPFObjectError) {
      try object.take(types.compactMap { SectionType($0) })
      return nil
    } catch {
      return error.check
    }
  }

  @Test func theTypeIsSaidByNamesOfLibbpf() throws {
    var object = try Self.object()
    #expect(object.sectionsWithoutType == ["filter", "later"])
    #expect(object.programs.map(\.kind.type) == [.unspec, .unspec, .xdp])
    try object.take([#require(SectionType("filter=cgroup_skb/egress")), #require(SectionType("later=lsm.s/file_open"))])
    #expect(object.sectionsWithoutType == [])
    #expect(object.programs.map(\.kind.type) == [.cgroupSkb, .lsm, .xdp])
    #expect(object.programs[0].kind.expectedAttachType == .cgroupInetEgress && !object.programs[0].kind.isOptional)
    #expect(object.programs[1].kind.attachTarget?.name == "bpf_lsm_file_open" && object.programs[1].kind.isOptional)
    try object.requireLoadable()
  }

  @Test func whatIsSaidAlreadyStays() throws {
    #expect(try Self.refusal("xdp=socket") == .sectionHasType)
    #expect(try Self.refusal("filter=socket", "filter=xdp") == .sectionHasType)
    #expect(try Self.refusal("absent=socket") == .noSuchSection)
  }

  /// Their own loaders give such programs a function; here it is stated.
  @Test func whatNamesAKindAndNoPlace() throws {
    let bytes = try TestObject.compile(
      source: """
        SEC("fentry") int f(void *context) { (void)context; return 0; }
        SEC("?lsm.s") int g(void *context) { (void)context; return 0; }
        SEC("xdp") int h(struct xdp_md *context) { (void)context; return 0; }
        """)
    var object = try BPFObject.link(bytes: bytes.rawSpan)
    #expect(object.sectionsWithoutType == ["fentry", "lsm.s"])
    do throws(BPFObjectError) {
      try object.requireLoadable()
      Issue.record("no refusal")
    } catch {
      #expect(error.check == .unknownSectionName && error.message.contains("does not say where"), "\(error)")
      #expect(error.next?.contains("--section-type fentry=fentry/NAME") == true, "\(error.next ?? "")")
    }
    try object.take([#require(SectionType("fentry=fexit/do_unlinkat")), #require(SectionType("lsm.s=lsm.s/file_open"))])
    #expect(object.programs[0].kind.attachTarget?.name == "do_unlinkat" && object.programs[1].kind.isOptional)
    #expect(try Self.refusal("fentry/=fentry/do_unlinkat") == .noSuchSection)
  }

  /// Loaders give `fentry/dummy` the function that their users name.
  @Test func anotherPlaceOfTheSameType() throws {
    let bytes = try TestObject.compile(
      source: """
        SEC("?fentry/dummy") int f(void *context) { (void)context; return 0; }
        SEC("kprobe/dummy") int g(void *context) { (void)context; return 0; }
        """)
    var object = try BPFObject.link(bytes: bytes.rawSpan)
    for other in ["fentry/dummy=fexit/vfs_read", "fentry/dummy=fentry.s/vfs_read", "kprobe/dummy=kprobe/vfs_read"] {
      let type = try #require(SectionType(other))
      do throws(BPFObjectError) {
        try object.take([type])
        Issue.record("\(other) is taken")
      } catch {
        #expect(error.check == .sectionHasType)
      }
    }
    try object.take([#require(SectionType("fentry/dummy=fentry/ext4:ext4_file_open"))])
    let kind = object.programs[0].kind
    #expect(kind.attachTarget?.name == "ext4_file_open" && kind.attachTarget?.module == "ext4" && kind.isOptional)
    #expect(kind.target == "ext4:ext4_file_open" && object.programs[1].kind.target == "dummy")
  }

  @Test(arguments: [
    "", "filter", "filter=", "=socket", "?filter=socket", "filter=?socket", "filter=nothing", "filter=fentry",
  ])
  func whatIsNoStatement(_ text: String) { #expect(SectionType(text) == nil) }

  @Test func programsWithoutTypeAreNotLoaded() throws {
    let object = try Self.object()
    do throws(BPFObjectError) {
      try object.requireLoadable()
      Issue.record("no refusal")
    } catch {
      #expect(error.check == .unknownSectionName)
      #expect(error.next?.contains("--section-type filter=TYPE") == true, "\(error.next ?? "")")
    }
  }
}

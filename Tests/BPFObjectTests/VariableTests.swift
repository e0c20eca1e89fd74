import BPFTestSupport
import Base
import Testing

@testable import BPFObject

/// Constants that are set before an object is loaded, as libbpf's skeletons set `.rodata`.
@Suite struct VariableTests {
  private static let source = """
    enum mode { OFF, FAST = 7, BACK = -2 };
    struct inner { __u16 low; __u16 high; };
    struct filter {
      __u32 pid; struct inner ports[2]; union { __u64 whole; __u32 part; }; __u32 bits : 3; char tag[4];
    };
    const volatile __u8 small = 1;
    const volatile __s8 tiny = -1;
    const volatile __u16 port = 80;
    const volatile __s32 level = 3;
    const volatile __u64 wide = 5;
    const volatile __s64 deep = 5;
    const volatile bool enabled = false;
    const volatile enum mode mode = OFF;
    const volatile char name[8] = "old";
    const volatile __u32 list[3] = {9, 9, 9};
    const volatile __u8 grid[2][2] = {{1, 2}, {3, 4}};
    const volatile struct filter filter = {.pid = 4};
    const volatile struct filter filters[2];
    const volatile float ratio = 1;
    void *const volatile pointer = 0;
    const __u32 folded = 6;
    static const volatile __u32 own = 7;
    const volatile __u32 secret __attribute__((visibility("hidden"))) = 8;
    __u32 counter = 1;
    __u32 zero;
    const volatile __u64 other SEC(".rodata.other") = 2;
    SEC("xdp") int f(struct xdp_md *context) {
      zero += counter;
      return small + tiny + port + level + wide + deep + enabled + mode + name[context->data & 7] + list[context->data & 1]
        + grid[1][context->data & 1] + filter.pid + filters[1].pid + (*(const volatile __u32 *)&ratio > 0) + (pointer == NULL) + own + secret + other
        + *(const volatile __u32 *)&folded;
    }
    char LICENSE[] SEC("license") = "GPL";
    """

  private static func object() throws -> LinkedObject {
    let bytes = try TestObject.compile(source: source, flags: ["-mcpu=v3", "-Wno-everything"])
    return try BPFObject.link(bytes: bytes.rawSpan, objectName: "o.bpf.o")
  }

  /// The bytes of the sections that hold constants before and after, and what is said of it.
  private static func set(_ texts: String...) throws -> (before: [UInt8], after: [UInt8], set: [SetVariable]) {
    var object = try object()
    let before = try contents(object)
    let set = try object.set(try texts.map { try #require(VariableSetting($0)) })
    return (before, try contents(object), set)
  }

  private static func contents(_ object: LinkedObject) throws -> [UInt8] {
    object.maps.filter { $0.isFrozen && $0.origin != .declared }.flatMap(\.initialValue)
  }

  private static func refusal(_ texts: String...) throws -> BPFObjectError? {
    var object = try object()
    let before = object
    do throws(BPFObjectError) {
      _ = try object.set(texts.compactMap { VariableSetting($0) })
      return nil
    } catch {
      #expect(object == before, "nothing is set of what was refused")
      return error
    }
  }

  /// Exactly these bytes become others, one after another.
  private static func difference(_ texts: String...) throws -> [UInt8] {
    var object = try object()
    let before = try contents(object)
    _ = try object.set(try texts.map { try #require(VariableSetting($0)) })
    let after = try contents(object)
    #expect(before.count == after.count)
    return zip(before, after).filter { $0.0 != $0.1 }.map(\.1)
  }

  @Test func valuesAreWrittenAsTheirTypesHaveThem() throws {
    #expect(try Self.difference("small=255") == [255])
    #expect(try Self.difference("small='A'") == [0x41])
    #expect(try Self.difference("tiny=-128") == [0x80])
    #expect(try Self.difference("port=0x1F90") == [0x90, 0x1f])
    #expect(try Self.difference("level=-1") == [255, 255, 255, 255])
    #expect(try Self.difference("wide=18446744073709551615") == [UInt8](repeating: 255, count: 8))
    #expect(try Self.difference("deep=-9223372036854775808") == [0, 0x80])
    #expect(try Self.difference("enabled=true") == [1] && Self.difference("enabled=1") == [1])
    #expect(try Self.difference("enabled=false") == [])
    #expect(try Self.difference("mode=FAST") == [7] && Self.difference("mode=7") == [7])
    #expect(try Self.difference("mode=BACK") == [0xfe, 255, 255, 255])
    // The NUL behind it is what was there behind the old text.
    #expect(try Self.difference("name=eth0") == Array("eth0".utf8))
    #expect(try Self.difference("name=\"[x]\"") == Array("[x]".utf8))
    #expect(try Self.difference("name=") == [0, 0, 0])
    #expect(try Self.difference("name=[111,108]") == [0])
    #expect(try Self.difference("list=[1, 0x2]") == [1, 2, 0])
    #expect(try Self.difference("list=[]") == [0, 0, 0])
    #expect(try Self.difference("list[1]=7") == [7])
    #expect(try Self.difference("grid=[[5,6],[7]]") == [5, 6, 7, 0])
    #expect(try Self.difference("grid[1][0]=9") == [9])
    #expect(try Self.difference("filter.pid=5") == [5])
    #expect(try Self.difference("filter.ports[1].high=258") == [2, 1])
    #expect(try Self.difference("filter.part=3", "filters[1].tag=abc") == [3, 0x61, 0x62, 0x63])
    #expect(try Self.difference("other=3") == [3])
  }

  @Test func saysWhatWasSet() throws {
    let set = try Self.set("port=443", "name=eth0", "filter.ports[0].low=1", "mode=FAST").set
    #expect(set.map(\.place) == ["port", "name", "filter.ports[0].low", "mode"])
    #expect(set.map(\.type) == ["__u16", "char[8]", "__u16", "enum mode"])
    #expect(set.map(\.value) == ["443", "eth0", "1", "FAST"])
    #expect(set.map(\.map) == ["o.rodata", "o.rodata", "o.rodata", "o.rodata"])
  }

  @Test(arguments: [
    "small=256", "small=-1", "small=+1", "small=", "small=0x", "small=0x-1", "small=1.5", "small='AB'", "tiny=128",
    "tiny=-129", "port=65536", "level=2147483648", "level=0xffffffff", "wide=18446744073709551616", "wide=-1",
    "deep=9223372036854775808", "deep=-9223372036854775809", "enabled=2", "enabled=yes", "mode=SLOW", "name=12345678",
    "name=[1,2,3,4,5,6,7,8,9]", "name=[256]", "list=5", "list=[1,2,3,4]", "list=[1,]", "list=[[1]]", "list=[1",
    "list=1]",
    "grid=[[1,2,3]]", "filter.tag=abcd",
  ])
  func valuesThatATypeDoesNotHave(_ text: String) throws {
    let refusal = try Self.refusal(text)
    #expect(refusal?.check == .variableValue, "\(refusal?.description ?? "no refusal")")
    #expect(refusal?.expected != nil && refusal?.diagnostic.category == .usage)
  }

  @Test(arguments: [
    ("absent=1", BPFObjectError.Check.noVariable), ("filter.absent=1", .noVariable), ("list[3]=1", .noVariable),
    ("small[0]=1", .noVariable), ("small.part=1", .noVariable), ("filter=1", .variableType),
    ("filters[0]=1", .variableType),
    ("filter.bits=1", .variableType), ("ratio=1", .variableType), ("pointer=0", .variableType),
    ("folded=1", .variableNotVolatile), ("own=1", .variableStatic), ("secret=1", .variableStatic),
    ("counter=2", .variableNotConstant), ("zero=2", .variableNotConstant), ("LICENSE=GPL", .noVariable),
  ])
  func whatCannotBeSet(_ text: String, _ check: BPFObjectError.Check) throws {
    let refusal = try Self.refusal(text)
    #expect(refusal?.check == check, "\(refusal?.description ?? "no refusal")")
  }

  @Test func aWrongNameListsThoseThatThereAre() throws {
    let found = try #require(try Self.refusal("absent=1")?.found)
    for name in ["small (__u8)", "port (__u16)", "name (char[8])", "grid (__u8[2][2])", "other (__u64)"] {
      #expect(found.contains(name), "\(found)")
    }
    for name in ["counter", "own", "secret", "folded"] { #expect(!found.contains(name), "\(found)") }
  }

  @Test func onePlaceHasOneValue() throws {
    #expect(try Self.refusal("small=1", "small=2")?.check == .variableTwice)
    // Parts of one variable are set in the order they are given.
    #expect(try Self.difference("list=[1,2,3]", "list[1]=4") == [1, 4, 3])
  }

  @Test(arguments: [
    "", "=1", "a", "a.=1", ".a=1", "a[=1", "a[]=1", "a[x]=1", "a[-1]=1", "a[1=1", "1a=1", "a b=1", "a[4294967296]=1",
  ])
  func whatIsNoSetting(_ text: String) { #expect(VariableSetting(text) == nil) }

  @Test func valuesOfTheKernelsConfigurationStay() throws {
    let bytes = try TestObject.compile(
      source: """
        extern int LINUX_KERNEL_VERSION __attribute__((section(".kconfig")));
        SEC("xdp") int f(struct xdp_md *context) { return LINUX_KERNEL_VERSION; }
        """)
    var object = try BPFObject.link(bytes: bytes.rawSpan, allowsExterns: true)
    let setting = try #require(VariableSetting("LINUX_KERNEL_VERSION=1"))
    do throws(BPFObjectError) {
      _ = try object.set([setting])
      Issue.record("it was set")
    } catch {
      #expect(error.check == .variableNotConstant)
    }
  }
}

import BPFTestSupport
import KernelABI
import Base
@_spi(ProgramLoading) import Linux
import TestSupport
import Testing

@testable import BPFObject

/// Type information that kernels refuse, and what they are given in its place.
@Suite struct TypeEditTests {
  /// Types made by hand: each with a name, and words of which some are names.
  fileprivate struct Types {
    enum Word {
      case number(UInt32)
      case name(String)
    }

    private var strings: [UInt8] = [0]
    private var bytes: [UInt8] = []

    mutating func add(
      _ name: String, _ kind: BTFKind, count: UInt32 = 0, flag: Bool = false, _ size: UInt32, _ rest: Word...
    ) {
      bytes.appendLittleEndian(offset(name))
      bytes.appendLittleEndian(BTFFormat.info(kind) | count | (flag ? 1 << 31 : 0))
      bytes.appendLittleEndian(size)
      for word in rest {
        switch word {
        case .number(let number): bytes.appendLittleEndian(number)
        case .name(let name): bytes.appendLittleEndian(offset(name))
        }
      }
    }

    private mutating func offset(_ name: String) -> UInt32 {
      guard !name.isEmpty else { return 0 }
      defer { strings += Array(name.utf8) + [0] }
      return UInt32(strings.count)
    }

    var section: [UInt8] {
      var section: [UInt8] = [0x9f, 0xeb, 1, 0]
      for word in [24, 0, bytes.count, bytes.count, strings.count] { section.appendLittleEndian(UInt32(word)) }
      return section + bytes + strings
    }

    /// An `int`, which others refer to as type 1.
    static func withInt(_ more: (inout Types) -> Void) -> Types {
      var types = Types()
      types.add("int", .int, 4, .number(1 << 24 | 32))
      more(&types)
      return types
    }
  }

  struct Case: CustomTestStringConvertible {
    let title: String
    let types: [UInt8]
    let changes: [TypeEdit.Change]

    fileprivate init(_ title: String, _ changes: [TypeEdit.Change], _ more: (inout Types) -> Void) {
      self.title = title
      self.changes = changes
      types = Types.withInt(more).section
    }

    var testDescription: String { title }
  }

  static let refused: [Case] = [
    Case("a name of another language", [.name]) { $0.add("Option<&str>", .structure, 0) },
    Case("a name that begins with a digit", [.name]) { $0.add("1st", .typedef, 1) },
    Case("a name of too many bytes", [.name]) { $0.add(String(repeating: "a", count: 513), .forward, 0) },
    Case("a name that is not ASCII", [.name]) { $0.add("größe", .enumeration, 4) },
    Case("a member with a number for a name", [.elementName]) {
      $0.add("pair", .structure, count: 1, 4, .name("0"), .number(1), .number(0))
    },
    Case("an enumerator with blanks", [.elementName]) {
      $0.add("e", .enumeration, count: 1, 4, .name("A B"), .number(0))
    },
    Case("an enumerator without a name", [.missingName]) {
      $0.add("e", .enumeration, count: 1, 4, .name(""), .number(0))
    },
    Case("a typedef without a name", [.missingName]) { $0.add("", .typedef, 1) },
    Case("a pointer with a name", [.surplusName]) { $0.add("*const u8", .pointer, 1) },
    Case("an array with a name", [.surplusName]) { $0.add("[i32; 2]", .array, 0, .number(1), .number(1), .number(2)) },
    Case("a parameter without a name", [.parameterName]) {
      $0.add("", .functionPrototype, count: 2, 1, .name(""), .number(1), .name("b"), .number(1))
      $0.add("f", .function, 2)
    },
    Case("an ellipsis with a name", [.surplusName]) {
      $0.add("", .functionPrototype, count: 1, 1, .name("v"), .number(0))
    },
    Case("a function that is defined elsewhere", [.linkage]) {
      $0.add("", .functionPrototype, 1)
      $0.add("f", .function, count: 2, 2)
    },
    Case("a mangled function", [.name]) {
      $0.add("", .functionPrototype, 1)
      $0.add("_ZN4core3fmt$LT$17hE", .function, 2)
    },
    Case("a variable that is defined elsewhere", [.linkage]) { $0.add("v", .variable, 1, .number(2)) },
    Case("members out of order", [.memberOrder]) {
      $0.add("s", .structure, count: 2, 8, .name("a"), .number(1), .number(32), .name("b"), .number(1), .number(0))
    },
    Case("a union with offsets", [.unionOffsets]) {
      $0.add("u", .union, count: 2, 8, .name("a"), .number(1), .number(32), .name("b"), .number(1), .number(0))
    },
    Case("an integer that is signed and a character", [.encoding]) { $0.add("c", .int, 1, .number(3 << 24 | 8)) },
  ]

  /// Each is refused as it is, and taken with the changes that are listed, by the kernel that runs the tests.
  @Test(arguments: refused)
  func whatNoKernelTakesIsChanged(_ test: Case) throws {
    let original = try BTF(test.types.rawSpan)
    var mender = BTFMender(original)
    let mended = try mender.mend(keepsOrder: false)
    #expect(mender.edits.map(\.change) == test.changes)
    #expect(mended.types.count == original.types.count)
    // What is good is not changed again.
    var again = BTFMender(mended)
    #expect(try again.mend(keepsOrder: false).part.bytes == mended.part.bytes && again.edits.isEmpty)
    guard KernelOracle.isAvailable else { return print("skipped: no kernel to ask about \(test.title)") }
    #expect(throws: SystemError.self) { _ = try BPF.loadBTF(test.types) }
    _ = try BPF.loadBTF(mended.part.bytes)
  }

  @Test func namesKeepWhatTheyCan() throws {
    let types = Types.withInt { types in
      types.add("Option<&str>", .structure, count: 1, 4, .name("0"), .number(1), .number(0))
      types.add("Option<&str>", .structure, 0)
    }
    var mender = BTFMender(try BTF(types.section.rawSpan))
    let mended = try mender.mend(keepsOrder: false)
    #expect(try mended.name(of: mended.type(2)) == "Option__str_")
    #expect(try mended.name(of: mended.type(3)) == "Option__str_")
    #expect(try mended.string(at: mended.members(of: mended.type(2))[0].nameOffset) == "_")
    #expect(mender.edits.map(\.name) == ["Option<&str>", "Option<&str>", "Option<&str>"])
    #expect(mender.edits.map(\.type) == [2, 2, 3])
  }

  /// CO-RE records count members, so that these keep their order, and what the kernel refuses for it stays refused.
  @Test func membersThatRecordsCountKeepTheirPlaces() throws {
    let out = try #require(Self.refused.first { $0.changes == [.memberOrder] })
    var mender = BTFMender(try BTF(out.types.rawSpan))
    #expect(try mender.mend(keepsOrder: true).part.bytes == out.types && mender.edits.isEmpty)
  }

  /// What compilers of C write needs no change, and gets none.
  @Test(arguments: TestObject.names)
  func whatKernelsTakeStays(_ name: String) throws {
    let linked = try TestObject.link(name)
    #expect(linked.typeEdits.isEmpty)
    #expect(linked.types(adaptedTo: KernelRelease(6, 18)) == nil)
  }

  @Test func olderKernelsGetOlderKinds() throws {
    let types = Types.withInt { types in
      types.add("double", .float, 8)
      types.add("tagged", .typeTag, 1)
      types.add("wide", .enumeration64, count: 1, 8, .name("A"), .number(1), .number(1))
      types.add("signed", .enumeration, count: 1, flag: true, 4, .name("B"), .number(.max))
      types.add("alias", .typedef, 1)
      types.add("note", .declarationTag, 6, .number(.max))
      types.add("dotted.name", .structure, 0)
      types.add(String(repeating: "n", count: 200), .structure, 0)
    }
    let linked = LinkedObject(license: "GPL", btf: types.section, maps: [], programs: [])
    #expect(linked.types(adaptedTo: KernelRelease(6, 12)) == nil)
    let (bytes, edits) = try #require(linked.types(adaptedTo: KernelRelease(5, 12)))
    #expect(edits.map(\.type) == [2, 3, 4, 5, 7, 8, 9])
    #expect(edits.map(\.change) == [.kind, .kind, .kind, .flag, .kind, .name, .name])
    let adapted = try BTF(bytes.rawSpan)
    #expect(adapted.types.dropFirst(2).map(\.kind).prefix(4) == [.structure, .const, .union, .enumeration])
    #expect(adapted.types[7].kind == .int && adapted.types[4].sizeOrType == 8)
    #expect(try adapted.name(of: adapted.type(8)) == "dotted_name")
    #expect(try adapted.name(of: adapted.type(9)).utf8.count == 128)
    let some = try #require(linked.types(adaptedTo: KernelRelease(5, 17)))
    #expect(some.edits.map(\.type) == [4, 5, 8, 9])
    guard KernelOracle.isAvailable else { return print("skipped: no kernel to ask") }
    _ = try BPF.loadBTF(bytes)
  }

  @Test func partsThatNeedTypesAreNamed() throws {
    #expect(try TestObject.link("data").needOfTypes == nil)
    #expect(try TestObject.link("core").needOfTypes?.contains("CO-RE relocations") == true)
    #expect(try TestObject.link("callbacks").needOfTypes?.contains("address of") == true)
    let timer = """
      struct bpf_timer { __u64 a[2]; } __attribute__((aligned(8)));
      struct value { struct bpf_timer timer; };
      struct {
        __uint(type, 2); __uint(max_entries, 1); __type(key, int); __type(value, struct value);
      } timers SEC(".maps");
      SEC("xdp") int f(void *ctx) { int k = 0; return bpf_map_lookup_elem(&timers, &k) != 0; }
      """
    let object = try TestObject.compile(source: timer)
    #expect(try BPFObject.link(bytes: object.rawSpan).needOfTypes?.contains("bpf_timer") == true)
  }
}

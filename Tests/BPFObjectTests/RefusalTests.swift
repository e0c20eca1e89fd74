import BPFTestSupport
import BPFObject
import Base
import Testing

/// Every way in which an object can be wrong has its own check and says what to do.
@Suite struct RefusalTests {
  private static func refusal(of bytes: [UInt8]) -> BPFObjectError? {
    do throws(BPFObjectError) {
      _ = try BPFObject.link(bytes: bytes.rawSpan)
      return nil
    } catch {
      return error
    }
  }

  private static func refusal(of source: String, flags: [String] = []) throws -> BPFObjectError? {
    refusal(of: try TestObject.compile(source: source, flags: flags))
  }

  /// A field of the ELF header or of a section header, overwritten.
  private static func patched<Number: FixedWidthInteger & UnsignedInteger>(
    _ bytes: [UInt8], _ value: Number, at offset: Int
  ) -> [UInt8] {
    var bytes = bytes
    bytes.storeLittleEndian(value, at: offset)
    return bytes
  }

  private static func sectionHeader(_ name: String, in bytes: [UInt8]) throws -> Int {
    let span = bytes.rawSpan
    let table = Int(try span.u64(at: 40))
    let count = Int(try span.u16(at: 60))
    let names = Int(try span.u64(at: table + Int(try span.u16(at: 62)) * 64 + 24))
    for index in 0..<count {
      let header = table + index * 64
      if try span.cString(at: names + Int(try span.u32(at: header))) == name { return header }
    }
    Issue.record("no section \(name)")
    return 0
  }

  // MARK: - The file

  @Test func notELF() {
    #expect(Self.refusal(of: [])?.check == .notELF)
    #expect(Self.refusal(of: Array("#!/bin/sh\n".utf8))?.check == .notELF)
  }

  @Test func bigEndian() throws {
    #expect(Self.refusal(of: try TestObject.bytes("data", target: "bpfeb"))?.check == .bigEndian)
  }

  @Test func other32BitOrOtherMachine() throws {
    let object = try TestObject.bytes("data")
    #expect(Self.refusal(of: Self.patched(object, UInt8(1), at: 4))?.check == .not64Bit)
    let machine = Self.refusal(of: Self.patched(object, UInt16(62), at: 18))
    #expect(machine?.check == .otherMachine)
    #expect(machine?.found == "e_machine 62 (x86-64)")
    #expect(Self.refusal(of: Self.patched(object, UInt16(2), at: 16))?.check == .notRelocatable)
  }

  @Test func truncatedAnywhere() throws {
    let object = try TestObject.bytes("data")
    for count in stride(from: 4, to: object.count, by: 97) {
      let refusal = Self.refusal(of: Array(object.prefix(count)))
      #expect(refusal?.check == .truncated, "\(count) bytes")
    }
  }

  @Test func sectionOutsideFile() throws {
    let object = try TestObject.bytes("data")
    let header = try Self.sectionHeader(".data", in: object)
    #expect(Self.refusal(of: Self.patched(object, UInt64(1 << 40), at: header + 32))?.check == .sectionOutsideFile)
    #expect(Self.refusal(of: Self.patched(object, UInt64.max, at: header + 24))?.check == .sectionOutsideFile)
  }

  @Test func overlappingSections() throws {
    let object = try TestObject.bytes("data")
    let data = try Self.sectionHeader(".data", in: object)
    let text = try Self.sectionHeader(".text", in: object)
    let inText = Self.patched(object, try object.rawSpan.u64(at: text + 24) + 8, at: data + 24)
    let refusal = Self.refusal(of: inText)
    #expect(refusal?.check == .overlappingSections)
    #expect(refusal?.message.contains(".text") == true && refusal?.message.contains(".data") == true)
    #expect(Self.refusal(of: Self.patched(object, UInt64(0), at: data + 24))?.check == .overlappingSections)
  }

  @Test func sectionLiesAboutItsSize() throws {
    let object = try TestObject.bytes("data")
    let section = try Self.sectionHeader(".rodata", in: object)
    let longer = Self.patched(object, try object.rawSpan.u64(at: section + 32) + 64, at: section + 32)
    #expect(Self.refusal(of: longer)?.check == .overlappingSections)
    let program = try Self.sectionHeader("xdp", in: object)
    let shorter = Self.patched(object, UInt64(8), at: program + 32)
    #expect(Self.refusal(of: shorter)?.check == .badFunction || Self.refusal(of: shorter)?.check == .badRelocation)
  }

  @Test func twoSectionsOfOneName() throws {
    let object = try TestObject.bytes("callbacks")
    let data = try Self.sectionHeader(".data", in: object)
    let btf = try Self.sectionHeader(".BTF", in: object)
    let renamed = Self.patched(object, try object.rawSpan.u32(at: btf), at: data)
    #expect(Self.refusal(of: renamed)?.check == .duplicateSection)
  }

  // MARK: - Type information

  /// An object without types is refused for what needs them, and for nothing else.
  @Test(arguments: [
    (
      "struct { __uint(type, 2); __uint(max_entries, 1); __uint(key_size, 4); __uint(value_size, 4); } m SEC(\".maps\");",
      "section `.maps`"
    ),
    ("extern int symbol; int use(void) { return symbol; }", "symbol `symbol`"),
  ])
  func noTypeInformation(_ source: String, _ need: String) throws {
    let refusal = try Self.refusal(of: source + " SEC(\"xdp\") int f(void *ctx) { return 2; }", flags: ["-g0"])
    #expect(refusal?.check == .noBTF)
    #expect(refusal?.why?.contains(need) == true)
    #expect(refusal?.next?.contains("-g") == true)
  }

  @Test func noNeedOfTypeInformation() throws {
    let source = "static int count; SEC(\"xdp\") int f(void *ctx) { return ++count; }"
    let object = try TestObject.compile(source: source, flags: ["-g0"])
    let linked = try BPFObject.link(bytes: object.rawSpan)
    #expect(linked.btf.isEmpty && linked.needOfTypes == nil && linked.typeEdits.isEmpty)
    #expect(linked.maps.map(\.btfValueTypeID) == [0])
    #expect(linked.programs.count == 1)
    #expect(linked.programs.allSatisfy { $0.funcInfo.isEmpty && $0.lineInfo.isEmpty })
  }

  /// CO-RE records without types are about nothing.
  @Test func recordsWithoutTypes() throws {
    let object = Self.renaming(".BTF\0", in: try TestObject.bytes("core"))
    let refusal = Self.refusal(of: object)
    #expect(refusal?.check == .noBTF && refusal?.why?.contains("CO-RE") == true)
  }

  @Test func noInstructionInformation() throws {
    let data = Self.renaming(".BTF.ext\0", in: try TestObject.bytes("data"))
    let linked = try BPFObject.link(bytes: data.rawSpan)
    #expect(!linked.btf.isEmpty && linked.programs.allSatisfy { $0.funcInfo.isEmpty && $0.lineInfo.isEmpty })
    let callbacks = Self.renaming(".BTF.ext\0", in: try TestObject.bytes("callbacks"))
    // Of the programs those alone that hand out a function's address.
    let others = try BPFObject.link(bytes: callbacks.rawSpan)
    #expect(others.programs.contains { $0.linkError?.check == .noBTFExt })
  }

  /// An object without a section: its name is another one in the string table.
  private static func renaming(_ name: String, in object: [UInt8]) -> [UInt8] {
    var object = object
    if let range = object.firstRange(of: Array(name.utf8)) { object[range.lowerBound + 1] = UInt8(ascii: "X") }
    return object
  }

  // MARK: - The contents

  @Test func unknownSectionNameNamesNearOnes() throws {
    func untyped(_ section: String) throws -> BPFObjectError? {
      let bytes = try TestObject.compile(source: "SEC(\"\(section)\") int f(void *ctx) { return 0; }")
      let object = try BPFObject.link(bytes: bytes.rawSpan)
      do throws(BPFObjectError) {
        try object.requireLoadable()
        return nil
      } catch {
        return error
      }
    }
    let refusal = try untyped("fentyr/do_exit")
    #expect(refusal?.check == .unknownSectionName)
    #expect(refusal?.next?.contains("`fentry/…`") == true)
    #expect(try untyped("xdp/eth0")?.check == .unknownSectionName)
    #expect(try untyped("lsm")?.next?.contains("--section-type lsm=lsm/NAME") == true)
  }

  @Test func noProgram() throws {
    let source =
      "struct { __uint(type, 2); __uint(max_entries, 1); __type(key, int); __type(value, int); } m SEC(\".maps\");"
    let refusal = try Self.refusal(of: source + "int f(void) { return 0; }")
    #expect(refusal?.check == .noPrograms && refusal?.message == "the object has no programs: only maps")
    let functions = try Self.refusal(of: "int f(void) { return 0; }")
    #expect(functions?.message == "the object has no programs: only functions that other objects call")
  }

  @Test func staticProgram() throws {
    let source = "SEC(\"xdp\") int g(void *ctx) { return 2; } static SEC(\"xdp\") int f(void *ctx) { return 2; }"
    let refusal = try Self.refusal(of: source)
    #expect(refusal?.check == .badFunction && refusal?.next == "drop the word `static`")
  }

  @Test func legacyMaps() throws {
    let source = """
      struct bpf_map_def { unsigned type, key_size, value_size, max_entries, map_flags; };
      struct bpf_map_def SEC("maps") m = { 2, 4, 4, 1, 0 };
      SEC("xdp") int f(void *ctx) { int k = 0; return bpf_map_lookup_elem(&m, &k) != 0; }
      """
    let refusal = try Self.refusal(of: source)
    #expect(refusal?.check == .legacyMaps && refusal?.next?.contains(".maps") == true)
  }

  @Test(arguments: [
    ("__uint(typo, 2);", "field `typo`"),
    ("__uint(type, 2); int flags;", "field `flags`"),
    ("__type(type, int);", "not a number"),
    ("__uint(max_entries, 2);", "no type"),
    ("__uint(type, 26);", "cannot be declared"),
    ("__uint(type, 1); __type(key, int); __uint(key_size, 8);", "contradicts"),
    ("__uint(type, 1); __type(key, void);", "no size"),
    ("__uint(type, 1); __uint(pinning, 7);", "pinning"),
    ("__uint(type, 1); int (*values[])(void);", "does not fit"),
  ])
  func badMap(_ fields: String, _ says: String) throws {
    let source = """
      struct { \(fields) } m SEC(".maps");
      SEC("xdp") int f(void *ctx) { int k = 0; return bpf_map_lookup_elem(&m, &k) != 0; }
      """
    let refusal = try Self.refusal(of: source)
    #expect(refusal?.check == .badMap)
    #expect(refusal?.message.contains(says) == true, "\(refusal?.message ?? "")")
  }

  @Test(arguments: [
    ("KFUNC", "a kernel function, `bpf_task_"), ("KSYM", "a kernel variable, `jiffies_64`"),
    ("KCONFIG", "a kernel configuration value, `LINUX_KERNEL_VERSION`"),
  ])
  func externs(_ macro: String, _ says: String) throws {
    let refusal = Self.refusal(of: try TestObject.bytes("externs", flags: ["-D\(macro)"]))
    #expect(refusal?.check == .unsupportedExtern)
    #expect(refusal?.message.contains(says) == true, "\(refusal?.message ?? "")")
  }

  @Test func structOps() throws {
    let source = """
      struct ops { int (*f)(void *); };
      SEC("struct_ops/f") int f(void *ctx) { return 0; }
      SEC(".struct_ops") struct ops o = { .f = f };
      """
    #expect(try Self.refusal(of: source)?.check == .unsupportedSection)
  }

  @Test func pointersInData() throws {
    let source = """
      static int value = 3;
      int *const volatile table[2] = { &value, &value };
      SEC("xdp") int f(void *ctx) { return *table[1]; }
      """
    let object = try TestObject.compile(source: source)
    let linked = try BPFObject.link(bytes: object.rawSpan)
    #expect(linked.dataPointers.map(\.variable) == ["table"] && linked.dataPointers.map(\.count) == [2])
    let users = linked.dataPointers.flatMap(\.users)
    #expect(users.map(\.program) == ["f"])
    #expect(users.allSatisfy { linked.programs[0].instructions[$0.instruction * 8] == 0x18 })
  }

  /// Names that a terminal would not show as they are: an escape sequence, reversed text, a zero-width space.
  @Test(arguments: [0x1b, 0x202e, 0x200b, 0x85, 0x0a] as [UInt32])
  func hiddenCharactersInNames(_ scalar: UInt32) throws {
    let hidden = String(Character(try #require(Unicode.Scalar(scalar))))
    var object = try TestObject.compile(
      source: "SEC(\"xdp\") int f(void *ctx) { return 2; } int XXXXXXXXXXXX SEC(\".data\") = 1;")
    // The variable's name, in the symbol table and in the types.
    let name = Array("XXXXXXXXXXXX".utf8)
    while let range = object.firstRange(of: name) {
      let new = Array(hidden.utf8) + [UInt8](repeating: UInt8(ascii: "y"), count: 12)
      object.replaceSubrange(range, with: new.prefix(12))
    }
    let refusal = Self.refusal(of: object)
    #expect(refusal?.check == .malformedELF && refusal?.message.contains("nobody sees") == true)
    #expect(refusal?.message.contains(hidden) == false)
  }

  @Test func licenseIsText() throws {
    let program = "SEC(\"xdp\") int f(void *ctx) { return 2; } char L[] SEC(\"license\") = "
    #expect(try Self.refusal(of: program + "\"GPL\\nv2\";")?.check == .badLicense)
    #expect(try Self.refusal(of: program + "\"\(String(repeating: "x", count: 200))\";")?.check == .badLicense)
    #expect(try Self.refusal(of: program + "\"GPL\";") == nil)
  }

  @Test func everyRefusalExplainsItself() throws {
    let diagnostic = try #require(Self.refusal(of: [1, 2, 3, 4])).diagnostic
    #expect(diagnostic.code == "object.not-elf" && diagnostic.expected != nil && diagnostic.found == "01020304")
    #expect(diagnostic.next?.hasPrefix("compile one") == true)
  }
}

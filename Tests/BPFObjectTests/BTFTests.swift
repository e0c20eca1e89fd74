import BPFTestSupport
import KernelABI
import Base
import Linux
import TestSupport
import Testing

@testable import BPFObject

/// Type sections made by hand: what compilers never write, and what the kernel's own section looks like.
@Suite struct BTFTests {
  /// A section with these records, each a name offset, an info word, a size or type, and more words.
  private static func section(_ records: [[UInt32]], strings: String = "\0a\0b\0") -> [UInt8] {
    var types: [UInt8] = []
    for word in records.joined() { types.appendLittleEndian(word) }
    var bytes: [UInt8] = [0x9f, 0xeb, 1, 0]
    let header: [UInt32] = [24, 0, UInt32(types.count), UInt32(types.count), UInt32(strings.utf8.count)]
    for word in header { bytes.appendLittleEndian(word) }
    return bytes + types + Array(strings.utf8)
  }

  private static func record(_ kind: BTFKind, vlen: UInt32 = 0, _ rest: UInt32...) -> [UInt32] {
    [1, UInt32(kind.rawValue) << 24 | vlen] + rest
  }

  private static func refusal(_ bytes: [UInt8]) -> String? {
    do throws(BPFObjectError) {
      _ = try BTF(bytes.rawSpan)
      return nil
    } catch {
      #expect(error.check == .malformedBTF)
      return error.message
    }
  }

  @Test(arguments: [
    ([record(.typedef, 9)], "refers to a type that does not exist"),
    ([record(.structure, vlen: 2, 8, 1, 0, 0)], "runs over the end"),
    ([[1, 20 << 24, 0]], "unknown kind"), ([[1, 0, 0]], "unknown kind"),
    ([[99, UInt32(BTFKind.int.rawValue) << 24, 4, 32]], "name outside"),
    ([record(.structure, vlen: 1, 8, 77, 0, 0)], "name outside"),
    ([record(.array, 0, 5, 1, 4)], "does not exist"), ([record(.dataSection, vlen: 1, 0, 3, 0, 0)], "does not exist"),
    ([[1, UInt32(BTFKind.int.rawValue) << 24]], "runs over the end"),
  ])
  func malformedRecords(_ records: [[UInt32]], _ says: String) throws {
    let message = try #require(Self.refusal(Self.section(records)))
    #expect(message.contains(says), "\(message)")
  }

  @Test func malformedStrings() {
    #expect(Self.refusal(Self.section([], strings: "a\0"))?.contains("string section") == true)
    #expect(Self.refusal(Self.section([], strings: "\0a"))?.contains("string section") == true)
    #expect(Self.refusal(Self.section([], strings: ""))?.contains("string section") == true)
    #expect(Self.refusal(Self.section([], strings: "\0")) == nil)
  }

  @Test func malformedHeaders() {
    let good = Self.section([Self.record(.int, 4, 32)])
    #expect(Self.refusal(good) == nil)
    // Magic, version, header length, type offset and length, string offset and length.
    let changes: [(offset: Int, value: UInt8)] = [
      (0, 0), (2, 2), (4, 23), (4, 255), (8, 1), (12, 255), (16, 0), (20, 255),
    ]
    for change in changes {
      var bytes = good
      bytes[change.offset] = change.value
      #expect(Self.refusal(bytes) != nil, "byte \(change.offset)")
    }
    for count in 0..<good.count { #expect(Self.refusal(Array(good.prefix(count))) != nil, "\(count) bytes") }
  }

  /// Chains without end and sizes without bound are answered, not followed.
  @Test func bombsDoNotGoOff() throws {
    let cycle = try BTF(Self.section([Self.record(.typedef, 2), Self.record(.const, 1)]).rawSpan)
    #expect(throws: BPFObjectError.self) { try cycle.resolved(1) }
    #expect(throws: BPFObjectError.self) { try cycle.size(of: 1) }

    let itself = try BTF(Self.section([Self.record(.array, 0, 1, 1, 1)]).rawSpan)
    #expect(throws: BPFObjectError.self) { try itself.size(of: 1) }

    let huge = try BTF(
      Self.section([
        Self.record(.int, 4, 32), Self.record(.array, 0, 1, 1, 1 << 20), Self.record(.array, 0, 2, 1, 1 << 20),
      ]).rawSpan)
    #expect(try huge.size(of: 2) == 4 << 20)
    #expect(throws: BPFObjectError.self) { try huge.size(of: 3) }

    var deep = [Self.record(.int, 4, 32)]
    for level in 1...5000 { deep.append(Self.record(.array, 0, UInt32(level), 1, 1)) }
    let nested = try BTF(Self.section(deep).rawSpan)
    #expect(try nested.size(of: 20) == 4)
    #expect(throws: BPFObjectError.self) { try nested.size(of: 5001) }
    #expect(
      nested.subject(ofRelocation: .fieldByteOffset, typeID: 5001, access: String(repeating: "0:", count: 5000) + "0")
        == nil)
  }

  @Test func accessPathsOutsideTheirTypes() throws {
    let btf = try BTF(
      Self.section([Self.record(.int, 4, 32), Self.record(.structure, vlen: 1, 8, 3, 1, 0)]).rawSpan)
    #expect(btf.subject(ofRelocation: .fieldByteOffset, typeID: 2, access: "0:0") == "a.b")
    #expect(btf.subject(ofRelocation: .fieldByteOffset, typeID: 2, access: "2:0") == "a[2].b")
    for access in ["0:1", "0:-1", "0:0:0", "x", "", "0::", "99999999999999999999:0"] {
      #expect(btf.subject(ofRelocation: .fieldByteOffset, typeID: 2, access: access) == nil, "\(access)")
    }
    #expect(btf.subject(ofRelocation: .fieldByteOffset, typeID: 77, access: "0:0") == nil)
  }

  /// The kernel's own types: as many as bpftool counts, and found under the numbers bpftool shows.
  @Test func theKernelsOwnTypes() throws {
    let path = "/sys/kernel/btf/vmlinux"
    let bytes = try TestObject.read(path)
    let btf = try BTF(bytes.rawSpan)
    let rows = try Subprocess.run(["bpftool", "btf", "dump", "file", path], limit: 64 << 20).text
      .split(separator: "\n").filter { $0.hasPrefix("[") }
    #expect(btf.types.count == rows.count + 1)
    for (name, kind, word) in [
      ("task_struct", BTFKind.structure, "STRUCT"), ("bpf_prog_load", .function, "FUNC"),
      ("btf_trace_sched_switch", .typedef, "TYPEDEF"), ("bpf_map_type", .enumeration, "ENUM"),
    ] {
      let row = try #require(rows.first { $0.contains("] \(word) '\(name)'") })
      #expect(btf.typeID(named: name, kind: kind).map { "[\($0)]" } == String(row.prefix { $0 != " " }))
    }
    #expect(btf.typeID(named: "no_such_type_anywhere", kind: .structure) == nil)
  }
}

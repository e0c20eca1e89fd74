import BPFTestSupport
import BPFObject
import Base
import Linux
import TestSupport
import Testing

/// The list of edits is complete: everything else is the object's own bytes, as llvm-objdump shows them.
@Suite struct EditTests {
  /// The bytes of every function, by llvm-objdump.
  private static func functions(_ object: [UInt8]) throws -> [String: [UInt8]] {
    let directory = try Directory.createTemporary(prefix: "bpfobject")
    defer { TestObject.remove(directory) }
    try TestObject.write(object, to: "\(directory)/object.o")
    let result = try Subprocess.run(["llvm-objdump", "-d", "\(directory)/object.o"], limit: 16 << 20)
    try #require(result.status == 0)
    var functions: [String: [UInt8]] = [:]
    var name = ""
    for line in result.text.split(separator: "\n") {
      if line.hasSuffix(">:"), let start = line.firstIndex(of: "<") {
        name = String(line[line.index(after: start)...].dropLast(2))
      } else if let colon = line.firstIndex(of: ":"), line[..<colon].allSatisfy({ $0 == " " || $0.isNumber }) {
        let digits = line[line.index(after: colon)...].split(separator: "\t").first ?? ""
        functions[name, default: []] += Hex.decode(digits.filter { $0 != " " }) ?? []
      }
    }
    return functions
  }

  @Test(arguments: TestObject.names)
  func everyOtherInstructionIsTheObjects(_ name: String) throws {
    let bytes = try TestObject.bytes(name)
    let functions = try Self.functions(bytes)
    let object = try TestObject.link(name)
    for program in object.programs {
      let starts = try Self.layout(of: program, object)
      var original: [UInt8] = []
      for function in starts { original += try #require(functions[function], "llvm-objdump knows no \(function)") }
      try #require(original.count == program.instructions.count)
      var edited: Set<Int> = []
      for edit in program.edits {
        edited.insert(edit.index)
        // A 64-bit load is one instruction of two slots.
        if original[edit.index * 8] == 0x18 { edited.insert(edit.index + 1) }
      }
      for index in 0..<original.count / 8 where !edited.contains(index) {
        let range = index * 8..<index * 8 + 8
        #expect(original[range] == program.instructions[range], "instruction \(index) of \(program.name)")
      }
      for edit in program.edits {
        let range = edit.index * 8..<min(edit.index * 8 + 16, original.count)
        #expect(original[range] != program.instructions[range], "edit \(edit) of \(program.name) changed nothing")
        // Linking never touches the opcode, the destination register or the offset.
        #expect(original[edit.index * 8] == program.instructions[edit.index * 8])
        #expect(original[edit.index * 8 + 1] & 15 == program.instructions[edit.index * 8 + 1] & 15)
        #expect(original[edit.index * 8 + 2] == program.instructions[edit.index * 8 + 2])
      }
    }
  }

  /// The names of a program's functions in their order, from its func_info.
  private static func layout(of program: LinkedProgram, _ object: LinkedObject) throws -> [String] {
    let btf = try BTF(object.btf.rawSpan)
    var names: [String] = []
    for offset in stride(from: 0, to: program.funcInfo.count, by: Int(program.funcInfoRecordSize)) {
      let type = btf.types[Int(try program.funcInfo.rawSpan.u32(at: offset + 4))]
      names.append(try btf.string(at: type.nameOffset))
    }
    return names
  }
}

import KernelABI
import Testing

@Suite struct ConstantTests {
  /// `map_lookup_elem` for `mapLookupElem`: what the case of a kernel's word is called.
  private static func word(ofCase name: String) -> String {
    name.reduce(into: "") { $0 += $1.isUppercase ? "_\($1.lowercased())" : "\($1)" }
  }

  /// Cases are called as the kernel's words, so that who knows the word finds the case.
  @Test func casesAreTheKernelsWords() {
    for type in ProgramType.allCases { #expect(Self.matches("\(type)", type.name)) }
    for type in AttachType.allCases { #expect(Self.matches("\(type)", type.name)) }
    for type in MapType.allCases { #expect(Self.matches("\(type)", type.name)) }
    for type in LinkType.allCases { #expect(Self.matches("\(type)", type.name)) }
    for helper in Helper.allCases { #expect(Self.matches("\(helper)", helper.name)) }
    for command in BPFCommand.allCases { #expect(Self.matches("\(command)", command.name)) }
    for error in Errno.allCases { #expect("\(error)".uppercased() == error.name) }
    for capability in Capability.allCases {
      #expect(Self.matches("\(capability)", String(capability.name.dropFirst(4)).lowercased()))
    }
  }

  private static func matches(_ caseName: String, _ name: String) -> Bool {
    // A number in a name begins no word of the case's name: `inet4_bind`, `jiffies64`, `sendmsg_4`.
    word(ofCase: caseName).filter { $0 != "_" } == name.filter { $0 != "_" }
  }

  @Test func namesLeadBack() {
    for type in MapType.allCases { #expect(MapType(name: type.name) == type) }
    for type in AttachType.allCases { #expect(AttachType(name: type.name) == type) }
    for helper in Helper.allCases { #expect(Helper(name: helper.name) == helper) }
    #expect(MapType(name: "HASH") == nil && ProgramType(name: "") == nil)
  }

  @Test func whatIsUnknownKeepsItsNumber() {
    #expect(TypeNames.map(27) == "ringbuf" && TypeNames.map(0) == "unspec" && TypeNames.map(4711) == "4711")
    #expect(TypeNames.program(29) == "lsm" && TypeNames.program(33) == "33")
    #expect(TypeNames.attach(59) == "trace_fentry_multi" && TypeNames.attach(.max) == "4294967295")
    #expect(MapType(rawValue: 36) == nil)
  }

  /// A number is its name's index.
  @Test func numbersOfTypesHaveNoGaps() {
    #expect(MapType.allCases.map(\.rawValue) == (0..<UInt32(MapType.allCases.count)).map { $0 })
    #expect(TypeNames.programs[31] == "syscall" && TypeNames.maps[33] == "arena")
    #expect(TypeNames.attachTypes[58] == "trace_fsession")
  }

  /// A number that was given later came no earlier.
  @Test func releasesRiseWithNumbers() {
    func check<Constant: KernelConstant>(_ type: Constant.Type) {
      for (left, right) in zip(type.allCases, type.allCases.dropFirst()) {
        #expect(left.since <= right.since, "\(left.name) \(left.since), \(right.name) \(right.since)")
      }
    }
    check(ProgramType.self)
    check(MapType.self)
    check(LinkType.self)
    check(BPFCommand.self)
    check(Helper.self)
    check(BTFKind.self)
    check(MapFlag.self)
    check(ProgramFlag.self)
    check(Capability.self)
    check(AttachType.self)
  }

  /// Some helpers, by the commits that added them.
  @Test(arguments: [
    ("map_delete_elem", "3.19"), ("probe_read", "4.1"), ("ringbuf_output", "5.8"), ("snprintf", "5.13"),
    ("kptr_xchg", "5.19"), ("cgrp_storage_delete", "6.2"),
  ])
  func helpersCameWith(_ name: String, _ release: String) {
    #expect(Helper(name: name)?.since.description == release)
  }

  @Test func opcodesComeApart() {
    #expect(Opcode.loadImmediate64 == Opcode(.ld, .immediate, .doubleWord))
    #expect(Opcode.call == Opcode(.jmp, .call, .constant) && Opcode.exit == Opcode(.jmp, .exit, .constant))
    #expect(Opcode.mayGoto == Opcode(.jmp, .jcond, .constant) && Opcode.longJump == Opcode(.jmp32, .ja, .constant))
    #expect(Opcode.indirectJump == Opcode(.jmp, .ja, .register))
    let atomic = Opcode(rawValue: 0xdb)
    #expect(atomic.instructionClass == .stx && atomic.mode == .atomic && atomic.size == .doubleWord)
    #expect(atomic.jump == nil && atomic.arithmetic == nil)
    #expect(Opcode(rawValue: 0xf5).jump == nil && Opcode(rawValue: 0xe7).arithmetic == nil)
    #expect(Opcode(rawValue: 0xb7).arithmetic == .mov && Opcode(rawValue: 0xb7).mode == nil)
    for value in UInt8.min...UInt8.max {
      let opcode = Opcode(rawValue: value)
      if let mode = opcode.mode {
        #expect(Opcode(opcode.instructionClass, mode, opcode.size) == opcode)
      } else if let arithmetic = opcode.arithmetic {
        #expect(Opcode(opcode.instructionClass, arithmetic, opcode.source) == opcode)
      } else if let jump = opcode.jump {
        #expect(Opcode(opcode.instructionClass, jump, opcode.source) == opcode)
      } else {
        // 0xa0 and 0xe0 as modes, 0xe0 and 0xf0 as operations that compute, 0xf0 as a jump.
        let high = value & 0xf0
        #expect(high >= 0xe0 || high == 0xa0 || high == 0xb0)
      }
    }
  }
}

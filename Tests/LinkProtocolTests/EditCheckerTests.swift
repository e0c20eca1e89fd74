import Base
import LinkProtocol
import Testing

@Suite struct EditCheckerTests {
  let object = SampleObject()

  @Test func theObjectsOwnAnswerIsTaken() throws {
    let checked = try object.check(object.answer)
    #expect(checked.target(section: SampleObject.code, instruction: 0) == .map(0))
    #expect(checked.target(section: SampleObject.code, instruction: 2) == .map(1))
    #expect(
      checked.target(section: SampleObject.code, instruction: 4) == .value(section: SampleObject.data, offset: 12))
    #expect(checked.target(section: SampleObject.code, instruction: 6) == .function(2))
    #expect(checked.target(section: SampleObject.code, instruction: 8) == .function(1))
    #expect(checked.target(section: SampleObject.code, instruction: 9) == .function(2))
    for instruction in [-1, 1, 3, 10, 11, 12, 13, 99] {
      #expect(checked.target(section: SampleObject.code, instruction: instruction) == nil)
    }
    #expect(checked.target(section: 99, instruction: 0) == nil)
    #expect(checked.maps == object.answer.maps)
  }

  /// Every kind on every opcode and source register, with a relocation entry of the type that it wants.
  @Test(arguments: LinkEdit.Kind.allCases) func aKindIsTakenOnItsFormAlone(_ kind: LinkEdit.Kind) throws {
    let place = try #require(object.answer.edits.firstIndex { $0.kind == kind })
    let edit = object.answer.edits[place]
    let start = Int(edit.instruction) * 8
    for opcode in UInt8.min...UInt8.max {
      for source in UInt8(0)...15 {
        var other = object
        other.bytes[start] = opcode
        other.bytes[start + 1] = other.bytes[start + 1] & 15 | source << 4
        let isItsForm = kind == .call ? opcode == 0x85 && source == 1 : opcode == 0x18
        #expect(other.rule(of: object.answer) == (isItsForm ? nil : .form), "\(kind) on \(opcode), source \(source)")
      }
    }
  }

  /// Every kind said of every instruction.
  @Test func aKindIsTakenOnItsInstructionAlone() {
    for place in object.answer.edits.indices {
      for kind in LinkEdit.Kind.allCases {
        for instruction in UInt32(0)...13 {
          let own = object.answer.edits[place]
          var answer = object.answer
          answer.edits[place] = LinkEdit(
            section: own.section, instruction: instruction, kind: kind, index: own.index,
            offset: kind == .value ? own.offset : 0, relocation: own.relocation)
          #expect((object.rule(of: answer) == nil) == (answer == object.answer), "\(answer.edits[place])")
        }
      }
    }
  }

  @Test func aLoadNeedsItsSecondHalf() {
    var other = object
    other.bytes[8] = 0xb7
    #expect(other.rule(of: object.answer) == .form)
  }

  /// Every field of every edit, with every value near its own and at the ends.
  @Test func noOtherEditIsTaken() {
    for place in object.answer.edits.indices {
      let own = object.answer.edits[place]
      let fields = [own.section, own.instruction, own.index, own.offset, own.relocation]
      for field in fields.indices {
        var values: Set<UInt32> = [0, 1, 2, 3, 4, 5, 6, 7, 0x7fff_ffff, 0x8000_0000, .max, .max - 15]
        for distance in UInt32(1)...64 {
          values.formUnion([fields[field] &+ distance, fields[field] &- distance])
        }
        for value in values where value != fields[field] {
          var changed = fields
          changed[field] = value
          var answer = object.answer
          answer.edits[place] = LinkEdit(
            section: changed[0], instruction: changed[1], kind: own.kind, index: changed[2], offset: changed[3],
            relocation: changed[4])
          // The offset of a kind without one is refused when the message is read.
          if field == 3, own.kind != .value { continue }
          #expect(object.rule(of: answer) != nil, "\(answer.edits[place])")
        }
      }
    }
  }

  @Test func everyEntryHasOneEdit() {
    for place in object.answer.edits.indices {
      var missing = object.answer
      missing.edits.remove(at: place)
      #expect(object.rule(of: missing) == .missing)
      var doubled = object.answer
      doubled.edits.insert(doubled.edits[place], at: place)
      #expect(object.rule(of: doubled) == .order)
      for other in object.answer.edits.indices where other != place {
        var swapped = object.answer
        swapped.edits.swapAt(place, other)
        #expect(object.rule(of: swapped) == .order)
      }
    }
    var more = object.answer
    more.edits.append(
      LinkEdit(section: 1, instruction: 10, kind: .call, index: 1, relocation: object.answer.edits[5].relocation))
    #expect(object.rule(of: more) == .form)
    #expect(object.rule(of: LinkAnswer(edits: [], maps: object.answer.maps, programs: [])) == .missing)
  }

  @Test func mapsAreThoseOfTheObject() {
    var answer = object.answer
    answer.maps.removeLast()
    #expect(object.rule(of: answer) == .map)
    answer = object.answer
    answer.maps[1].start = 31
    #expect(object.rule(of: answer) == .map)
    answer.maps.swapAt(0, 1)
    #expect(object.rule(of: answer) == .map)
    answer = object.answer
    answer.maps.append(MapClaim(start: 48, type: 1))
    #expect(object.rule(of: answer) == .map)
  }

  @Test func programsBeginWhereFunctionsDo() {
    var answer = object.answer
    answer.programs.append(answer.programs[0])
    #expect(object.rule(of: answer) == .program)
    answer.programs = [ProgramClaim(section: 1, start: 8, isRestricted: true, reads: .none, lockdown: 0)]
    #expect(object.rule(of: answer) == .program)
    answer.programs = []
    #expect(object.rule(of: answer) == nil)
  }

  /// Symbols and entries that lead out of the object's sections.
  @Test func entriesLeadNowhereElse() {
    let relocation = Int(object.answer.edits[0].relocation)
    for symbol in [UInt32(0), 5, 6, .max] {
      var other = object
      other.bytes.storeLittleEndian(symbol, at: relocation + 12)
      #expect(other.rule(of: object.answer) != nil)
    }
    let symbols = object.layout.sections[4].bytes.lowerBound
    for section in [UInt8(0), 7, 255] {
      var other = object
      other.bytes[symbols + 24 + 6] = section
      #expect(other.rule(of: object.answer) != nil)
    }
    for value in [UInt64(65), 1 << 31, 1 << 63, .max] {
      var other = object
      other.bytes.storeLittleEndian(value, at: symbols + 24 + 8)
      #expect(other.rule(of: object.answer) != nil)
    }
    for immediate in [UInt32(1), 0x7fff_ffff, 0x8000_0000, .max] {
      var other = object
      other.bytes.storeLittleEndian(immediate, at: 4)
      #expect(other.rule(of: object.answer) != nil)
    }
  }

  /// The file is shorter than its own tables say; the layout was read of another.
  @Test func aShorterFileIsRefused() {
    for count in 0..<object.bytes.count {
      var other = object
      other.bytes = Array(other.bytes.prefix(count))
      // Of the last symbol its size, which is not looked at.
      let needed = object.layout.sections[4].bytes.upperBound - 8
      #expect((other.rule(of: object.answer) == nil) == (count >= needed), "\(count) bytes")
    }
  }
}

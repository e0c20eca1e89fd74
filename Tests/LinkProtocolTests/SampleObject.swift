import Base
import LinkProtocol

/// An object of a few sections, laid out by hand: one instruction for each kind of edit, and others beside them.
struct SampleObject {
  var bytes: [UInt8] = []
  let layout: ObjectLayout
  /// The answer that says what the object says.
  let answer: LinkAnswer

  /// A 64-bit load of an immediate.
  static let wideLoad: UInt8 = 0x18
  static let call: UInt8 = 0x85
  /// The sections' indexes.
  static let (code, text, maps, data) = (1, 2, 5, 6)

  init() {
    // Opcode, registers, and the operand; of a load its second half too.
    let code: [(opcode: UInt8, registers: UInt8, immediate: UInt32)] = [
      (Self.wideLoad, 0x01, 0), (0, 0, 0),  // map 0
      (Self.wideLoad, 0x01, 0), (0, 0, 0),  // map 1, by its own symbol
      (Self.wideLoad, 0x02, 8), (0, 0, 0),  // byte 12 of the data, from a symbol at 4
      (Self.wideLoad, 0x02, 16), (0, 0, 0),  // function 2
      (Self.call, 0x10, 0xffff_ffff),  // function 1
      (Self.call, 0x10, 1),  // function 2, from the start of its section
      (Self.call, 0x00, 14),  // a helper
      (0xb7, 0x00, 0), (0x95, 0, 0),
    ]
    for instruction in code {
      bytes += [instruction.opcode, instruction.registers, 0, 0]
      bytes.appendLittleEndian(instruction.immediate)
    }
    let codeSize = bytes.count
    for _ in 0..<2 { bytes += [0xb7, 0, 0, 0, 0, 0, 0, 0, 0x95, 0, 0, 0, 0, 0, 0, 0] }
    let text = codeSize..<bytes.count
    // Where the entry is, of which symbol, of which type.
    let entries: [(instruction: Int, symbol: UInt32, type: UInt32)] = [
      (0, 1, 1), (2, 2, 1), (4, 3, 1), (6, 4, 1), (8, 4, 10), (9, 4, 10),
    ]
    let relocations = bytes.count
    for entry in entries {
      bytes.appendLittleEndian(UInt64(entry.instruction * 8))
      bytes.appendLittleEndian(entry.type)
      bytes.appendLittleEndian(entry.symbol)
    }
    let symbols = bytes.count
    let places: [(section: Int, value: UInt64)] = [
      (0, 0), (Self.maps, 0), (Self.maps, 32), (Self.data, 4), (Self.text, 0),
    ]
    for place in places {
      bytes += [0, 0, 0, 0, 0, 0, UInt8(place.section), 0]
      bytes.appendLittleEndian(place.value)
      bytes.appendLittleEndian(UInt64(0))
    }
    layout = ObjectLayout(
      sections: [
        .init(bytes: 0..<0, size: 0, role: .other), .init(bytes: 0..<codeSize, size: codeSize, role: .code),
        .init(bytes: text, size: text.count, role: .code),
        .init(bytes: relocations..<symbols, size: symbols - relocations, role: .relocations(of: Self.code)),
        .init(bytes: symbols..<bytes.count, size: bytes.count - symbols, role: .symbols),
        .init(bytes: 0..<0, size: 64, role: .maps), .init(bytes: 0..<0, size: 32, role: .data),
      ],
      functions: [
        .init(section: Self.code, offset: 0), .init(section: Self.text, offset: 0),
        .init(section: Self.text, offset: 16),
      ],
      mapStarts: [0, 32])
    func edit(_ place: Int, _ kind: LinkEdit.Kind, _ index: UInt32, _ offset: UInt32 = 0) -> LinkEdit {
      LinkEdit(
        section: UInt32(Self.code), instruction: UInt32(entries[place].instruction), kind: kind, index: index,
        offset: offset, relocation: UInt32(relocations + place * 16))
    }
    var first = MapClaim(start: 0, type: 2)
    first.numaNode = 3
    first.pinsByName = true
    first.extra = 1 << 40
    answer = LinkAnswer(
      edits: [
        edit(0, .map, 0), edit(1, .map, 1), edit(2, .value, UInt32(Self.data), 12), edit(3, .function, 2),
        edit(4, .call, 1), edit(5, .call, 2),
      ],
      maps: [first, MapClaim(start: 32, type: 1)],
      programs: [ProgramClaim(section: UInt32(Self.code), start: 0, isRestricted: true, reads: .declared, lockdown: 2)])
  }

  func check(_ answer: LinkAnswer) throws(LinkViolation) -> CheckedEdits {
    try CheckedEdits(answer, object: bytes.rawSpan, layout: layout)
  }

  /// The rule that an answer breaks; nil when it breaks none.
  func rule(of answer: LinkAnswer) -> LinkViolation.Rule? {
    do throws(LinkViolation) {
      _ = try check(answer)
      return nil
    } catch {
      return error.rule
    }
  }
}

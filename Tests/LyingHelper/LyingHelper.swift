import BPFAnalysis
import Base
import LinkProtocol
import Linux

/// A linking helper that lies: each request gets another lie, by the request's number. Request 0 modulo ``Lie/count`` gets the
/// truth. What it answers is otherwise what the real helper answers.
@main
enum LyingHelper {
  static func main() throws {
    let input = OwnedFD(adopting: 0)
    let output = OwnedFD(adopting: 1)
    // What it was asked before, for an answer about another object.
    var last = LinkAnswer(edits: [], maps: [], programs: [])
    while let frame = try read(LinkRequest.frameSize, input) {
      let request = try LinkRequest(frame: frame.rawSpan)
      guard let object = try read(request.byteCount, input) else { break }
      guard case .edits(let truth) = HelperAnswer(object.rawSpan) else {
        let head = LinkAnswer.Head(sequence: request.sequence, release: Release.current, verdict: .outside(.typeEdits))
        try output.writeAll(head.frame.rawSpan)
        continue
      }
      let lie = Lie(number: Int(request.sequence), truth: truth, other: last, sequence: request.sequence)
      last = truth
      try output.writeAll(lie.message.rawSpan)
      if lie.ends { return }
    }
  }

  private static func read(_ count: Int, _ input: borrowing OwnedFD) throws -> [UInt8]? {
    var bytes: [UInt8] = []
    while bytes.count < count {
      var chunk = [UInt8](repeating: 0, count: count - bytes.count)
      let got = try input.readSome(into: &chunk)
      if got == 0 { return nil }
      bytes += chunk.prefix(got)
    }
    return bytes
  }
}

/// One lie.
struct Lie {
  /// The kinds of lies, in the order in which requests get them.
  static let count = 24

  private(set) var message: [UInt8] = []
  /// Whether it ends afterwards, without a word.
  private(set) var ends = false

  init(number: Int, truth: LinkAnswer, other: LinkAnswer, sequence: UInt64) {
    var answer = truth
    let turn = number / Self.count
    // Another edit, map and value each time the kind comes round.
    func pick(_ count: Int) -> Int { count == 0 ? 0 : turn % count }
    let place = pick(truth.edits.count)
    func change(_ body: (LinkEdit) -> LinkEdit) {
      if answer.edits.indices.contains(place) { answer.edits[place] = body(answer.edits[place]) }
    }
    func edit(_ own: LinkEdit, _ field: Int, _ value: UInt32) -> LinkEdit {
      var fields = [own.section, own.instruction, own.index, own.offset, own.relocation]
      fields[field] = value
      return LinkEdit(
        section: fields[0], instruction: fields[1], kind: own.kind, index: fields[2], offset: fields[3],
        relocation: fields[4])
    }
    var head = answer.head(sequence: sequence, release: Release.current)
    var isFramed = false
    switch number % Self.count {
    case 1: change { edit($0, 0, $0.section &+ 1) }
    case 2: change { edit($0, 1, $0.instruction &+ 1) }
    case 3: change { edit($0, 2, $0.index &+ 1) }
    case 4: change { edit($0, 2, $0.index &- 1) }
    case 5: change { $0.kind == .value ? edit($0, 3, $0.offset &+ 4) : edit($0, 2, .max) }
    case 6: change { edit($0, 4, $0.relocation &+ 16) }
    case 7:
      change { own in
        let kinds = LinkEdit.Kind.allCases.filter { $0 != own.kind }
        return LinkEdit(
          section: own.section, instruction: own.instruction, kind: kinds[turn % kinds.count], index: own.index,
          relocation: own.relocation)
      }
    case 8: if answer.edits.indices.contains(place) { answer.edits.remove(at: place) }
    case 9: answer.edits = []
    case 10: answer.edits += answer.edits
    case 11: answer.edits.reverse()
    case 12: for index in answer.maps.indices { answer.maps[index] = Self.otherMap(answer.maps[index], turn) }
    case 13: if !answer.maps.isEmpty { answer.maps.removeLast() }
    case 14:
      answer.programs = answer.programs.map {
        ProgramClaim(section: $0.section, start: $0.start, isRestricted: true, reads: .none, lockdown: 2)
      }
    case 15: answer.programs = []
    case 16: answer = other
    case 17: head = answer.head(sequence: sequence &+ 1, release: Release.current)
    case 18: ends = true
    case 19:
      message = Array((head.frame + answer.body).prefix(turn % (head.frame.count + answer.body.count)))
      (isFramed, ends) = (true, true)
    case 20:
      message = head.frame + answer.body + head.frame + answer.body
      isFramed = true
    case 21:
      head = LinkAnswer.Head(
        sequence: sequence, release: Release.current,
        verdict: .edits(LinkLimits.edits, maps: LinkLimits.maps, programs: LinkLimits.programs))
      ends = true
    case 22:
      message = [UInt8](repeating: UInt8(truncatingIfNeeded: turn), count: 1 << 20)
      (isFramed, ends) = (true, true)
    case 23:
      // A bit of the message.
      message = head.frame + answer.body
      let bit = turn * 37 % (message.count * 8)
      message[bit / 8] ^= 1 << (bit % 8)
      // A head that announces more than comes would be waited for.
      (isFramed, ends) = (true, true)
    default: break
    }
    if isFramed { return }
    if number % Self.count != 17, number % Self.count != 21 {
      head = answer.head(sequence: sequence, release: Release.current)
    }
    if number % Self.count != 18 { message = head.frame + answer.body }
  }

  /// Everything else about a map.
  private static func otherMap(_ map: MapClaim, _ turn: Int) -> MapClaim {
    var other = map
    let value = UInt32(truncatingIfNeeded: 1 + turn)
    switch turn % 8 {
    case 0: other.type = map.type == 1 ? 2 : 1
    case 1: other.keySize = value
    case 2: other.valueSize = value
    case 3: other.maxEntries = value
    case 4: other.flags ^= 1 << (value % 32)
    case 5: other.pinsByName.toggle()
    case 6: (other.keyType, other.valueType) = (.max, .max)
    default: other.type = .max
    }
    return other
  }
}

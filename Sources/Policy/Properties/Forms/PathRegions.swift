/// The regions that patterns cut out of all paths: for each combination of patterns that some path matches, and no other
/// pattern with them, the shortest path.
///
/// A product of the patterns' automata, made as far as paths lead into it. Paths are texts, so that bytes count only where
/// they are well-formed UTF-8; a byte that no pattern names at a place stands for all such bytes there.
struct PathRegions {
  /// What may follow at a position; nil at a pattern's end. The positions of all patterns, one after the other.
  private var steps: [PathPattern.Step?] = []
  /// Which pattern each position is of.
  private var owner: [Int32] = []
  private var starts: [Int32] = []
  /// Whether hardly an ASCII character is named nowhere, so that others have to stand for those that are not.
  private let namesMany: Bool

  /// Where all patterns are after the same bytes, and where these are in a character.
  private struct State: Hashable {
    let positions: [Int32]
    let utf8: UTF8Place
  }

  init(_ patterns: [PathPattern]) {
    var named: Set<UInt8> = []
    for (number, pattern) in patterns.enumerated() {
      starts.append(Int32(clamping: steps.count))
      for step in pattern.steps {
        steps.append(step)
        owner.append(Int32(clamping: number))
        if case .byte(let byte) = step { named.insert(byte) }
      }
      steps.append(nil)
      owner.append(Int32(clamping: number))
    }
    namesMany = named.count > 90
  }

  /// A path for each region, with the patterns that it matches; nil when the effort did not suffice.
  func shortest(_ effort: inout Int) -> [(path: String, matched: [Int])]? {
    var states: [State] = []
    var from: [(state: Int, byte: UInt8)] = []
    var known: [State: Int] = [:]
    var regions: [[Int32]: Int] = [:]
    func add(_ state: State, _ parent: Int, _ byte: UInt8) {
      guard known[state] == nil else { return }
      known[state] = states.count
      if state.utf8 == .boundary {
        let matched = state.positions.filter { steps[Int($0)] == nil }.map { owner[Int($0)] }
        if regions[matched] == nil { regions[matched] = states.count }
      }
      states.append(state)
      from.append((parent, byte))
    }
    // Every path begins with a slash.
    let slash = UInt8(ascii: "/")
    let beginning = close(starts)
    effort -= beginning.count
    add(State(positions: step(beginning, slash), utf8: .boundary), -1, slash)
    var next = 0
    while next < states.count {
      let state = states[next]
      for byte in candidates(state) {
        guard let utf8 = state.utf8.after(byte) else { continue }
        effort -= state.positions.count + 4
        if effort < 0 { return nil }
        add(State(positions: step(state.positions, byte), utf8: utf8), next, byte)
      }
      next += 1
    }
    return regions.sorted { $0.value < $1.value }.map { matched, place in
      var bytes: [UInt8] = []
      var state = place
      while state >= 0 {
        bytes.append(from[state].byte)
        state = from[state].state
      }
      return (String(decoding: bytes.reversed(), as: UTF8.self), matched.map { Int($0) })
    }
  }

  /// Bytes of which each other byte does the same as one of them.
  private func candidates(_ state: State) -> [UInt8] {
    var named = [Bool](repeating: false, count: 256)
    var bytes: [UInt8] = []
    func add(_ byte: UInt8) {
      if !named[Int(byte)] { bytes.append(byte) }
      named[Int(byte)] = true
    }
    for position in state.positions {
      if case .byte(let byte)? = steps[Int(position)] { add(byte) }
    }
    guard state.utf8 == .boundary else {
      let other = (UInt8(0x80)...0xbf).first { !named[Int($0)] && state.utf8.after($0) != nil }
      return bytes + (other.map { [$0] } ?? [])
    }
    add(UInt8(ascii: "/"))
    let other = Self.usual.first { !named[Int($0)] } ?? (UInt8(1)...0x7f).first { !named[Int($0)] }
    if let other { bytes.append(other) }
    if other == nil || namesMany {
      for lead in [0xc2...0xdf, 0xe1...0xec, 0xf1...0xf3] as [ClosedRange<UInt8>] {
        if let other = lead.first(where: { !named[Int($0)] }) { bytes.append(other) }
      }
    }
    return bytes
  }

  /// What people write in names, the plainest first.
  private static let usual: [UInt8] =
    Array(UInt8(ascii: "a")...UInt8(ascii: "z")) + Array(UInt8(ascii: "0")...UInt8(ascii: "9"))
    + Array(UInt8(ascii: "A")...UInt8(ascii: "Z")) + Array("-_.".utf8)

  private func step(_ positions: [Int32], _ byte: UInt8) -> [Int32] {
    var next: [Int32] = []
    for position in positions {
      switch steps[Int(position)] {
      case .byte(let wanted)?: if wanted == byte { next.append(position + 1) }
      case .one?: if byte != UInt8(ascii: "/") { next.append(position + 1) }
      case .many?: if byte != UInt8(ascii: "/") { next.append(position) }
      case .all?: next.append(position)
      case nil: break
      }
    }
    return close(next)
  }

  /// With what follows where stars stand for nothing; each position once, in order. What a pattern could still do from
  /// before a `**` that it has reached, it can do from there.
  private func close(_ positions: [Int32]) -> [Int32] {
    var all: [Int32] = []
    for position in positions {
      all.append(position)
      switch steps[Int(position)] {
      case .many?, .all?: all.append(position + 1)
      case .byte?, .one?, nil: break
      }
    }
    all.sort()
    var closed: [Int32] = []
    var crossed: (pattern: Int32, position: Int32)?
    for position in all.reversed() {
      if closed.last == position { continue }
      if let crossed, crossed.pattern == owner[Int(position)], position < crossed.position { continue }
      closed.append(position)
      if steps[Int(position)] == .all { crossed = (owner[Int(position)], position) }
    }
    return closed.reversed()
  }
}

/// Where bytes are in a character of UTF-8, by what may follow (RFC 3629).
enum UTF8Place: UInt8 {
  /// Between two characters.
  case boundary
  case one, two, three
  /// After a lead byte that does not take each continuation.
  case afterE0, afterED, afterF0, afterF4

  /// Where each first byte of a character leads; one that is in none of the rows begins no character (RFC 3629, section 4).
  private static let firstBytes: [(bytes: ClosedRange<UInt8>, place: UTF8Place)] = [
    (0x01...0x7f, .boundary), (0xc2...0xdf, .one), (0xe0...0xe0, .afterE0), (0xe1...0xec, .two),
    (0xed...0xed, .afterED), (0xee...0xef, .two), (0xf0...0xf0, .afterF0), (0xf1...0xf3, .three),
    (0xf4...0xf4, .afterF4),
  ]

  /// Where they are with one byte more; nil when that byte cannot follow.
  func after(_ byte: UInt8) -> UTF8Place? {
    switch self {
    case .boundary: Self.firstBytes.first { $0.bytes.contains(byte) }?.place
    case .one: (0x80...0xbf).contains(byte) ? .boundary : nil
    case .two: (0x80...0xbf).contains(byte) ? .one : nil
    case .three: (0x80...0xbf).contains(byte) ? .two : nil
    case .afterE0: (0xa0...0xbf).contains(byte) ? .one : nil
    case .afterED: (0x80...0x9f).contains(byte) ? .one : nil
    case .afterF0: (0x90...0xbf).contains(byte) ? .two : nil
    case .afterF4: (0x80...0x8f).contains(byte) ? .two : nil
    }
  }
}

extension PathForm {
  /// Patterns that name one path in such numbers are regions of their own, as far as the others allow.
  private static let manyLiterals = 3000

  func samples(_ values: [PropertyValue], _ effort: inout Int) -> [FactSample]? {
    var literals: [(place: Int, path: String)] = []
    var open: [(place: Int, pattern: PathPattern)] = []
    for (place, value) in values.enumerated() {
      guard case .pattern(let text) = value else { continue }
      if PathPattern.isLiteral(text) { literals.append((place, text)) } else { open.append((place, PathPattern(text))) }
    }
    if literals.count > Self.manyLiterals, let found = apart(literals, open, &effort) { return found }
    let regions = PathRegions(
      values.map { value in
        if case .pattern(let text) = value { PathPattern(text) } else { PathPattern("") }
      })
    return regions.shortest(&effort)?.map { FactSample($0.path, $0.matched) }
  }

  /// The paths of the open patterns' regions, and the others by themselves; nil where a region's path is one of the others.
  private func apart(
    _ literals: [(place: Int, path: String)], _ open: [(place: Int, pattern: PathPattern)], _ effort: inout Int
  ) -> [FactSample]? {
    var left = min(effort, 1_000_000)
    guard let regions = PathRegions(open.map { $0.pattern }).shortest(&left) else { return nil }
    let known = Set(literals.map { Array($0.path.utf8) })
    guard regions.allSatisfy({ !known.contains(Array($0.path.utf8)) }) else { return nil }
    effort -= literals.count * (open.count * 16 + 1)
    if effort < 0 { return nil }
    let own = literals.filter { $0.path.hasPrefix("/") }.map { place, path in
      FactSample(path, ([place] + open.filter { $0.pattern.matches(path) }.map { $0.place }).sorted())
    }
    return own + regions.map { region in FactSample(region.path, region.matched.map { open[$0].place }) }
  }
}

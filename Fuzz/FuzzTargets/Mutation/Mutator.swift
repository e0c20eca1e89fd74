/// Changes an input so that more of it is understood than after a change at random.
///
/// libFuzzer's own changes insert and remove bytes, which moves everything behind them: of a format with offsets nearly
/// nothing of that is read. So most changes here stay within one part, and what depends on the part is made right.
public struct Mutator {
  /// libFuzzer's change of some bytes, to the number of bytes given at most.
  public typealias Plain = (_ bytes: [UInt8], _ capacity: Int) -> [UInt8]

  private let plain: Plain
  private var generator: Generator

  public init(seed: UInt64, plain: @escaping Plain) {
    self.plain = plain
    generator = Generator(state: seed)
  }

  /// SplitMix64, so that a run can be repeated from its seed.
  private struct Generator: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
      state &+= 0x9e37_79b9_7f4a_7c15
      var value = state
      value = (value ^ (value >> 30)) &* 0xbf58_476d_1ce4_e5b9
      value = (value ^ (value >> 27)) &* 0x94d0_49bb_1331_11eb
      return value ^ (value >> 31)
    }
  }

  mutating func number(below count: Int) -> Int { count > 1 ? Int.random(in: 0..<count, using: &generator) : 0 }
  mutating func happens(once count: Int) -> Bool { number(below: count) == 0 }
  mutating func pick<Element>(_ elements: [Element]) -> Element? { elements.randomElement(using: &generator) }

  /// An input after some changes, each of a kind that is drawn from a list: what stands there twice is drawn twice as often.
  ///
  /// - Parameter most: how many changes there are at most.
  mutating func changed<Kind>(
    _ bytes: [UInt8], most: Int, by kinds: [Kind], _ change: (Kind, inout [UInt8], inout Mutator) -> Void
  ) -> [UInt8] {
    var changed = bytes
    for _ in 0...number(below: most) {
      if let kind = pick(kinds) { change(kind, &changed, &self) }
    }
    return changed
  }

  /// Any change of libFuzzer's.
  func changed(_ bytes: [UInt8], capacity: Int) -> [UInt8] { plain(bytes, capacity) }

  /// A change of libFuzzer's in a part, which keeps its place and size.
  mutating func change(_ bytes: inout [UInt8], in range: Range<Int>) {
    guard !range.isEmpty else { return }
    let count = min(range.count, [1, 2, 4, 8, 16, 64, 256][number(below: 7)])
    // Fields lie at multiples of their size, as a rule.
    var start = range.lowerBound + number(below: range.count - count + 1)
    if happens(once: 2) { start = max(range.lowerBound, start / count * count) }
    let end = min(start + count, range.upperBound)
    var part = plain(Array(bytes[start..<end]), end - start)
    part += [UInt8](repeating: 0, count: max(0, end - start - part.count))
    bytes.replaceSubrange(start..<end, with: part.prefix(end - start))
  }

  /// Overwrites a number with one at the edge of something.
  mutating func setNumber(_ bytes: inout [UInt8], at place: Int, size: Int) {
    guard place >= 0, place + size <= bytes.count else { return }
    let edges: [UInt64] = [
      0, 1, 2, 3, 4, 7, 8, 15, 16, 24, 63, 64, 0x7f, 0x80, 0xff, 0x100, 0xfff, 0x1000, 0x7fff, 0x8000, 0xffff, 0x1_0000,
      0x7fff_ffff, 0x8000_0000, 0xffff_fff8, 0xffff_ffff, 0x1_0000_0000, 0x7fff_ffff_ffff_ffff, .max,
    ]
    let old = bytes[place..<place + size].reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
    let new = happens(once: 2) ? old &+ UInt64(number(below: 17)) &- 8 : pick(edges) ?? 0
    for index in 0..<size { bytes[place + index] = UInt8(truncatingIfNeeded: new >> UInt64(index * 8)) }
  }
}

extension FuzzTarget {
  /// A changed input, of `capacity` bytes at most.
  public func mutate(_ bytes: [UInt8], capacity: Int, _ mutator: inout Mutator) -> [UInt8] {
    let changed: [UInt8]?
    switch self {
    case .object: changed = ObjectChange.make(bytes, capacity, &mutator)
    case .program: changed = ProgramChange.make(bytes, capacity, &mutator)
    case .filesystem: changed = FileSystemChange.make(bytes, &mutator)
    case .disk: changed = DiskChange.make(bytes, &mutator)
    case .signature: changed = SignatureChange.make(bytes, capacity, &mutator)
    case .certificate: changed = DERChange.make(bytes, capacity, &mutator)
    case .policy, .manifest, .store, .audit, .link: changed = nil
    }
    guard let changed, changed.count <= capacity, !mutator.happens(once: 8) else {
      return mutator.changed(bytes, capacity: capacity)
    }
    return changed
  }
}

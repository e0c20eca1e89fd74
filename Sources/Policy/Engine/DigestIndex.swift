/// The rules of one operation that ask for one kind of digest, found by the digest.
///
/// An open-addressing table in one flat array. A slot holds the digest and all that is needed to decide by it, so a
/// look-up touches one place in memory, whether there are ten rules or a hundred thousand: what the caches cannot hold
/// costs more than all arithmetic here.
struct DigestIndex: Sendable {
  let name: PropertyName
  /// How the digests that are looked up are read from facts.
  let fact: DigestFact
  /// Whether no rule allows by them while the volume is in doubt.
  let isAboutVolume: Bool
  /// Whether there always is one.
  let isGiven: Bool
  /// Slots of ``slotSize`` bytes: four of the first rule's number from 1 (zero for an empty slot), four of its
  /// statement's place, one of flags, one of the digest's size, one of its algorithm, the digest.
  private var bytes: [UInt8]
  private let slotSize: Int
  private let mask: Int
  private var algorithms: [[UInt8]] = []

  /// The first rule that asks for a digest.
  struct Entry {
    /// Its number among the operation's rules, from 0.
    let rule: Int
    let statement: UInt32
    let allows: Bool
    /// Whether the digest is all that it asks for.
    let isWhole: Bool
  }

  /// The longest digest that is looked up by the table; longer ones exist in policies only that nothing matches.
  static let longestDigest = 64
  private static let headSize = 11

  /// Room for these digests; at most half of the slots will be taken.
  init(name: PropertyName, fact: DigestFact, digests: [DigestLiteral]) {
    self.name = name
    self.fact = fact
    isAboutVolume = name.isAboutVolume
    isGiven = name.isGiven
    var count = 2
    while count < digests.count * 2 { count *= 2 }
    mask = count - 1
    slotSize = Self.headSize + (digests.map { $0.bytes.count }.max() ?? 0)
    bytes = [UInt8](repeating: 0, count: count * slotSize)
  }

  /// The first rule that asks for the digest; nil when no rule does.
  func entry(for digest: DigestLiteral) -> Entry? {
    let place = find(digest)
    let number = number(at: place)
    guard number != 0 else { return nil }
    let flags = bytes[place &+ 8]
    return Entry(
      rule: Int(number) - 1, statement: self.number(at: place &+ 4), allows: flags & 1 != 0, isWhole: flags & 2 != 0)
  }

  /// Enters a rule that asks for a digest.
  ///
  /// - Returns: the number of the first rule that asks for it, which is this one when there was none; nil when the
  ///   table cannot hold the digest.
  mutating func insert(_ digest: DigestLiteral, _ entry: Entry) -> Int? {
    let known = algorithms.firstIndex(of: digest.algorithm)
    guard let algorithm = UInt8(exactly: known ?? algorithms.count), digest.bytes.count <= slotSize - Self.headSize
    else { return nil }
    let place = find(digest)
    let present = number(at: place)
    if present != 0 { return Int(present) - 1 }
    if known == nil { algorithms.append(digest.algorithm) }
    let numbers = [UInt32(clamping: entry.rule + 1), entry.statement]
    for (index, number) in numbers.enumerated() {
      for byte in 0..<4 { bytes[place + index * 4 + byte] = UInt8(truncatingIfNeeded: number >> UInt32(byte * 8)) }
    }
    bytes[place + 8] = (entry.allows ? 1 : 0) | (entry.isWhole ? 2 : 0)
    bytes[place + 9] = UInt8(clamping: digest.bytes.count)
    bytes[place + 10] = algorithm
    for (offset, byte) in digest.bytes.enumerated() { bytes[place + Self.headSize + offset] = byte }
    return entry.rule
  }

  private func number(at place: Int) -> UInt32 {
    UInt32(bytes[place]) | UInt32(bytes[place &+ 1]) << 8 | UInt32(bytes[place &+ 2]) << 16
      | UInt32(bytes[place &+ 3]) << 24
  }

  /// Where the digest's slot begins, or the empty one where it would go. Half of the slots are empty, so this ends.
  private func find(_ digest: DigestLiteral) -> Int {
    var slot = Int(truncatingIfNeeded: digest.mixedHash) & mask
    while true {
      let place = slot &* slotSize
      if number(at: place) == 0 || holds(place, digest) { return place }
      slot = (slot &+ 1) & mask
    }
  }

  private func holds(_ place: Int, _ digest: DigestLiteral) -> Bool {
    guard Int(bytes[place &+ 9]) == digest.bytes.count else { return false }
    var offset = place &+ Self.headSize
    for byte in digest.bytes {
      if bytes[offset] != byte { return false }
      offset &+= 1
    }
    return algorithms[Int(bytes[place &+ 10])] == digest.algorithm
  }
}

internal import PolicySyntax

/// The rules of one operation that ask for one kind of digest, found by the digest.
///
/// An open-addressing table with the digests' bytes in one flat array: a look-up touches two places in memory,
/// whether there are ten rules or a hundred thousand.
struct DigestIndex: Sendable {
  let name: PropertyName
  private var slots: [Slot]
  /// Algorithm and digest of every slot, one after the other.
  private var keys: [UInt8] = []
  private let mask: Int

  private struct Slot: Sendable {
    var hash: UInt64 = 0
    /// The first rule with this digest, counted from 1; 0 for an empty slot.
    var head: UInt32 = 0
    var key: UInt32 = 0
    var algorithmSize: UInt16 = 0
    var digestSize: UInt16 = 0
  }

  /// Room for that many different digests, at most half full.
  init(name: PropertyName, capacity: Int) {
    self.name = name
    var size = 2
    while size < capacity * 2 { size *= 2 }
    mask = size - 1
    slots = [Slot](repeating: Slot(), count: size)
    keys.reserveCapacity(capacity * 40)
  }

  /// The first rule that asks for the digest, as its number from 0; nil when no rule does.
  func firstRule(for digest: DigestLiteral) -> Int? {
    let position = find(digest)
    let head = slots[position].head
    return head == 0 ? nil : Int(head) - 1
  }

  /// Enters a rule; returns the first rule that asked for the same digest, when there is one.
  mutating func insert(_ digest: DigestLiteral, rule: Int) -> Int? {
    let position = find(digest)
    guard slots[position].head == 0 else { return Int(slots[position].head) - 1 }
    slots[position] = Slot(
      hash: digest.mixedHash, head: UInt32(clamping: rule + 1), key: UInt32(clamping: keys.count),
      algorithmSize: UInt16(clamping: digest.algorithm.count), digestSize: UInt16(clamping: digest.bytes.count))
    keys += digest.algorithm
    keys += digest.bytes
    return nil
  }

  /// The digest's slot, or the empty one where it would go. Half of the slots are empty, so this ends.
  private func find(_ digest: DigestLiteral) -> Int {
    var position = Int(truncatingIfNeeded: digest.mixedHash) & mask
    while slots[position].head != 0 {
      if slots[position].hash == digest.mixedHash, holds(slots[position], digest) { break }
      position = (position &+ 1) & mask
    }
    return position
  }

  private func holds(_ slot: Slot, _ digest: DigestLiteral) -> Bool {
    guard Int(slot.algorithmSize) == digest.algorithm.count, Int(slot.digestSize) == digest.bytes.count else {
      return false
    }
    var offset = Int(slot.key)
    for byte in digest.algorithm {
      if keys[offset] != byte { return false }
      offset &+= 1
    }
    var difference: UInt8 = 0
    for byte in digest.bytes {
      difference |= keys[offset] ^ byte
      offset &+= 1
    }
    return difference == 0
  }

  /// The longest algorithm name or digest that the table can hold; a rule beyond it is kept outside.
  static func canHold(_ digest: DigestLiteral) -> Bool {
    digest.algorithm.count < 0xffff && digest.bytes.count < 0xffff
  }
}

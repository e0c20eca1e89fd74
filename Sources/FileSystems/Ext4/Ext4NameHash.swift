/// The hash by which names are found in a directory with an index (fs/ext4/hash.c, __ext4fs_dirhash).
struct Ext4NameHash: Equatable, Sendable {
  /// `DX_HASH_LEGACY`, `DX_HASH_HALF_MD4` and `DX_HASH_TEA` (fs/ext4/ext4.h).
  enum Function: UInt8, Sendable {
    case legacy, halfMD4, tea
  }

  let function: Function
  /// Whether the bytes of names count as numbers without a sign, as on the machine that made the file system.
  let isUnsigned: Bool
  /// Four words that the hash begins with; the default where all are zero.
  let seed: [UInt32]

  /// The largest hash that a name may have is one that stands for the directory's end, less two.
  private static let end: UInt32 = 0xffff_fffe

  /// The hash of a name; its lowest bit is never set.
  func hash(of name: [UInt8]) -> UInt32 {
    var state: [UInt32] = seed.contains { $0 != 0 } ? seed : [0x6745_2301, 0xefcd_ab89, 0x98ba_dcfe, 0x1032_5476]
    let hash: UInt32
    switch function {
    case .legacy: hash = legacy(name)
    case .halfMD4:
      for start in stride(from: 0, to: name.count, by: 32) { Self.mixMD4(&state, words(name[start...], count: 8)) }
      hash = state[1]
    case .tea:
      for start in stride(from: 0, to: name.count, by: 16) { Self.mixTEA(&state, words(name[start...], count: 4)) }
      hash = state[0]
    }
    return hash & ~1 == Self.end ? Self.end - 2 : hash & ~1
  }

  private func number(_ byte: UInt8) -> UInt32 {
    isUnsigned ? UInt32(byte) : UInt32(bitPattern: Int32(Int8(bitPattern: byte)))
  }

  private func legacy(_ name: [UInt8]) -> UInt32 {
    var (last, before): (UInt32, UInt32) = (0x12a3_fe2d, 0x37ab_e8f9)
    for byte in name {
      var hash = before &+ (last ^ (number(byte) &* 7_152_373))
      if hash & 0x8000_0000 != 0 { hash = hash &- 0x7fff_ffff }
      (before, last) = (last, hash)
    }
    return last << 1
  }

  /// The name's next bytes as words, filled up by its length (str2hashbuf_signed).
  private func words(_ name: ArraySlice<UInt8>, count: Int) -> [UInt32] {
    var fill = UInt32(name.count) | UInt32(name.count) << 8
    fill |= fill << 16
    var words: [UInt32] = []
    var word = fill
    let bytes = name.prefix(4 * count)
    for (index, byte) in bytes.enumerated() {
      word = number(byte) &+ word << 8
      if index % 4 == 3 {
        words.append(word)
        word = fill
      }
    }
    if words.count < count { words.append(word) }
    while words.count < count { words.append(fill) }
    return words
  }

  private static func mixTEA(_ state: inout [UInt32], _ input: [UInt32]) {
    var (first, second, sum) = (state[0], state[1], UInt32(0))
    for _ in 0..<16 {
      sum = sum &+ 0x9e37_79b9
      first = first &+ ((second << 4 &+ input[0]) ^ (second &+ sum) ^ (second >> 5 &+ input[1]))
      second = second &+ ((first << 4 &+ input[2]) ^ (first &+ sum) ^ (first >> 5 &+ input[3]))
    }
    state[0] = state[0] &+ first
    state[1] = state[1] &+ second
  }

  /// Three rounds of MD4 with half of its steps each: which words they take, by how many bits they turn, and what they add.
  private struct Round: Sendable {
    let order: [Int]
    let shifts: [UInt32]
    let constant: UInt32
    let mix: @Sendable (UInt32, UInt32, UInt32) -> UInt32
  }

  private static let rounds = [
    Round(order: [0, 1, 2, 3, 4, 5, 6, 7], shifts: [3, 7, 11, 19], constant: 0) { b, c, d in d ^ (b & (c ^ d)) },
    Round(order: [1, 3, 5, 7, 0, 2, 4, 6], shifts: [3, 5, 9, 13], constant: 0x5a82_7999) { b, c, d in
      (b & c) &+ ((b ^ c) & d)
    },
    Round(order: [3, 7, 2, 6, 1, 5, 0, 4], shifts: [3, 9, 11, 15], constant: 0x6ed9_eba1) { b, c, d in b ^ c ^ d },
  ]

  private static func mixMD4(_ state: inout [UInt32], _ input: [UInt32]) {
    var (a, b, c, d) = (state[0], state[1], state[2], state[3])
    for round in rounds {
      for (step, word) in round.order.enumerated() {
        let sum = a &+ round.mix(b, c, d) &+ input[word] &+ round.constant
        let shift = round.shifts[step % 4]
        (a, d, c, b) = (d, c, b, sum << shift | sum >> (32 - shift))
      }
    }
    for (index, value) in [a, b, c, d].enumerated() { state[index] = state[index] &+ value }
  }
}

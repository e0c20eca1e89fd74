/// Undoes DEFLATE (RFC 1951), bit by bit: made for files of some hundred kilobytes, where a library would be more to
/// trust than it saves.
struct Inflater {
  private let input: [UInt8]
  private let limit: Int
  /// The next byte of the input; after ``run()``, the first one behind the deflated data.
  private(set) var position: Int
  private(set) var output: [UInt8] = []
  private var bitBuffer: UInt32 = 0
  private var bitCount = 0

  init(_ input: [UInt8], from position: Int, limit: Int) {
    self.input = input
    self.position = position
    self.limit = limit
  }

  /// Whether all blocks could be read within the limit.
  mutating func run() -> Bool {
    while true {
      guard let isLast = bits(1), let type = bits(2) else { return false }
      let isGood =
        switch type {
        case 0: stored()
        case 1: compressed(Self.fixedLiterals, Self.fixedDistances)
        case 2: dynamic()
        default: false
        }
      guard isGood else { return false }
      if isLast == 1 { return true }
    }
  }

  /// The next bits, at most 16, lowest first.
  private mutating func bits(_ count: Int) -> Int? {
    while bitCount < count {
      guard position < input.count else { return nil }
      bitBuffer |= UInt32(input[position]) << UInt32(bitCount)
      position += 1
      bitCount += 8
    }
    let value = bitBuffer & (1 << UInt32(count) - 1)
    bitBuffer >>= UInt32(count)
    bitCount -= count
    return Int(value)
  }

  private mutating func stored() -> Bool {
    // Never a whole byte is left over here: bits are fetched only when they are needed.
    (bitBuffer, bitCount) = (0, 0)
    guard let length = bits(16), let complement = bits(16), length == ~complement & 0xffff,
      length <= input.count - position, length <= limit - output.count
    else { return false }
    output += input[position..<(position + length)]
    position += length
    return true
  }

  private mutating func dynamic() -> Bool {
    guard let literals = bits(5), let distances = bits(5), let count = bits(4), literals <= 29, distances <= 29 else {
      return false
    }
    var lengths = [Int](repeating: 0, count: 19)
    for index in 0..<(count + 4) {
      guard let length = bits(3) else { return false }
      lengths[Self.lengthOrder[index]] = length
    }
    guard let code = HuffmanCode(lengths) else { return false }
    lengths = []
    let total = literals + 257 + distances + 1
    while lengths.count < total {
      guard let symbol = symbol(code) else { return false }
      var (value, times) = (symbol, 1)
      switch symbol {
      case 16:
        guard let last = lengths.last, let more = bits(2) else { return false }
        (value, times) = (last, 3 + more)
      case 17, 18:
        guard let more = bits(symbol == 17 ? 3 : 7) else { return false }
        (value, times) = (0, more + (symbol == 17 ? 3 : 11))
      default: break
      }
      guard times <= total - lengths.count else { return false }
      lengths += [Int](repeating: value, count: times)
    }
    guard let literalCode = HuffmanCode(Array(lengths[..<(literals + 257)])),
      let distanceCode = HuffmanCode(Array(lengths[(literals + 257)...]))
    else { return false }
    return compressed(literalCode, distanceCode)
  }

  private mutating func compressed(_ literals: HuffmanCode?, _ distances: HuffmanCode?) -> Bool {
    guard let literals, let distances else { return false }
    while true {
      guard let symbol = symbol(literals) else { return false }
      if symbol == 256 { return true }
      if symbol < 256 {
        guard output.count < limit else { return false }
        output.append(UInt8(symbol))
        continue
      }
      guard symbol - 257 < Self.lengths.count, let more = bits(Self.lengths[symbol - 257].bits),
        let place = self.symbol(distances), place < Self.distances.count, let further = bits(Self.distances[place].bits)
      else { return false }
      let length = Self.lengths[symbol - 257].base + more
      let distance = Self.distances[place].base + further
      guard distance <= output.count, length <= limit - output.count else { return false }
      // One by one: the copy may read what it has just written.
      for _ in 0..<length { output.append(output[output.count - distance]) }
    }
  }

  private mutating func symbol(_ code: HuffmanCode) -> Int? {
    var (value, first, index) = (0, 0, 0)
    for length in 1...15 {
      guard let bit = bits(1) else { return nil }
      value |= bit
      let count = code.counts[length]
      if value - first < count { return code.symbols[index + value - first] }
      index += count
      first = (first + count) << 1
      value <<= 1
    }
    return nil
  }

  /// Lengths of copies by their symbols from 257 on, and distances by theirs (RFC 1951, 3.2.5).
  private static let lengths: [(base: Int, bits: Int)] =
    (0..<8).map { ($0 + 3, 0) } + (8..<28).map { ((4 + $0 % 4) << ($0 / 4 - 1) + 3, $0 / 4 - 1) } + [(258, 0)]
  private static let distances: [(base: Int, bits: Int)] =
    (0..<4).map { ($0 + 1, 0) } + (4..<30).map { ((2 + $0 % 2) << ($0 / 2 - 1) + 1, $0 / 2 - 1) }
  private static let lengthOrder = [16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15]
  private static let fixedLiterals = HuffmanCode(
    (0..<288).map { $0 < 144 ? 8 : $0 < 256 ? 9 : $0 < 280 ? 7 : 8 })
  private static let fixedDistances = HuffmanCode([Int](repeating: 5, count: 30))
}

/// A canonical Huffman code, by the number of its codes of each length (RFC 1951, 3.2.2).
struct HuffmanCode {
  /// How many codes have which length, 0 to 15 bits.
  let counts: [Int]
  /// The symbols in the order of their codes.
  let symbols: [Int]

  /// Nil when there are more codes than their lengths allow; lengths are at most 15.
  init?(_ lengths: [Int]) {
    var counts = [Int](repeating: 0, count: 16)
    for length in lengths { counts[length] += 1 }
    var left = 1
    for length in 1...15 {
      left = left << 1 - counts[length]
      guard left >= 0 else { return nil }
    }
    symbols = (1...15).flatMap { length in lengths.indices.filter { lengths[$0] == length } }
    self.counts = counts
  }
}

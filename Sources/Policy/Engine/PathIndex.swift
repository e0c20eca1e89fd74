/// The rules of one operation that ask for a pattern of paths, found by a part of the path.
///
/// Each pattern names some bytes between its stars and question marks, and a path that matches it has these. Of each pattern
/// the part that the fewest others have is looked for, for all patterns at once, in one walk over the path (Aho and Corasick,
/// 1975). So a path meets the few rules that can match it, however many there are.
struct PathIndex: Sendable {
  /// The node that is reached from a node by a byte, by both.
  private var children: [UInt64: UInt32] = [:]
  /// Of each node, the one of the longest end of its bytes that is a beginning of some part.
  private var shorter: [UInt32] = [0]
  /// Of each node, the rules whose part ends there.
  private var rules: [[UInt32]] = [[]]
  /// Of each node, the next of the shorter ones at which a part ends; 0 for none.
  private var nextEnd: [UInt32] = [0]
  /// Rules whose pattern names no bytes.
  private var always: [UInt32] = []

  /// With fewer rules, each is looked at.
  static let fewRules = 8

  init() {}

  /// - Parameter list: rules and their patterns, the rules in ascending order.
  init(_ list: [(rule: UInt32, pattern: String)]) {
    let parts = list.map { Self.parts(of: $0.pattern) }
    var counts: [ArraySlice<UInt8>: Int] = [:]
    for part in parts.joined() { counts[part, default: 0] += 1 }
    for (entry, parts) in zip(list, parts) {
      let rarest = parts.min { left, right in
        (counts[left] ?? 0, right.count) < (counts[right] ?? 0, left.count)
      }
      guard let rarest else {
        always.append(entry.rule)
        continue
      }
      var node: UInt32 = 0
      for byte in rarest { node = child(of: node, byte) }
      rules[Int(node)].append(entry.rule)
    }
    link()
  }

  /// What stands between stars and question marks.
  private static func parts(of pattern: String) -> [ArraySlice<UInt8>] {
    Array(pattern.utf8).split { $0 == UInt8(ascii: "*") || $0 == UInt8(ascii: "?") }
  }

  private static func key(_ node: UInt32, _ byte: UInt8) -> UInt64 { UInt64(node) << 8 | UInt64(byte) }

  private mutating func child(of node: UInt32, _ byte: UInt8) -> UInt32 {
    if let known = children[Self.key(node, byte)] { return known }
    let new = UInt32(clamping: rules.count)
    rules.append([])
    shorter.append(0)
    nextEnd.append(0)
    children[Self.key(node, byte)] = new
    return new
  }

  /// A child always has a greater number than its parent, and a shorter end a lower depth: level by level.
  private mutating func link() {
    var below: [[(byte: UInt8, node: UInt32)]] = Array(repeating: [], count: rules.count)
    for (key, node) in children { below[Int(key >> 8)].append((UInt8(truncatingIfNeeded: key), node)) }
    var level: [UInt32] = [0]
    while !level.isEmpty {
      var next: [UInt32] = []
      for parent in level {
        for (byte, node) in below[Int(parent)] {
          if parent != 0 { shorter[Int(node)] = step(shorter[Int(parent)], byte) }
          let end = shorter[Int(node)]
          nextEnd[Int(node)] = rules[Int(end)].isEmpty ? nextEnd[Int(end)] : end
          next.append(node)
        }
      }
      level = next
    }
  }

  private func step(_ start: UInt32, _ byte: UInt8) -> UInt32 {
    var node = start
    while true {
      if let next = children[Self.key(node, byte)] { return next }
      if node == 0 { return 0 }
      node = shorter[Int(node)]
    }
  }

  /// The rules that may match a path, ascending, each once.
  func rules(for path: String) -> [UInt32] {
    var found = always
    var node: UInt32 = 0
    for byte in path.utf8 {
      node = step(node, byte)
      var end = rules[Int(node)].isEmpty ? nextEnd[Int(node)] : node
      while end != 0 {
        found += rules[Int(end)]
        end = nextEnd[Int(end)]
      }
    }
    guard found.count > 1 else { return found }
    found.sort()
    var once: [UInt32] = []
    for rule in found where once.last != rule { once.append(rule) }
    return once
  }
}

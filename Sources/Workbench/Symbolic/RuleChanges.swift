/// The rules by which two lists differ.
///
/// What both have in the same order says the same in both: facts that match no other rule are decided alike. So a
/// difference has to be looked for only where one of the changed rules matches.
struct RuleChanges {
  /// Rules of either list that the other does not have, or has elsewhere.
  private(set) var changed: [SymbolicRule] = []

  init(_ old: RuleList, _ new: RuleList) {
    let oldBlocks = Self.blocks(old)
    let newBlocks = Self.blocks(new)
    var places: [SymbolicRule: [Int]] = [:]
    for (place, rule) in new.rules.enumerated().reversed() { places[rule, default: []].append(place) }
    var pairs: [(old: Int, new: Int)] = []
    for (place, rule) in old.rules.enumerated() {
      guard let found = places[rule]?.popLast() else {
        changed.append(rule)
        continue
      }
      pairs.append((place, found))
    }
    changed += places.values.joined().sorted().map { new.rules[$0] }
    // Two rules that say the same may change places; others keep their order in the longest run of blocks that ascends.
    let kept = Self.ascending(pairs.map { (oldBlocks[$0.old], newBlocks[$0.new]) })
    for (number, pair) in pairs.enumerated() where !kept[number] { changed.append(old.rules[pair.old]) }
  }

  /// The number of the row of rules that say the same, for each rule.
  private static func blocks(_ list: RuleList) -> [Int] {
    var numbers: [Int] = []
    for (place, rule) in list.rules.enumerated() {
      let last = numbers.last ?? 0
      numbers.append(place > 0 && list.rules[place - 1].allows != rule.allows ? last + 1 : last)
    }
    return numbers
  }

  /// Which pairs are in a longest run in which neither number descends.
  private static func ascending(_ pairs: [(Int, Int)]) -> [Bool] {
    let order = pairs.indices.sorted { (pairs[$0].0, pairs[$0].1, $0) < (pairs[$1].0, pairs[$1].1, $1) }
    var tails: [Int] = []
    var before = [Int](repeating: -1, count: pairs.count)
    for place in order {
      let value = pairs[place].1
      var low = 0
      var high = tails.count
      while low < high {
        let middle = (low + high) / 2
        if pairs[tails[middle]].1 <= value { low = middle + 1 } else { high = middle }
      }
      if low > 0 { before[place] = tails[low - 1] }
      if low == tails.count { tails.append(place) } else { tails[low] = place }
    }
    var kept = [Bool](repeating: false, count: pairs.count)
    var place = tails.last ?? -1
    while place >= 0 {
      kept[place] = true
      place = before[place]
    }
    return kept
  }
}

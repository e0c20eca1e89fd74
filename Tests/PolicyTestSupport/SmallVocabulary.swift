public import Policy

/// A few properties with few values, so that all facts about them can be enumerated: what a policy over them means is
/// known by trying.
///
/// Nothing here is taken from the workbench's own search, which is held against it.
public struct SmallVocabulary: Sendable {
  private struct Entry: Sendable {
    let name: PropertyName
    /// What rules ask for.
    let values: [String]
    /// What facts say, besides that it is not known.
    let facts: [String]
  }

  private let entries: [Entry]
  private let operation: Operation
  /// Whether policies say of some of their lines that they are enforced, or not.
  public var statesEnforcement = false

  /// Facts that are enumerated at most.
  private static let factLimit = 2_000

  /// Some properties.
  public init(_ generator: inout SeededGenerator) {
    let operation: Operation = generator.isOne(in: 8) ? .execute : .bpfProgLoad
    var chosen: [Entry] = []
    var size = 6
    var names = PropertyName.allCases.filter { !$0.isAboutPrograms || operation == .bpfProgLoad }
    names.shuffle(using: &generator)
    // Properties that depend on each other come together more often than by chance.
    if generator.isOne(in: 4) { names = [.witness, .dmverityRoothash] + names }
    if operation == .bpfProgLoad, generator.isOne(in: 4) { names = [.bpfSignature, .bpfKeyring] + names }
    if generator.isOne(in: 4) { names = [.path] + names }
    for name in names where chosen.count < 4 && !chosen.contains(where: { $0.name == name }) {
      let entry = Self.entry(name, &generator)
      let options = (entry.facts.count + 1) * 2
      guard size * options <= Self.factLimit else { continue }
      size *= options
      chosen.append(entry)
    }
    self.operation = operation
    entries = chosen
  }

  private static func entry(_ name: PropertyName, _ generator: inout SeededGenerator) -> Entry {
    let digests = RandomPolicies.digests
    switch name.shape {
    case .flag: return Entry(name: name, values: ["TRUE", "FALSE"], facts: ["TRUE", "FALSE"])
    case .digest:
      let several = name == .signer ? ["\(digests[0]),\(digests[1])", "\(digests[1]),\(digests[2])"] : []
      return Entry(name: name, values: Array(digests.prefix(2)), facts: digests + several)
    case .word(let words): return Entry(name: name, values: words, facts: words)
    case .words(let words) where words.count < 10:
      let lists = words + zip(words, words.dropFirst()).map { "\($0),\($1)" }
      return Entry(name: name, values: lists, facts: words)
    case .words(let words): return lists(name, Array(words.prefix(4)), words[5], &generator)
    case .helpers: return lists(name, ["a", "b", "c"], "d", &generator)
    case .pattern: return paths(name, &generator)
    case .text: return Entry(name: name, values: ["one", "two"], facts: ["one", "two", "three"])
    case .version:
      return Entry(name: name, values: ["1", "1.5", "2.0", "0"], facts: ["0", "0.9", "1", "1.5.0", "1.9", "2", "3"])
    case .numbers: return Entry(name: name, values: ["0", "5", "0,5", "5,7"], facts: ["0", "5", "7", "9"])
    }
  }

  /// Every list of some words, and one with a word that no rule lists.
  private static func lists(
    _ name: PropertyName, _ words: [String], _ other: String, _ generator: inout SeededGenerator
  ) -> Entry {
    let all = (0..<(1 << words.count)).map { chosen in
      words.indices.filter { chosen & 1 << $0 != 0 }.map { words[$0] }.joined(separator: ",")
    }
    let values = all.dropFirst().shuffled(using: &generator).prefix(4)
    return Entry(name: name, values: Array(values), facts: all + [other, "\(words[0]),\(other)"])
  }

  /// Every path of a few characters, and patterns over the same.
  private static func paths(_ name: PropertyName, _ generator: inout SeededGenerator) -> Entry {
    var paths = ["/"]
    var last = paths
    for _ in 0..<3 {
      last = last.flatMap { path in ["/", "a", "b", "c"].map { path + $0 } }
      paths += last
    }
    let parts = ["a", "b", "?", "*", "**", "/", "/", "a*", "*b"]
    let patterns = (0..<4).map { _ in
      "/"
        + (0..<Int.random(in: 0...3, using: &generator)).compactMap { _ in parts.randomElement(using: &generator) }
        .joined()
    }
    return Entry(name: name, values: patterns + ["/**"], facts: paths)
  }

  /// A policy over these properties; the text has a header and a default.
  public func policy(rules: Int, _ generator: inout SeededGenerator) -> PolicyDocument {
    while true {
      var text = "policy_name=t policy_version=1.0.0\nDEFAULT action=\(generator.isOne(in: 4) ? "ALLOW" : "DENY")\n"
      if statesEnforcement {
        let header = generator.isOne(in: 4) ? " x_enforcing=FALSE" : ""
        let action = generator.isOne(in: 4) ? "ALLOW" : "DENY"
        text = "policy_name=t policy_version=1.0.0\(header)\nDEFAULT action=\(action)\n"
        if generator.isOne(in: 3) {
          text +=
            "DEFAULT op=\(operation.rawValue) x_enforcing=\(generator.isOne(in: 2) ? "TRUE" : "FALSE") action=DENY\n"
        }
      }
      for _ in 0..<rules { text += rule(&generator) + "\n" }
      if generator.isOne(in: 6) {
        text += "DEFAULT op=\(operation.rawValue) action=\(generator.isOne(in: 2) ? "ALLOW" : "DENY")\n"
      }
      let document = PolicyDocument.parse(Array(text.utf8), dialect: .verityBPF)
      if document.isValid { return document }
    }
  }

  private func rule(_ generator: inout SeededGenerator) -> String {
    var words = ["op=\(operation.rawValue)"]
    let count = [0, 1, 1, 1, 2, 2, 3].randomElement(using: &generator) ?? 1
    for _ in 0..<count {
      guard let entry = entries.randomElement(using: &generator),
        let value = entry.values.randomElement(using: &generator)
      else { continue }
      words.append("\(entry.name.rawValue)=\(value)")
    }
    let allows = generator.isOne(in: 2)
    if statesEnforcement, !allows, !generator.isOne(in: 3) {
      words.append("x_enforcing=\(generator.isOne(in: 4) ? "TRUE" : "FALSE")")
    }
    return words.joined(separator: " ") + " action=\(allows ? "ALLOW" : "DENY")"
  }

  /// The same policy with one line more, less, moved or other; now and then with one that changes nothing.
  public func variant(of document: PolicyDocument, _ generator: inout SeededGenerator) -> PolicyDocument {
    let lines = String(decoding: document.text.bytes, as: UTF8.self).split(separator: "\n").map { String($0) }
    while true {
      var changed = lines
      for _ in 0..<Int.random(in: 1...2, using: &generator) {
        let place = Int.random(in: 2...max(2, changed.count - 1), using: &generator)
        switch Int.random(in: 0..<4, using: &generator) {
        case 0: changed.insert(rule(&generator), at: min(place, changed.count))
        case 1 where place < changed.count: changed.remove(at: place)
        case 2 where place < changed.count:
          let moved = changed.remove(at: place)
          changed.insert(moved, at: Int.random(in: 2...changed.count, using: &generator))
        default: if place < changed.count { changed[place] = rule(&generator) }
        }
      }
      let result = PolicyDocument.parse(Array((changed.joined(separator: "\n") + "\n").utf8), dialect: .verityBPF)
      if result.isValid { return result }
    }
  }

  /// All facts about these properties that can be.
  public func allFacts() -> [Facts] {
    var all = [Facts(operation: operation)]
    for entry in entries {
      all = all.flatMap { facts in
        ([nil] + entry.facts.map { Optional($0) }).flatMap { text in
          [false, true].compactMap { isSettled in
            var facts = facts
            if let text {
              guard (try? facts.set(entry.name.rawValue, text)) != nil else { return nil }
            }
            if isSettled { facts.settled.insert(entry.name) }
            return facts
          }
        }
      }
    }
    if operation == .bpfProgLoad {
      if entries.contains(where: { $0.name.isAboutVolume }) {
        all += all.map { facts in
          var doubted = facts
          doubted.doubts = [.corruptionSeen]
          return doubted
        }
      }
      if entries.contains(where: { $0.name == .signer }) {
        let digests = RandomPolicies.digests.prefix(2).compactMap { DigestLiteral($0) }
        all += digests.flatMap { digest in
          all.map { facts in
            var doubted = facts
            doubted.doubtedSigners = [digest]
            return doubted
          }
        }
      }
    }
    return all.map { facts in
      var facts = facts
      // A witness vouches for a root hash, of which no rule may ask.
      if facts.witnesses != nil, facts.dmverityRoothash == nil,
        !entries.contains(where: { $0.name == .dmverityRoothash })
      {
        facts.dmverityRoothash = DigestLiteral(RandomPolicies.digests[2])
      }
      return facts
    }.filter { $0.contradiction == nil }
  }
}

internal import Policy

/// The least that must be known for properties to hold: one set of facts, or several where a property leaves a choice.
enum ExampleFacts {
  /// Choices that are tried at most.
  private static let variantLimit = 8

  /// Facts that satisfy every property; empty when no facts can.
  static func satisfying(
    _ properties: [PolicyDocument.Property], operation: Operation?
  ) -> [Facts] {
    var values: [PropertyName: [PropertyValue]] = [:]
    for property in properties { values[property.name, default: []].append(property.value) }
    var results: [Facts] = []
    for variant in 0..<variantLimit {
      var facts = Facts(operation: operation)
      var isPossible = true
      for (name, wanted) in values where !add(name, wanted, variant, to: &facts) { isPossible = false }
      guard isPossible else { break }
      guard !results.contains(facts) else { break }
      results.append(facts)
    }
    // Where the kernel alone vouches only some rules may allow; that both do is the other way for `x_witness=KERNEL` to
    // hold, and all rules may.
    return results
      + results.filter { $0.witnesses == .kernel }.map { facts in
        var both = facts
        both.witnesses = .both
        return both
      }
  }

  /// Makes one property's fact; false when the values exclude each other.
  private static func add(
    _ name: PropertyName, _ wanted: [PropertyValue], _ variant: Int, to facts: inout Facts
  ) -> Bool {
    guard let text = text(name, wanted, variant) else { return false }
    return (try? facts.set(name.rawValue, text)) != nil
  }

  private static func text(_ name: PropertyName, _ wanted: [PropertyValue], _ variant: Int) -> String? {
    guard let first = wanted.first else { return nil }
    switch first {
    case .flag, .text: return wanted.allSatisfy { $0 == first } ? first.description : nil
    case .digest:
      if name == .signer { return Array(Set(wanted.map { $0.description })).sorted().joined(separator: ",") }
      return wanted.allSatisfy { $0 == first } ? first.description : nil
    case .word: return word(name, wanted.map { $0.description })
    case .words:
      let lists = wanted.map { value in if case .words(let words) = value { words } else { [String]() } }
      let common = lists.dropFirst().reduce(lists[0]) { kept, list in kept.filter { list.contains($0) } }
      if name == .helpers { return variant == 0 ? common.joined(separator: ",") : "" }
      return common.isEmpty ? nil : common[variant % common.count]
    case .numbers:
      let lists = wanted.map { value in if case .numbers(let numbers) = value { numbers } else { [UInt32]() } }
      let common = lists.dropFirst().reduce(lists[0]) { kept, list in kept.filter { list.contains($0) } }
      return common.isEmpty ? nil : String(common[variant % common.count])
    case .version:
      // The highest minimum satisfies the others.
      return wanted.map { $0.description }.max { left, right in !isAtLeast(left, right) }
    case .pattern:
      let fillings = ["x", "zz9", "", "a.b"]
      let filling = fillings[variant % fillings.count]
      return wanted.map { path($0.description, filling: filling) }.first { path in
        wanted.allSatisfy { matches(path, $0, name) }
      }
    }
  }

  private static func word(_ name: PropertyName, _ words: [String]) -> String? {
    let distinct = Set(words)
    switch name {
    case .witness, .signatureSource: return distinct.count > 1 ? "BOTH" : words[0]
    case .lockdown: return ["CONFIDENTIALITY", "INTEGRITY", "NONE"].first { distinct.contains($0) }
    case .reads: return ["NONE", "DECLARED", "UNDECLARED"].first { distinct.contains($0) }
    case .programClass: return distinct.contains("RESTRICTED") ? "RESTRICTED" : "FULL"
    case .bpfSignature:
      if distinct.isSubset(of: ["OK", "VERIFIED"]) { return words[0] }
      if distinct.isSubset(of: ["OK", "VERIFIED", "METADATA_VERIFIED"]) { return "METADATA_VERIFIED" }
      return distinct.count == 1 ? words[0] : nil
    default: return distinct.count == 1 ? words[0] : nil
    }
  }

  /// A path that the pattern matches.
  private static func path(_ pattern: String, filling: String) -> String {
    var result = ""
    var previous: Character?
    for character in pattern {
      switch character {
      case "*" where previous == "*": break
      case "*": result += filling
      case "?": result += "q"
      default: result.append(character)
      }
      previous = character
    }
    return result.hasPrefix("/") ? result : "/" + result
  }

  private static func matches(_ path: String, _ pattern: PropertyValue, _ name: PropertyName) -> Bool {
    guard case .pattern(let text) = pattern else { return false }
    return PathMatch.matches(path, pattern: text)
  }

  private static func isAtLeast(_ left: String, _ right: String) -> Bool {
    let parts = [left, right].map { text in text.split(separator: ".").compactMap { UInt32($0) } }
    for index in 0..<max(parts[0].count, parts[1].count) {
      let (one, other) = (index < parts[0].count ? parts[0][index] : 0, index < parts[1].count ? parts[1][index] : 0)
      if one != other { return one > other }
    }
    return true
  }
}

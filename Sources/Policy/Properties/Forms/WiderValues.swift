internal import Base
extension PropertyName {
  /// Values that some more facts satisfy than this one, each the next in its direction; none where only leaving the property
  /// out is wider.
  ///
  /// - Parameter met: facts, as text, that tests are about.
  package func wider(_ value: PropertyValue, met: [String]) -> [PropertyValue] {
    entry.form.wider(value, met: met).filter { $0 != value }
  }
}

extension DigestSetForm {
  func wider(_ value: PropertyValue, met: [String]) -> [PropertyValue] { [] }
}

extension ListForm {
  /// Every word that there is: a test about any word outside of the list is enough.
  func wider(_ value: PropertyValue, met: [String]) -> [PropertyValue] { value.withAll(known()) }
}

extension ChoiceForm {
  /// Every word that there is.
  func wider(_ value: PropertyValue, met: [String]) -> [PropertyValue] { value.withAll(words) }
}

extension HelperForm {
  /// There is no end of helpers: those that tests are about, or one that none is about.
  func wider(_ value: PropertyValue, met: [String]) -> [PropertyValue] {
    guard case .words(let listed) = value else { return [] }
    let others = met.flatMap { $0.split(separator: ",").map { String($0) } }.filter { !listed.contains($0) }
    let usual = ["probe_write_user", "override_return"].filter { !listed.contains($0) }
    return value.withAll(others.isEmpty ? Array(usual.prefix(1)) : others)
  }
}

extension NumberForm {
  /// There is no end of ids: those that tests are about, or one that none is about.
  func wider(_ value: PropertyValue, met: [String]) -> [PropertyValue] {
    guard case .numbers(let listed) = value else { return [] }
    var wider = listed
    for number in met.compactMap({ PolicyParser.number($0[...]) }) where !wider.contains(number) {
      wider.append(number)
    }
    if wider.count == listed.count {
      wider += (0...UInt32(clamping: listed.count)).filter { !listed.contains($0) }.prefix(1)
    }
    return [.numbers(wider)]
  }
}

extension WordForm {
  /// The words that more facts satisfy, where words are grades or stand for several facts.
  func wider(_ value: PropertyValue, met: [String]) -> [PropertyValue] {
    guard case .word(let own) = value else { return [] }
    return words.filter { $0 != own && satisfies(own, $0) && isWider($0, own) }.map { .word($0) }
  }

  private func isWider(_ wide: String, _ narrow: String) -> Bool {
    words.allSatisfy { !satisfies($0, narrow) || satisfies($0, wide) }
      && words.contains { satisfies($0, wide) && !satisfies($0, narrow) }
  }
}

extension VersionForm {
  func wider(_ value: PropertyValue, met: [String]) -> [PropertyValue] { lower(value).map { [$0] } ?? [] }
}

extension PathForm {
  /// Each name of the path may be any other, and each that may be any other name may be several.
  func wider(_ value: PropertyValue, met: [String]) -> [PropertyValue] {
    guard case .pattern(let pattern) = value else { return [] }
    let names = pattern.split(separator: "/", omittingEmptySubsequences: false).map { String($0) }
    var wider: [PropertyValue] = []
    for (place, name) in names.enumerated() where !name.isEmpty && !name.mentions("**") {
      var changed = names
      changed[place] = name == "*" ? "**" : "*"
      wider.append(.pattern(changed.joined(separator: "/")))
    }
    return wider
  }
}

extension PropertyValue {
  /// A list of words with others behind its own, each once; none where it has them all.
  fileprivate func withAll(_ others: [String]) -> [PropertyValue] {
    guard case .words(let own) = self else { return [] }
    var seen = Set(own)
    let more = others.filter { seen.insert($0).inserted }
    return more.isEmpty ? [] : [.words(own + more)]
  }
}

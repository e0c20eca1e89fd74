/// Why a fact could not be taken over.
public enum FactProblem: Error, Equatable, Sendable {
  /// There is no fact of that name.
  case unknownName(suggestion: String?)
  /// The value is none of that fact's.
  case badValue(expected: String)
  /// The fact was given already, perhaps under its other name.
  case givenTwice

  /// One clause for people.
  public var explanation: String {
    switch self {
    case .unknownName(let suggestion): "there is no such fact" + (suggestion.map { "; \($0)" } ?? "")
    case .badValue(let expected): "this is no value of the fact; \(expected)"
    case .givenTwice: "the fact is given twice"
    }
  }
}

/// A fact about facts, for which there is no property: how much of them is known, and what stands against them.
public enum FactNote: String, Sendable, CaseIterable {
  /// ``Facts/settled``, by the names of properties.
  case settled
  /// ``Facts/doubts``
  case doubts
  /// ``Facts/doubtedSigners``
  case doubtedSigners = "doubted_signers"

  /// It as words; nil when there is none.
  func words(_ facts: borrowing Facts) -> [String]? {
    let words =
      switch self {
      case .settled: facts.settled.names.map { $0.rawValue }
      case .doubts: facts.doubts.map { $0.rawValue }
      case .doubtedSigners: facts.doubtedSigners.map { $0.description }
      }
    return words.isEmpty ? nil : words
  }

  /// Takes it over; false when a word is none of its own.
  func set(_ words: [String], in facts: inout Facts) -> Bool {
    switch self {
    case .settled:
      let names = words.compactMap { PropertyName(named: $0) }
      facts.settled = PropertySet(names)
      return names.count == words.count
    case .doubts:
      facts.doubts = words.compactMap { VolumeDoubt(rawValue: $0) }
      return facts.doubts.count == words.count
    case .doubtedSigners:
      facts.doubtedSigners = words.compactMap { DigestLiteral($0) }
      return facts.doubtedSigners.count == words.count
    }
  }

  /// What its value looks like, for hints.
  var hint: String {
    switch self {
    case .settled: "write names of properties, with commas between them"
    case .doubts: "write one or more of \(VolumeDoubt.allCases.map { $0.rawValue }.joined(separator: ", "))"
    case .doubtedSigners: "write sha256: and 64 hex digits, with commas between several"
    }
  }
}

extension Facts {
  /// The fact names that files and test cases use: `op`, every property's name, the names of facts that are called
  /// otherwise than their property, and what is said about facts (``FactNote``).
  public static let names =
    ["op"] + PropertyName.allCases.map { $0.rawValue }
    + PropertyName.allCases.filter { $0.factName != $0.rawValue }.map { $0.factName }
    + FactNote.allCases.map { $0.rawValue }

  /// Takes over one fact given as text, as test cases write it: `TRUE`, `sha256:…`, `xdp,lsm`.
  ///
  /// A fact that has a name of its own may be given by the property's name as well.
  public mutating func set(_ nameText: String, _ value: String) throws(FactProblem) {
    if let note = FactNote.allCases.first(where: { $0.rawValue == nameText }) {
      guard note.words(self) == nil else { throw .givenTwice }
      let words = value.split(separator: ",", omittingEmptySubsequences: false).map { String($0) }
      guard note.set(words, in: &self) else { throw .badValue(expected: note.hint) }
      return
    }
    let named = PropertyName(named: nameText) ?? PropertyName.allCases.first { $0.factName == nameText }
    guard let name = named else {
      throw .unknownName(suggestion: Suggestion.hint(for: nameText, among: Facts.names))
    }
    guard text(of: name) == nil else { throw .givenTwice }
    guard name.entry.form.set(value, in: &self) else { throw .badValue(expected: name.factHint) }
  }

  /// What is said about the facts, by name; what there is nothing to say of is left out.
  public var notes: [(name: String, words: [String])] {
    FactNote.allCases.compactMap { note in note.words(self).map { (note.rawValue, $0) } }
  }

  /// Two facts that cannot both be true; nil when there are none.
  public var contradiction: (names: (String, String), explanation: String)? {
    if bpfKeyring != nil, bpfSignature == .unsigned || bpfSignature == SignatureVerdict.none {
      return (("bpf_keyring", "bpf_signature"), "what is unsigned was found on no keyring")
    }
    if witnesses != nil, dmverityRoothash == nil {
      return (("x_witness", "dmverity_roothash"), "a witness vouches for a root hash, and none is given")
    }
    return nil
  }
}

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

extension Facts {
  /// The fact names that files and test cases use: `op`, every property's name, and the names of facts that are called
  /// otherwise than their property.
  public static let names =
    ["op"] + PropertyName.allCases.map { $0.rawValue }
    + PropertyName.allCases.filter { $0.factName != $0.rawValue }.map { $0.factName }

  /// Takes over one fact given as text, as test cases write it: `TRUE`, `sha256:…`, `xdp,lsm`.
  ///
  /// A fact that has a name of its own may be given by the property's name as well.
  public mutating func set(_ nameText: String, _ value: String) throws(FactProblem) {
    let named = PropertyName(named: nameText) ?? PropertyName.allCases.first { $0.factName == nameText }
    guard let name = named else {
      throw .unknownName(suggestion: Suggestion.hint(for: nameText, among: Facts.names))
    }
    guard text(of: name) == nil else { throw .givenTwice }
    guard name.entry.form.set(value, in: &self) else { throw .badValue(expected: name.factHint) }
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

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
  /// The fact names that files and test cases use: `op`, every property's name, and `x_image_version`.
  public static let names = ["op"] + PropertyName.allCases.map { $0.rawValue } + ["x_image_version"]

  /// Takes over one fact given as text, as test cases write it: `TRUE`, `sha256:…`, `xdp,lsm`.
  ///
  /// The fact behind `x_image_version_min` is the image's version; it is also called `x_image_version`.
  public mutating func set(_ nameText: String, _ value: String) throws(FactProblem) {
    let nameText = nameText == "x_image_version" ? PropertyName.imageVersionMin.rawValue : nameText
    guard let name = PropertyName(rawValue: nameText) else {
      throw .unknownName(suggestion: Suggestion.hint(for: nameText, among: Facts.names))
    }
    guard text(of: name) == nil else { throw .givenTwice }
    let taken =
      switch name.shape {
      case .flag: setFlag(name, value)
      case .digest: setDigest(name, value)
      case .word: setWord(name, value)
      case .words, .helpers:
        setWords(
          name, value.isEmpty ? [] : value.split(separator: ",", omittingEmptySubsequences: false).map { String($0) })
      case .pattern, .text: setText(name, value)
      case .version, .numbers: setNumber(name, value)
      }
    guard taken else { throw .badValue(expected: name.factHint) }
  }

  private mutating func setFlag(_ name: PropertyName, _ value: String) -> Bool {
    guard value == "TRUE" || value == "FALSE" else { return false }
    let flag = value == "TRUE"
    switch name {
    case .bootVerified: bootVerified = flag
    case .dmveritySignature: dmveritySignature = flag
    case .fsveritySignature: fsveritySignature = flag
    case .bpfKernel: bpfKernel = flag
    case .requesterSignature: requesterSignature = flag
    default: return false
    }
    return true
  }

  private mutating func setDigest(_ name: PropertyName, _ value: String) -> Bool {
    if name == .signer {
      let digests = value.split(separator: ",").map { DigestLiteral(String($0)) }
      signers = digests.compactMap { $0 }
      return !digests.isEmpty && signers.count == digests.count
    }
    guard let digest = DigestLiteral(value) else { return false }
    switch name {
    case .dmverityRoothash: dmverityRoothash = digest
    case .fsverityDigest: fsverityDigest = digest
    case .object: object = digest
    case .requesterObject: requesterObject = digest
    case .requesterRoothash: requesterRoothash = digest
    default: return false
    }
    return true
  }

  private mutating func setWord(_ name: PropertyName, _ value: String) -> Bool {
    switch name {
    case .bpfSignature: bpfSignature = SignatureVerdict(rawValue: value)
    case .bpfKeyring: bpfKeyring = Keyring(rawValue: value)
    case .witness: witnesses = Witnesses(word: value)
    case .signatureSource: signatureSources = Witnesses(word: value)
    case .lockdown: lockdown = LockdownMode(rawValue: value)
    case .programClass: programClass = ProgramClass(rawValue: value)
    case .reads: reads = KernelReads(rawValue: value)
    default: return false
    }
    return text(of: name) != nil
  }

  private mutating func setWords(_ name: PropertyName, _ values: [String]) -> Bool {
    if case .words(let known) = name.shape, !values.allSatisfy({ known.contains($0) || UInt32($0) != nil }) {
      return false
    }
    switch name {
    case .dmverityMode: dmverityMode = values.count == 1 ? DMVerityMode(rawValue: values[0]) : nil
    case .programType: programTypes = values
    case .attachType: attachTypes = values
    case .helpers: helpers = values.map { $0.hasPrefix("bpf_") ? String($0.dropFirst(4)) : $0 }
    default: return false
    }
    return name != .dmverityMode || dmverityMode != nil
  }

  private mutating func setText(_ name: PropertyName, _ value: String) -> Bool {
    switch name {
    case .path where value.hasPrefix("/"): path = value
    case .requesterPath where value.hasPrefix("/"): requesterPath = value
    case .imageName: imageName = value
    default: return false
    }
    return true
  }

  private mutating func setNumber(_ name: PropertyName, _ value: String) -> Bool {
    let parts = value.split(separator: ".", omittingEmptySubsequences: false)
    let numbers = parts.compactMap { part in part.utf8.allSatisfy { (0x30...0x39).contains($0) } ? UInt32(part) : nil }
    guard numbers.count == parts.count else { return false }
    switch name {
    case .imageVersionMin where (1...4).contains(numbers.count): imageVersion = numbers
    case .requesterUID where numbers.count == 1: requesterUID = numbers[0]
    case .requesterGID where numbers.count == 1: requesterGID = numbers[0]
    default: return false
    }
    return true
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

extension PropertyName {
  /// What a fact's value looks like, for hints.
  var factHint: String {
    switch self {
    case .imageVersionMin: "write the image's version, for example 1.4.0"
    case .requesterUID, .requesterGID: "write one number"
    case .path, .requesterPath: "write an absolute path"
    case .dmverityMode: "write one of EIO, RESTART, PANIC, LOGGING"
    default: valueHint
    }
  }
}

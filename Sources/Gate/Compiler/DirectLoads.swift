internal import KernelABI
internal import Policy

/// Loads that the kernel's hook sees without any object: what the policy says to them, and which programs it allows in
/// all.
struct DirectLoads {
  /// Lists of helpers and their intersections that are tried for one rule. A policy with more of them is written by a
  /// program, and its rules are left out.
  static let helperSetLimit = 256
  /// Decisions that are asked for in all. Rules that would need more are left out.
  static let decisionLimit = 1 << 18

  let policy: CompiledPolicy
  /// Objects that rules deny by their digests. A load without an object may be of any of them.
  private let deniedObjects: [DigestLiteral]
  private let namedTypes: Set<String>
  private let namedAttachTypes: Set<String>
  private let helperLists: [Set<String>]
  private var decisions = 0

  init(_ policy: CompiledPolicy, _ document: PolicyDocument) {
    self.policy = policy
    var objects: [DigestLiteral] = []
    var seen: Set<DigestLiteral> = []
    var types: Set<String> = []
    var attachTypes: Set<String> = []
    var helpers: Set<Set<String>> = []
    for statement in document.statements where statement.operation == .bpfProgLoad {
      for property in statement.properties {
        switch (property.name, property.value) {
        case (.object, .digest(let digest)):
          if statement.action == .deny, seen.insert(digest).inserted { objects.append(digest) }
        case (.programType, .words(let words)): types.formUnion(words)
        case (.attachType, .words(let words)): attachTypes.formUnion(words)
        case (.helpers, .words(let words)): helpers.insert(Set(words))
        case (_, _): break
        }
      }
    }
    deniedObjects = objects
    (namedTypes, namedAttachTypes) = (types, attachTypes)
    helperLists = Array(helpers)
  }

  /// What the policy says to loads that differ in nothing that a row can say.
  private enum Verdict {
    case allowed
    case denied(Decision)
    /// More decisions would be needed than are asked for.
    case tooMany
  }

  /// - Parameters:
  ///   - helpers: the sets that are tried; nil for a set that rows do not restrict.
  private mutating func verdict(
    _ executable: Executable?, type: String, attachType: String?, helpers: [[String]?]
  ) -> Verdict {
    var facts = Facts(operation: .bpfProgLoad)
    facts.isDynamic = true
    facts.requesterRoothash = executable.map { DigestLiteral($0.identity.rootHash) }
    facts.requesterObject = executable.map { DigestLiteral($0.digest) }
    facts.programTypes = [type]
    facts.attachTypes = attachType.map { [$0] } ?? []
    for set in helpers {
      facts.helpers = set
      facts.object = nil
      let decision = policy.decide(facts)
      if decision.action == .deny { return .denied(decision) }
      for object in deniedObjects {
        facts.object = object
        let decision = policy.decide(facts)
        if decision.action == .deny { return .denied(decision) }
      }
      decisions += 1 + deniedObjects.count
      guard decisions <= Self.decisionLimit else { return .tooMany }
    }
    return .allowed
  }

  /// What of the programs that a rule is about the policy allows.
  struct Answer {
    /// Nil when it allows none of them.
    var scope: ProgramScope?
    /// Why not all.
    var refusal: String?
  }

  /// - Parameters:
  ///   - statement: a rule that rows alone can say.
  ///   - executable: the file that the process runs; nil for every process.
  mutating func answer(to statement: PolicyDocument.Statement, by executable: Executable?) -> Answer {
    let helpers = statement.words(of: .helpers).map { words in
      Helper.allCases.map(\.name).filter { words.contains($0) }
    }
    var sets: [[String]?] = [nil]
    if let helpers {
      guard let listed = helperSets(of: helpers) else { return Self.tooMany }
      sets = listed
    }
    let typeCells = cells(TypeNames.programs, named: namedTypes, listed: statement.words(of: .programType))
    let listedAttachTypes = statement.words(of: .attachType)
    var attachCells: [Cell<String?>] = listedAttachTypes == nil ? [Cell([nil])] : []
    for cell in cells(TypeNames.attachTypes, named: namedAttachTypes, listed: listedAttachTypes) {
      attachCells.append(Cell(cell.words.map { Optional($0) }))
    }
    var refused: Decision?
    var isWhole = true
    var types: [ProgramScope.TypeScope] = []
    for type in typeCells {
      var admitted: [Cell<String?>] = []
      for attach in attachCells {
        switch verdict(executable, type: type.first, attachType: attach.first, helpers: sets) {
        case .allowed: admitted.append(attach)
        case .denied(let denial): refused = refused ?? denial
        case .tooMany: return Self.tooMany
        }
      }
      if admitted.count < attachCells.count { isWhole = false }
      guard !admitted.isEmpty else { continue }
      let isEveryAttachType = listedAttachTypes == nil && admitted.count == attachCells.count
      let attachTypes = isEveryAttachType ? nil : admitted.flatMap(\.words)
      types += type.words.map { ProgramScope.TypeScope(type: $0, attachTypes: attachTypes) }
    }
    guard !types.isEmpty else { return Answer(refusal: refused?.summary ?? "it is about no program") }
    let isEveryType = isWhole && statement.words(of: .programType) == nil && listedAttachTypes == nil
    let order = Dictionary(uniqueKeysWithValues: TypeNames.programs.enumerated().map { ($1, $0) })
    types.sort { order[$0.type, default: 0] < order[$1.type, default: 0] }
    return Answer(
      scope: ProgramScope(types: isEveryType ? nil : types, helpers: helpers),
      refusal: refused?.summary)
  }

  private static let tooMany = Answer(refusal: "the policy tells too many kinds of loads apart to try them all for it")

  /// Words that the policy does not tell from one another: what it says to one it says to all.
  private struct Cell<Word> {
    let first: Word
    let words: [Word]

    init(_ words: [Word]) {
      self.words = words
      first = words[0]
    }
  }

  private func cells(_ all: [String], named: Set<String>, listed: [String]?) -> [Cell<String>] {
    if let listed { return all.filter { listed.contains($0) }.map { Cell([$0]) } }
    let others = all.filter { !named.contains($0) }
    return all.filter { named.contains($0) }.map { Cell([$0]) } + (others.isEmpty ? [] : [Cell(others)])
  }

  /// Sets of helpers such that the policy says to each subset of a list what it says to one of them. Nil when there are
  /// too many.
  ///
  /// A rule about helpers holds for a program that calls nothing outside of its list. So which rules hold for the
  /// helpers of a program is the same as for the intersection of all lists that have these helpers among them.
  private func helperSets(of list: [String]) -> [[String]]? {
    var sets: Set<Set<String>> = [Set(list)]
    for other in helperLists {
      for set in sets { sets.insert(set.intersection(other)) }
      guard sets.count <= Self.helperSetLimit else { return nil }
    }
    return sets.map { $0.sorted() }
  }
}

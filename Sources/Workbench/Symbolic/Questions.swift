internal import Policy

/// What rules ask of facts, each question once, under a number.
///
/// The same value is another question for a rule that denies, for one that allows, and for one of the kernel's own
/// operations: they count what is missing or in doubt in different ways. A question's answer is the engine's own
/// (``Policy/Condition``), so that what is found here cannot differ from what is decided.
struct Questions {
  /// How a rule takes the answer.
  enum Reading: UInt8 {
    /// It holds, in a rule about the kernel's own operations.
    case kernel
    /// It holds, in a rule that allows.
    case allow
    /// The same, where the rule speaks of expired signatures.
    case allowExpired
    /// It holds or is not known, in a rule that denies: then no later rule allows.
    case deny
    /// It holds, in a rule that denies: then that rule decides.
    case denyCertain
  }

  struct Question {
    let name: PropertyName
    let value: PropertyValue
    /// The value's number: questions that differ in their reading share it.
    let valueNumber: Int32
    let reading: Reading
    private let condition: Condition

    init(
      _ property: PolicyDocument.Property, of statement: PolicyDocument.Statement, _ reading: Reading,
      valueNumber: Int32
    ) {
      name = property.name
      value = property.value
      self.reading = reading
      self.valueNumber = valueNumber
      condition = Condition(property, of: statement)
    }

    func isTrue(_ facts: borrowing Facts) -> Bool {
      switch reading {
      case .kernel, .allow, .allowExpired, .denyCertain: condition.outcome(facts) == .holds
      case .deny: condition.outcome(facts) != .fails
      }
    }
  }

  private struct ValueKey: Hashable {
    let name: PropertyName
    let value: PropertyValue
    /// Of a pattern: texts that are equal may still have other bytes, and paths are compared by bytes.
    let bytes: [UInt8]
  }
  private struct Key: Hashable {
    let value: Int32
    let reading: Reading
  }

  private(set) var all: [Question] = []
  private var numbers: [Key: Int32] = [:]
  private var values: [ValueKey: Int32] = [:]

  subscript(_ number: Int32) -> Question { all[Int(number)] }

  /// What a rule asks.
  ///
  /// - Parameter certain: of a DENY rule, whether only that counts which holds.
  mutating func rule(_ statement: PolicyDocument.Statement, certain: Bool = false) -> SymbolicRule {
    var asked: [Int32] = []
    for property in statement.properties {
      let number = number(of: property, in: statement, certain)
      if !asked.contains(number) { asked.append(number) }
    }
    return SymbolicRule(questions: asked.sorted(), allows: statement.action == .allow)
  }

  private mutating func number(
    of property: PolicyDocument.Property, in statement: PolicyDocument.Statement, _ certain: Bool
  ) -> Int32 {
    let bytes: [UInt8] = if case .pattern(let text) = property.value { Array(text.utf8) } else { [] }
    let valueKey = ValueKey(name: property.name, value: property.value, bytes: bytes)
    let value = values[valueKey] ?? Int32(clamping: values.count)
    values[valueKey] = value
    let reading: Reading =
      if !statement.isStrict {
        .kernel
      } else if statement.action == .deny {
        certain ? .denyCertain : .deny
      } else {
        statement.takesExpired && property.name.canBeVoid ? .allowExpired : .allow
      }
    let key = Key(value: value, reading: reading)
    if let known = numbers[key] { return known }
    let number = Int32(clamping: all.count)
    numbers[key] = number
    all.append(Question(property, of: statement, reading, valueNumber: value))
    return number
  }
}

/// A rule as what it asks and what it says.
struct SymbolicRule: Hashable {
  /// The numbers of its questions, ascending, each once; none for a rule that always matches.
  var questions: [Int32]
  var allows: Bool
}

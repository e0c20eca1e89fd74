/// One option or positional argument, as parsing, help, manual and completion know it.
struct Parameter: Sendable {
  /// How often it stands on the command line.
  enum Occurrence: Sendable {
    /// An option without value; given again, it means the same.
    case flag
    /// At most one value; of several the last counts.
    case optional
    /// One value; of several the last counts.
    case required
    /// Any number of values.
    case any
    /// One value or more.
    case some

    var isRequired: Bool { self == .required || self == .some }
    var isRepeated: Bool { self == .any || self == .some }
  }

  /// `--policy`, or what a positional argument is called: `IMAGE`.
  let name: String
  /// The short spelling with its dash: `-o`.
  let short: String?
  let kind: ValueKind
  let occurrence: Occurrence
  /// What it says, as a sentence.
  let help: String
  /// The value that it has when it is not given.
  let standard: String?
  /// What a word has to be, when it is not; nil when it is.
  let refusal: @Sendable (String) -> String?

  var isOption: Bool { name.utf8.first == UInt8(ascii: "-") }

  /// With its value, as it is typed: `--policy FILE`, `IMAGE`.
  var spelling: String {
    guard isOption, occurrence != .flag else { return name }
    return "\(name) \(kind.placeholder)"
  }

  /// As it stands in a synopsis: `[--fd N ...]`.
  var synopsis: String {
    let text = spelling + (occurrence.isRepeated ? " ..." : "")
    return occurrence.isRequired ? text : "[\(text)]"
  }

  /// What help and manual say of it, with its default.
  var description: String { standard.map { "\(help) (default: \($0))" } ?? help }
}

/// A handle on a parameter whose values are of a type that the compiler knows. The command declares it once and reads it
/// by the same handle, so that no name is written twice.
struct Key<Value: Sendable>: AnyKey {
  let parameter: Parameter
  /// The value from the words that were given; nil where a word is missing that must be there.
  let read: @Sendable ([String]) -> Value?

  private init(
    _ name: String, _ short: String?, _ kind: ValueKind, _ occurrence: Parameter.Occurrence, _ help: String,
    standard: String? = nil, refusal: @escaping @Sendable (String) -> String?,
    read: @escaping @Sendable ([String]) -> Value?
  ) {
    parameter = Parameter(
      name: name, short: short, kind: kind, occurrence: occurrence, help: help, standard: standard, refusal: refusal)
    self.read = read
  }

  /// An option without value.
  static func flag(_ name: String, short: String? = nil, _ help: String) -> Key where Value == Bool {
    Key(name, short, .word(""), .flag, help, refusal: { _ in nil }, read: { !$0.isEmpty })
  }

  /// An option or argument that may be left out.
  static func optional<Element: ArgumentValue>(
    _ name: String, short: String? = nil, takes kind: ValueKind = Element.kind, _ help: String
  ) -> Key where Value == Element? {
    Key(name, short, kind, .optional, help, refusal: refusal(Element.self)) { words in
      .some(words.last.flatMap { Element(argument: $0) })
    }
  }

  /// An option that has a value of its own when it is left out.
  static func optional(
    _ name: String, short: String? = nil, takes kind: ValueKind = Value.kind, default standard: Value, _ help: String
  ) -> Key where Value: ArgumentValue {
    Key(name, short, kind, .optional, help, standard: standard.argument, refusal: refusal(Value.self)) { words in
      words.last.map { Value(argument: $0) } ?? standard
    }
  }

  /// An option or argument that has to be there.
  static func required(
    _ name: String, short: String? = nil, takes kind: ValueKind = Value.kind, _ help: String
  ) -> Key where Value: ArgumentValue {
    Key(name, short, kind, .required, help, refusal: refusal(Value.self)) { words in
      words.last.flatMap { Value(argument: $0) }
    }
  }

  /// An option that may be given several times, or any number of arguments.
  ///
  /// - Parameter needsOne: whether one has to be there.
  static func repeated<Element: ArgumentValue>(
    _ name: String, short: String? = nil, takes kind: ValueKind = Element.kind, needsOne: Bool = false, _ help: String
  ) -> Key where Value == [Element] {
    Key(name, short, kind, needsOne ? .some : .any, help, refusal: refusal(Element.self)) { words in
      words.isEmpty && needsOne ? nil : words.compactMap { Element(argument: $0) }
    }
  }

  private static func refusal<Element: ArgumentValue>(_ type: Element.Type) -> @Sendable (String) -> String? {
    { Element(argument: $0) == nil ? Element.expectation : nil }
  }
}

/// A handle of some type.
protocol AnyKey: Sendable {
  var parameter: Parameter { get }
}

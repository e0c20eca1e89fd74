internal import Base

// What the property table says, for those who use it.

extension PropertyName {
  /// The form of the property's value.
  public var shape: Shape { entry.form.shape }

  /// Whether the parser of mainline Linux knows the property.
  public var isKernel: Bool { entry.isKernel }

  /// Whether the property says something about a BPF program, so that no other operation can ever match it.
  public var isAboutPrograms: Bool { entry.isAboutPrograms }

  /// Who finds out what the property asks for when a BPF program is judged. For the kernel's own operations IPE knows
  /// its five properties itself.
  public var producer: FactProducer { entry.producer }

  /// What comes nearest among the properties that have a producer; nil where nothing does.
  public var substitute: PropertyName? { entry.substitute }

  /// The name of its fact in facts and test cases; most often the property's own.
  public var factName: String { entry.factName ?? rawValue }

  /// What documentation says.
  public var reference: PropertyReference { entry.reference() }

  /// What stands for the value in documentation: `TRUE|FALSE`, `LIST`.
  public var notation: String {
    if let placeholder = entry.placeholder { return placeholder }
    return switch shape {
    case .flag: "TRUE|FALSE"
    case .digest(let algorithms): (algorithms?.count == 1 ? algorithms?.first ?? "ALG" : "ALG") + ":HEX"
    case .word(let words): words.separated(by: "|")
    case .words, .helpers, .numbers: "LIST"
    case .pattern: "PATTERN"
    case .text: "NAME"
    case .version: "VERSION"
    }
  }

  /// What to write, for hints.
  public var valueHint: String {
    switch shape {
    case .flag: "write TRUE or FALSE"
    case .digest: "write alg:hex, for example sha256: and 64 hex digits"
    case .word(let words): "write one of \(words.separated(by: ", "))"
    case .words(let words) where words.count < 10: "write one or more of \(words.separated(by: ", "))"
    case .words: "write one or more of the kernel's names in lower case, with commas between them"
    case .helpers: "write helper names without bpf_, with commas between them"
    case .pattern: "write a path; * and ? match within a name, ** across names"
    case .text: "write a name without blanks"
    case .version: "write numbers with dots, for example 1.4.0"
    case .numbers: "write decimal numbers with commas between them"
    }
  }

  /// What a fact's value looks like, for hints.
  var factHint: String { entry.form.factHint ?? valueHint }

  /// Whether no object can satisfy both values at once; false where that is not certain.
  public func excludes(_ left: PropertyValue, _ right: PropertyValue) -> Bool { entry.form.excludes(left, right) }

  /// A fact, as text, that satisfies all values; nil when there is none, or none is found.
  ///
  /// - Parameter variant: which one, where the values leave a choice; any number from 0.
  public func fact(satisfying values: [PropertyValue], variant: Int) -> String? {
    values.isEmpty ? nil : entry.form.satisfying(values, variant: variant)
  }

  /// Facts, as text, that are known and do not satisfy the value: its complement by examples. Empty when every fact
  /// satisfies it.
  public func facts(failing value: PropertyValue) -> [String] { entry.form.failing(value) }
}

extension PolicyDocument.Property {
  /// Whether every fact that satisfies this property satisfies the other one too.
  public func implies(_ other: PolicyDocument.Property) -> Bool {
    name == other.name && (value == other.value || name.entry.form.implies(value, other.value))
  }

  /// Whether the value says which fact it was that satisfied it: not a bound, a list or a pattern.
  public var determinesFact: Bool { name.entry.form.determinesFact(value) }

  /// The option that a kernel must be built with for the property ever to hold in a rule about the operation; nil where
  /// there is none.
  public func kernelOption(for operation: Operation?) -> String? {
    // The kernel evaluates its own operations; BPF programs are judged here, from what the kernel says.
    operation == .bpfProgLoad ? name.entry.loaderOption(value) : name.entry.ipeOption
  }
}

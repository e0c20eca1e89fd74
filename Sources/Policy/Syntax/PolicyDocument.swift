internal import Base

/// A policy text, cut and read: every byte with its place, and what it says.
public struct PolicyDocument: Sendable {
  /// Bytes that a file with a policy may have, signed or not, wherever it is read. A policy of 100,000 rules has 11 MiB.
  public static let sizeLimit = 64 << 20

  public let text: SourceText
  public let dialect: Dialect
  /// The text cut into lines and words; with ``text`` it loses no byte.
  public let syntax: SyntaxLines
  /// Who the policy is; nil when its first line does not say so.
  public internal(set) var header: Header?
  /// The rules and defaults that could be read, in the order of the text.
  public internal(set) var statements: [Statement] = []
  /// Everything there is to say, in the order of the text as far as the parser went.
  public internal(set) var diagnostics: [PolicyDiagnostic] = []

  /// Whether the policy can be used: no error was found.
  public var isValid: Bool { header != nil && !diagnostics.contains { $0.severity == .error } }

  /// The first line that is not empty.
  public struct Header: Sendable, Equatable {
    /// The bytes after `policy_name=`; any bytes at all in the kernel's dialect.
    public let name: [UInt8]
    public let nameRange: SourceRange
    public let version: PolicyVersion
    public let versionRange: SourceRange
    /// False when the header's third word is `x_enforcing=FALSE`: what the rules deny is recorded, and done anyway.
    public let enforcing: Bool

    /// The name as text; what is no UTF-8 is written `\xff`, as the kernel's corpus of answers does.
    public var nameText: String {
      String(validating: name, as: UTF8.self) ?? PolicyDocument.escaped(name)
    }
  }

  /// One rule or default.
  public struct Statement: Sendable, Equatable {
    public enum Kind: Sendable, Equatable {
      /// `DEFAULT action=…` or `DEFAULT op=… action=…`: what happens when no rule matches.
      case fallback
      /// `op=… properties action=…`.
      case rule
    }

    public let kind: Kind
    /// Nil for the default of all operations.
    public let operation: Operation?
    public let properties: [Property]
    public let action: Action
    /// What its `x_enforcing=` says; nil where it has none. Of an operation's default it is the word for the operation.
    public let enforcing: Bool?
    /// From the first word to the last.
    public let range: SourceRange
    /// The line's number, from 1.
    public let line: Int

    /// The statement in its canonical form: one space between words, digests in lower-case digits. A default has the
    /// form of IPE's audit record.
    public var canonicalText: String {
      var text = kind == .fallback ? "DEFAULT " : ""
      if let operation { text += "op=\(operation.rawValue) " }
      for property in properties { text += "\(property.canonicalText) " }
      if let enforcing { text += "x_enforcing=\(enforcing ? "TRUE" : "FALSE") " }
      return text + "action=\(action.rawValue)"
    }
  }

  /// One `name=value` of a rule.
  public struct Property: Sendable, Equatable {
    public let name: PropertyName
    public let value: PropertyValue
    public let range: SourceRange

    public var canonicalText: String { "\(name.rawValue)=\(value.description)" }

    /// Whether both ask for the same, wherever they stand.
    public func means(_ other: Property) -> Bool { name == other.name && value == other.value }
  }

  /// Whether both texts say the same: header, and statements in their order. Layout and comments do not count.
  public func hasSameMeaning(as other: PolicyDocument) -> Bool {
    guard header?.name == other.header?.name, header?.version == other.header?.version,
      header?.enforcing == other.header?.enforcing, statements.count == other.statements.count
    else { return false }
    return zip(statements, other.statements).allSatisfy { $0.means($1) }
  }

  /// Bytes as text in which everything outside printable ASCII is written `\x..`.
  static func escaped(_ bytes: [UInt8]) -> String {
    var result = ""
    for byte in bytes {
      if (0x20..<0x7f).contains(byte), byte != 0x5c {
        result.unicodeScalars.append(Unicode.Scalar(byte))
      } else if byte == 0x5c {
        result += "\\\\"
      } else {
        result += "\\x" + (byte < 16 ? "0" : "") + String(byte, radix: 16)
      }
    }
    return result
  }
}

extension PolicyDocument.Statement {
  /// Whether both say the same, wherever they stand.
  public func means(_ other: Self) -> Bool {
    kind == other.kind && operation == other.operation && action == other.action && enforcing == other.enforcing
      && properties.count == other.properties.count
      && zip(properties, other.properties).allSatisfy { $0.means($1) }
  }
}

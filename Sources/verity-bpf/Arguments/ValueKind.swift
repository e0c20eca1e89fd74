/// What kind of word an argument takes. Help and manual name the word by it, and the shells complete it by it.
enum ValueKind: Equatable, Sendable {
  /// A file that is read or written.
  case file
  case directory
  /// A dm-verity image.
  case image
  /// A BPF object in a file of its own.
  case object
  /// The path of an object inside the image that `--image` names; without one, an object in a file of its own.
  case objectInImage
  /// A PEM file, or a URI that OpenSSL's store opens.
  case key
  /// The name of an installed policy.
  case policyName
  /// The code of a diagnostic.
  case errorCode
  /// A network interface.
  case interface
  /// One of these words.
  case choice([String])
  /// A word that may have the name of a file in it, called so.
  case place(String)
  /// Any other word, called so.
  case word(String)

  /// What the word is called where an option stands with its value.
  var placeholder: String {
    switch self {
    case .file: "FILE"
    case .directory: "DIR"
    case .image: "IMAGE"
    case .object, .objectInImage: "OBJECT"
    case .key: "FILE|URI"
    case .policyName: "NAME"
    case .errorCode: "CODE"
    case .interface: "IFACE"
    case .choice(let words): words.joined(separator: "|")
    case .place(let name), .word(let name): name
    }
  }

  /// Whether the word names a file or may do so, so that it is any bytes but NUL.
  var isPath: Bool {
    switch self {
    case .file, .directory, .image, .object, .objectInImage, .key, .place: true
    case .policyName, .errorCode, .interface, .choice, .word: false
    }
  }
}

/// A value that is read from one word of the command line.
protocol ArgumentValue: Sendable {
  /// What such a word looks like, for who gave another: `64 or 128 hexadecimal digits`.
  static var expectation: String { get }

  /// The kind of word where the declaration does not say it.
  static var kind: ValueKind { get }

  /// Reads the word; nil when it is no such value.
  init?(argument: String)

  /// The word that reads as this value, for help to show a default.
  var argument: String { get }
}

extension ArgumentValue {
  var argument: String { "\(self)" }
}

extension String: ArgumentValue {
  static var expectation: String { "any text" }
  static var kind: ValueKind { .word("TEXT") }
  init?(argument: String) { self = argument }
}

/// A choice of words is declared by conforming to this, with a raw value for each word.
protocol ArgumentChoice: ArgumentValue, RawRepresentable<String>, CaseIterable {}

extension ArgumentChoice {
  static var expectation: String { "one of " + allCases.map(\.rawValue).joined(separator: ", ") }
  static var kind: ValueKind { .choice(allCases.map(\.rawValue)) }
  init?(argument: String) { self.init(rawValue: argument) }
  var argument: String { rawValue }
}

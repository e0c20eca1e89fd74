import Base

/// The words behind a command, read by its declaration.
struct Words {
  private let declared: [Parameter]
  /// The values of each parameter that was given, by its name; a flag has an empty one.
  private var values: [(name: String, values: [String])] = []

  /// The value of a handle.
  ///
  /// - Throws: when it has to be there and is not, or when the command did not declare it.
  subscript<Value>(key: Key<Value>) -> Value {
    get throws(UsageError) {
      let parameter = key.parameter
      guard declared.contains(where: { $0.name == parameter.name }) else {
        throw UsageError("`\(parameter.name)` is read, but not declared.")
      }
      let given = values.first { $0.name == parameter.name }?.values ?? []
      guard let value = key.read(given) else { throw UsageError("`\(parameter.spelling)` is missing.", parameter) }
      return value
    }
  }

  /// Reads the words. Each is checked here, whether or not the command comes to ask for it.
  ///
  /// Options and arguments stand in any order; behind `--` there are arguments only. A value stands behind its option,
  /// where it cannot begin with a dash, or in the same word behind `=`.
  init(_ words: ArraySlice<String>, of declaration: Declaration) throws(UsageError) {
    declared = declaration.arguments + declaration.options
    var rest = words
    var arguments: [String] = []
    while let word = rest.popFirst() {
      if word == "--" {
        arguments += rest
        break
      }
      guard Self.isOption(word) else {
        arguments.append(word)
        continue
      }
      if let flags = declaration.flags(joinedIn: word) {
        for flag in flags { add("", to: flag) }
        continue
      }
      let (name, enclosed) = Self.split(word)
      guard let option = declaration.option(name) else {
        throw .unknown("option", name, known: declaration.options.map(\.name))
      }
      guard option.occurrence != .flag else {
        if let enclosed, !enclosed.isEmpty {
          throw UsageError("`\(name)` takes no value, but `\(enclosed)` was given.")
        }
        add("", to: option)
        continue
      }
      // What a variable of a script was to fill in and did not is no value.
      var value = enclosed == "" ? nil : enclosed
      if enclosed == nil, let next = rest.first, !Self.isOption(next) { value = rest.popFirst() }
      guard let value else { throw UsageError("`\(option.spelling)` needs a value.", option) }
      try take(value, for: option)
    }
    try place(arguments, declaration.arguments)
  }

  /// Whether a word is an option: it begins with a dash and is not `-`, which stands for a standard stream or for none.
  static func isOption(_ word: String) -> Bool {
    let bytes = word.utf8
    return bytes.first == UInt8(ascii: "-") && bytes.dropFirst().first != nil
  }

  /// The name of an option, and the value that stands in the same word.
  static func split(_ word: String) -> (name: String, value: String?) {
    guard let equals = word.utf8.firstIndex(of: UInt8(ascii: "=")) else { return (word, nil) }
    return (String(word[..<equals]), String(word[word.utf8.index(after: equals)...]))
  }

  /// Whether the words ask for help, whatever else is wrong with them. Where a value has to stand they do not.
  static func askForHelp(_ words: ArraySlice<String>, of declaration: Declaration) -> Bool {
    var needsValue = false
    for word in words.prefix(while: { $0 != "--" }) {
      let (name, enclosed) = split(word)
      let option = isOption(word) ? declaration.option(name) : nil
      let flags = option.map { [$0] } ?? declaration.flags(joinedIn: word) ?? []
      if !needsValue, enclosed == nil, flags.contains(where: { $0.name == Declaration.help.parameter.name }) {
        return true
      }
      needsValue = enclosed == nil && option.map { $0.occurrence != .flag } ?? false
    }
    return false
  }

  /// Gives arguments to the parameters in their order; the last one takes all that are left if it may.
  private mutating func place(_ arguments: [String], _ parameters: [Parameter]) throws(UsageError) {
    var rest = arguments[...]
    for parameter in parameters {
      repeat {
        guard let word = rest.popFirst() else { break }
        try take(word, for: parameter)
      } while parameter.occurrence.isRepeated
    }
    guard let first = rest.first else { return }
    throw UsageError("`\(first)` is not understood\(parameters.isEmpty ? ": there are only options here" : "").")
  }

  private mutating func take(_ value: String, for parameter: Parameter) throws(UsageError) {
    // A file's name is whatever bytes it is; all else ends up in texts.
    if value.hasUndecodedBytes, !parameter.kind.isPath {
      throw UsageError("`\(parameter.name)` does not take `\(value)`, but text in UTF-8.", parameter)
    }
    if let expected = parameter.refusal(value) {
      throw UsageError("`\(parameter.name)` does not take `\(value)`, but \(expected).", parameter)
    }
    add(value, to: parameter)
  }

  private mutating func add(_ value: String, to parameter: Parameter) {
    if let index = values.firstIndex(where: { $0.name == parameter.name }) {
      values[index].values.append(value)
    } else {
      values.append((parameter.name, [value]))
    }
  }
}

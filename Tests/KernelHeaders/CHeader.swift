/// The names and numbers that one of the kernel's headers defines, read without a compiler.
///
/// Enumerations and macros whose values are numbers, names of other constants, shifts, sums and unions of those; what is
/// more than that has no number here, and whoever asks for it learns so.
public struct CHeader: Sendable {
  private var values: [String: Int64] = [:]
  /// The enumerators of each enumeration, in their order.
  private var enumerations: [[String]] = []
  /// The macros without parameters, in their order.
  private var macros: [String] = []

  public init(_ text: String) {
    let lines = Self.logicalLines(Self.withoutComments(Array(text.utf8)))
    var rest: [CToken] = []
    var definitions: [(name: String, body: [CToken])] = []
    for line in lines {
      let tokens = CToken.tokens(of: line)
      guard tokens.first == .mark("#") else {
        rest += tokens
        continue
      }
      guard tokens.count > 2, tokens[1] == .word("define"), case .word(let name) = tokens[2] else { continue }
      if name.hasSuffix("BPF_FUNC_MAPPER") {
        readHelpers(tokens)
      } else {
        definitions.append((name, Array(tokens.dropFirst(3))))
      }
    }
    readEnumerations(rest)
    for definition in definitions where values[definition.name] == nil {
      guard let value = CExpression.value(definition.body[...], names: values) else { continue }
      values[definition.name] = value
      macros.append(definition.name)
    }
  }

  /// The number of an enumerator, macro or helper (`BPF_FUNC_map_lookup_elem`).
  public func value(of name: String) -> Int64? { values[name] }

  /// The names in the enumeration that this is one of; empty when it is in none.
  public func enumerators(beside name: String) -> [String] { enumerations.first { $0.contains(name) } ?? [] }

  /// The macros whose names begin with this, helpers among them.
  public func macros(withPrefix prefix: String) -> [String] { macros.filter { $0.hasPrefix(prefix) } }

  /// `FN(name, number, …)` for each helper, or without numbers before 6.2, where the order gives them.
  private mutating func readHelpers(_ tokens: [CToken]) {
    var number: Int64 = 0
    for index in tokens.indices.dropLast(3)
    where tokens[index] == .word("FN") && tokens[index + 1] == .mark("(") {
      guard case .word(let name) = tokens[index + 2] else { continue }
      if tokens.count > index + 4, case .number(let stated) = tokens[index + 4] { number = stated }
      let helper = "BPF_FUNC_" + name
      values[helper] = number
      macros.append(helper)
      number += 1
    }
  }

  private mutating func readEnumerations(_ tokens: [CToken]) {
    var index = 0
    while index < tokens.count {
      guard tokens[index] == .word("enum") else {
        index += 1
        continue
      }
      index += 1
      if index < tokens.count, case .word = tokens[index] { index += 1 }
      guard index < tokens.count, tokens[index] == .mark("{"),
        let end = tokens[index...].firstIndex(of: .mark("}"))
      else { continue }
      readEnumerators(tokens[(index + 1)..<end])
      index = end + 1
    }
  }

  private mutating func readEnumerators(_ tokens: ArraySlice<CToken>) {
    var names: [String] = []
    var next: Int64? = 0
    for entry in tokens.split(separator: .mark(",")) {
      guard case .word(let name)? = entry.first else { continue }
      if entry.count > 1 { next = CExpression.value(entry.dropFirst(2), names: values) }
      names.append(name)
      if let value = next {
        values[name] = value
        next = value + 1
      }
    }
    enumerations.append(names)
  }

  private static func withoutComments(_ text: [UInt8]) -> [UInt8] {
    var kept: [UInt8] = []
    kept.reserveCapacity(text.count)
    var index = 0
    while index < text.count {
      let next = index + 1 < text.count ? text[index + 1] : 0
      if text[index] == UInt8(ascii: "/"), next == UInt8(ascii: "*") {
        index += 2
        while index + 1 < text.count, !(text[index] == UInt8(ascii: "*") && text[index + 1] == UInt8(ascii: "/")) {
          index += 1
        }
        index += 2
        kept.append(UInt8(ascii: " "))
      } else if text[index] == UInt8(ascii: "/"), next == UInt8(ascii: "/") {
        while index < text.count, text[index] != UInt8(ascii: "\n") { index += 1 }
      } else {
        kept.append(text[index])
        index += 1
      }
    }
    return kept
  }

  /// Lines, with those joined that end in a backslash.
  private static func logicalLines(_ text: [UInt8]) -> [[UInt8]] {
    var lines: [[UInt8]] = []
    var continues = false
    for line in text.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false) {
      let ends = line.last == UInt8(ascii: "\\")
      let part = ends ? line.dropLast() : line
      if continues { lines[lines.count - 1] += part } else { lines.append(Array(part)) }
      continues = ends
    }
    return lines
  }
}

public import Base

/// A facts file that cannot be used, and where.
public struct FactsError: Diagnosable, Equatable {
  public let explanation: String
  /// The fact's name, when it is about one.
  public let name: String?
  public let position: SourcePosition

  public var diagnostic: Diagnostic {
    let subject = name.map { "`\($0)`: " } ?? ""
    return Diagnostic(
      "facts.invalid", .invalid,
      "the facts at line \(position.line), column \(position.column): \(subject)\(explanation)",
      next: "verity-bpf explain-error facts.invalid")
  }
}

extension Facts {
  /// Reads one object of facts, or an array of them.
  ///
  /// Every fact may be missing or null, which both say that it is not known; only `op` must be there. An unknown
  /// name, a value of another kind, and facts that contradict each other are errors, not guesses.
  public static func read(_ bytes: [UInt8]) throws(FactsError) -> [Facts] {
    let document: JSONValue
    do throws(JSONError) {
      document = try JSONValue.parse(bytes)
    } catch {
      throw FactsError(
        explanation: error.explanation, name: nil, position: SourcePosition(line: error.line, column: error.column))
    }
    var result: [Facts] = []
    for (index, object) in objects(in: document).enumerated() {
      do throws(Located) {
        result.append(try Facts(object))
      } catch {
        throw FactsError(
          explanation: error.explanation, name: error.name,
          position: MemberPlaces(bytes).position(object: index, member: error.name))
      }
    }
    return result
  }

  private static func objects(in document: JSONValue) -> [JSONValue] {
    if case .array(let elements) = document { elements } else { [document] }
  }

  /// Reads facts that are part of a document which was read already; nil for what ``read(_:)`` refuses.
  public static func read(_ document: JSONValue) -> [Facts]? {
    var result: [Facts] = []
    for object in objects(in: document) {
      guard let facts = try? Facts(object) else { return nil }
      result.append(facts)
    }
    return result
  }

  private struct Located: Error {
    let name: String?
    let explanation: String
  }

  private init(_ value: JSONValue) throws(Located) {
    guard case .object(let members) = value else {
      throw Located(name: nil, explanation: "facts are an object, or an array of objects")
    }
    guard let word = value["op"] else { throw Located(name: nil, explanation: "`op` is missing") }
    guard case .string(let text) = word, text == "UNKNOWN" || Operation(rawValue: text) != nil else {
      let known = Operation.allCases.map { $0.rawValue }.joined(separator: ", ")
      throw Located(name: "op", explanation: "expected one of \(known), UNKNOWN")
    }
    self.init(operation: Operation(rawValue: text))
    for member in members where member.name != "op" {
      guard let text = try Self.text(of: member) else {
        // Null: not known. The name is checked all the same.
        guard Facts.names.contains(member.name) else {
          throw Located(name: member.name, explanation: FactProblem.unknownName(suggestion: nil).explanation)
        }
        continue
      }
      do throws(FactProblem) {
        try set(member.name, text)
      } catch {
        throw Located(name: member.name, explanation: error.explanation)
      }
    }
    if let contradiction {
      throw Located(
        name: contradiction.names.0, explanation: "contradicts `\(contradiction.names.1)`: \(contradiction.explanation)"
      )
    }
  }

  private static func text(of member: JSONValue.Member) throws(Located) -> String? {
    switch member.value {
    case .null: return nil
    case .bool(let value): return value ? "TRUE" : "FALSE"
    case .integer(let value): return String(value)
    case .string(let value): return value
    case .array(let elements):
      var words: [String] = []
      for element in elements {
        switch element {
        case .string(let word) where !word.isEmpty && !word.contains(","): words.append(word)
        case .integer(let number): words.append(String(number))
        default: throw Located(name: member.name, explanation: "the list holds something else than words")
        }
      }
      return words.separated(by: ",")
    case .number, .object:
      throw Located(name: member.name, explanation: "this is no value of a fact")
    }
  }

  /// The known facts as an object, in the order of ``names``; ``read(_:)`` takes it back.
  public var json: JSONValue {
    var members: [JSONValue.Member] = []
    members.reserveCapacity(PropertyName.allCases.count + FactNote.allCases.count + 1)
    members.append(JSONValue.Member("op", .string(operation?.rawValue ?? "UNKNOWN")))
    for name in PropertyName.allCases {
      guard let value = name.entry.form.json(self) else { continue }
      members.append(JSONValue.Member(name.factName, value))
    }
    for note in FactNote.allCases {
      guard let words = note.words(self) else { continue }
      members.append(JSONValue.Member(note.rawValue, .array(words.map { .string($0) })))
    }
    return .object(members)
  }
}

/// Where members of the outermost objects stand in a JSON text that is known to be well-formed.
private struct MemberPlaces {
  private var objects: [(start: Int, members: [String: Int])] = []
  private let text: SourceText

  init(_ bytes: [UInt8]) {
    text = SourceText(bytes)
    let isArray = bytes.first { $0 != 0x20 && !(0x09...0x0d).contains($0) } == UInt8(ascii: "[")
    let level = isArray ? 2 : 1
    var depth = 0
    var expectsName = false
    var offset = 0
    while offset < bytes.count {
      switch bytes[offset] {
      case UInt8(ascii: "{"):
        depth += 1
        if depth == level { objects.append((offset, [:])) }
        expectsName = true
      case UInt8(ascii: "["): depth += 1
      case UInt8(ascii: "}"), UInt8(ascii: "]"): depth -= 1
      case UInt8(ascii: ","): expectsName = true
      case UInt8(ascii: ":"): expectsName = false
      case UInt8(ascii: "\""):
        let start = offset
        offset += 1
        while offset < bytes.count, bytes[offset] != UInt8(ascii: "\"") {
          offset += bytes[offset] == UInt8(ascii: "\\") ? 2 : 1
        }
        if depth == level, expectsName, !objects.isEmpty, offset < bytes.count,
          case .string(let name)? = try? JSONValue.parse(Array(bytes[start...offset]))
        {
          objects[objects.count - 1].members[name] = start
        }
      default: break
      }
      offset += 1
    }
  }

  func position(object: Int, member: String?) -> SourcePosition {
    guard object < objects.count else { return SourcePosition(line: 1, column: 1) }
    let place = member.flatMap { objects[object].members[$0] } ?? objects[object].start
    return text.position(of: place)
  }
}

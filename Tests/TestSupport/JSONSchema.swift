public import Base

/// The part of JSON Schema (draft 2020-12) that the files under docs/schemas use. A keyword that is not known here is
/// an error, so that no schema says more than is checked.
public struct JSONSchema {
  private let root: JSONValue

  public init(_ root: JSONValue) { self.root = root }

  /// What is wrong with a value, with the path of each place; empty when it is as the schema says.
  public func faults(in value: JSONValue) -> [String] { check(value, root, at: "$") }

  private func check(_ value: JSONValue, _ schema: JSONValue, at path: String) -> [String] {
    guard case .object(let keywords) = schema else { return ["\(path): the schema is no object"] }
    return keywords.flatMap { keyword in check(value, keyword, schema, at: path) }
  }

  private func check(
    _ value: JSONValue, _ keyword: JSONValue.Member, _ schema: JSONValue, at path: String
  ) -> [String] {
    switch (keyword.name, keyword.value) {
    case ("$schema", _), ("$id", _), ("title", _), ("description", _), ("$defs", _): return []
    case ("$ref", .string(let reference)):
      let name = String(reference.dropFirst("#/$defs/".count))
      guard let target = root["$defs"]?[name] else { return ["\(path): no definition \(reference)"] }
      return check(value, target, at: path)
    case ("anyOf", .array(let choices)):
      let faults = choices.map { check(value, $0, at: path) }
      return faults.contains { $0.isEmpty } ? [] : ["\(path): none of \(choices.count) fits: \(faults)"]
    case ("const", let wanted): return value == wanted ? [] : ["\(path): \(value.compact) is not \(wanted.compact)"]
    case ("enum", .array(let values)): return values.contains(value) ? [] : ["\(path): \(value.compact) is not listed"]
    case ("type", .string(let type)): return Self.isOf(type, value) ? [] : ["\(path): \(value.compact) is no \(type)"]
    case ("minimum", .integer(let minimum)):
      guard case .integer(let number) = value else { return [] }
      return number >= minimum ? [] : ["\(path): \(number) is below \(minimum)"]
    case ("pattern", .string(let pattern)):
      guard case .string(let text) = value, let expression = try? Regex(pattern) else { return [] }
      return text.contains(expression) ? [] : ["\(path): `\(text)` does not match \(pattern)"]
    case ("items", let items):
      guard case .array(let elements) = value else { return [] }
      return elements.enumerated().flatMap { check($1, items, at: "\(path)[\($0)]") }
    case ("required", .array(let names)):
      guard case .object = value else { return [] }
      return names.compactMap { name in
        if case .string(let name) = name, value[name] == nil { "\(path): `\(name)` is missing" } else { nil }
      }
    case ("properties", let properties):
      guard case .object(let members) = value else { return [] }
      return members.flatMap { member in
        properties[member.name].map { check(member.value, $0, at: "\(path).\(member.name)") } ?? []
      }
    case ("additionalProperties", let additional):
      guard case .object(let members) = value else { return [] }
      return members.filter { schema["properties"]?[$0.name] == nil }.flatMap { member in
        additional == false
          ? ["\(path): `\(member.name)` is not described"]
          : check(member.value, additional, at: "\(path).\(member.name)")
      }
    default: return ["\(path): the schema's keyword `\(keyword.name)` is not known"]
    }
  }

  private static func isOf(_ type: String, _ value: JSONValue) -> Bool {
    switch (type, value) {
    case ("string", .string), ("integer", .integer), ("boolean", .bool), ("array", .array), ("object", .object),
      ("null", .null):
      true
    // A number beyond Int64.
    case ("integer", .number(let text)): UInt64(text) != nil
    default: false
    }
  }
}

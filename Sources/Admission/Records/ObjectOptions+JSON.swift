public import BPFObject
public import Base
internal import Linux
public import Loader

extension ObjectOptions {
  /// One form for the audit record and for what commands print; empty where everything is left to the object. Of variables
  /// the object has to say the types, see ``BPFObject/SetVariable/json``.
  public var members: [JSONValue.Member] {
    var members: [JSONValue.Member] = [
      ("chosen_programs", choice.only), ("programs_left_out", choice.without), ("attached_programs", choice.attached),
    ]
    .filter { !$0.1.isEmpty }
    .map { name, patterns in .init(name, .array(patterns.map { .string($0.text) })) }
    if !sectionTypes.isEmpty { members.append(.init("section_types", .array(sectionTypes.map(\.json)))) }
    if !mapEntries.isEmpty { members.append(.init("map_entries", .array(mapEntries.map(\.json)))) }
    return members
  }
}

extension SectionType {
  fileprivate var json: JSONValue { ["section": .string(section), "type": .string(type)] }
}

extension MapEntries {
  fileprivate var json: JSONValue { ["map": .string(map), "entries": .integer(Int64(entries))] }
}

extension VariableSetting {
  /// What is asked for, before the object was looked at.
  var json: JSONValue { ["name": .string(place), "value": .string(value)] }
}

extension SetVariable {
  /// One form for the audit record and for what commands print.
  public var json: JSONValue {
    ["name": .string(place), "type": .string(type), "value": .string(value), "map": .string(map)]
  }
}

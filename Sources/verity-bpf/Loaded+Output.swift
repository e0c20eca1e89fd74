import BPFNames
import Admission
import BPFLoad
import BPFObject
import ByteKit
import Diagnostics
import JSONText
import PolicyEngine

extension LoadedProgram {
  /// One line for people.
  var line: String {
    "program  \(name)  \(TypeNames.program(type)), id \(id), tag \(Hex.encode(tag))" + (pin.map { ", \($0)" } ?? "")
  }

  var json: JSONValue {
    [
      "name": .string(name), "id": .integer(Int64(id)), "tag": .string(Hex.encode(tag)),
      "type": .string(TypeNames.program(type)), "section": .string(section),
    ]
  }
}

extension LoadedMap {
  /// One line for people.
  var line: String {
    "map      \(name)  \(TypeNames.map(type)), id \(id)" + (pin.map { ", \($0)" } ?? "")
  }

  var json: JSONValue {
    ["name": .string(name), "id": .integer(Int64(id)), "type": .string(TypeNames.map(type))]
  }
}

extension LoadCommand {
  /// The JSON answer, also for a DENY.
  func answer(_ outcome: borrowing AdmissionOutcome) -> JSONValue {
    let decision = outcome.ruling.deciding
    var members: [JSONValue.Member] = [
      .init("schema", .string(Self.schema)),
      .init("decision", outcome.isAllowed ? "allow" : "deny"),
      .init("enforcing", .bool(decision.enforcing)),
      .init(
        "rule",
        [
          "line": decision.line.map { .integer(Int64($0)) } ?? nil, "text": .string(decision.ruleText),
          "reason": .string(decision.reason.rawValue),
        ]),
      .init("provenance", .object(outcome.evidence.json)),
      .init("relocation", "kernel"),
      .init("core_relocations", .integer(Int64(outcome.coreRelocationCount))),
      .init("instructions", .integer(Int64(outcome.instructionCount))),
      .init("linked_instructions", .integer(Int64(outcome.editedInstructionCount))),
    ]
    let programs = outcome.loadedPrograms
    let maps = outcome.loadedMaps
    let pins = programs.compactMap(\.pin) + maps.compactMap(\.pin)
    members += [
      .init("programs", .array(programs.map(\.json))), .init("maps", .array(maps.map(\.json))),
      .init("pins", .array(pins.map { .string($0) })), .init("dry_run", .bool(dryRun)),
    ]
    return .object(members)
  }
}

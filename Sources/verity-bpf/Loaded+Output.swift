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
    var programs: [JSONValue] = []
    var maps: [JSONValue] = []
    var pins: [JSONValue] = []
    if outcome.loaded != nil {
      for index in 0..<outcome.loaded.programs.count {
        let program = outcome.loaded.programs[index]
        programs.append(program.json)
        if let pin = program.pin { pins.append(.string(pin)) }
      }
      for index in 0..<outcome.loaded.maps.count {
        let map = outcome.loaded.maps[index]
        maps.append(map.json)
        if let pin = map.pin { pins.append(.string(pin)) }
      }
    }
    members += [
      .init("programs", .array(programs)), .init("maps", .array(maps)), .init("pins", .array(pins)),
      .init("dry_run", .bool(dryRun)),
    ]
    return .object(members)
  }
}

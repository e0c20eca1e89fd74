public import Base
internal import BPFAnalysis
internal import BPFObject
internal import Policy

extension GatePlan {
  /// The plan as members of a JSON object.
  public var jsonMembers: [JSONValue.Member] {
    [
      .init(
        "policy",
        [
          "name": .string(header.nameText), "version": .string(header.version.description),
          "enforcing": .bool(header.enforcing),
        ]),
      .init("mode", .string(mode.rawValue)), .init("complete", .bool(!leavesOut)), .init("rows", rows.json),
      .init("rules", .array(rules.map(\.json))), .init("programs", .array(programs.map(\.json))),
    ]
  }
}

extension GateRows {
  var json: JSONValue {
    [
      "executables": .array(executables.map(\.json)), "digests": .array(digests.map(\.json)),
      "classes": .array(classes.map { ["programs": $0.scope.json, "line": .integer(Int64($0.line))] }),
      "modules": .array(
        modules.map { ["root_hash": .string($0.rootHash.description), "line": .integer(Int64($0.line))] }),
    ]
  }
}

extension GateRows.ExecutableRow {
  fileprivate var json: JSONValue {
    var members: [JSONValue.Member] = [
      .init("image", .string(executable.image)), .init("path", .string(executable.path)),
      .init("root_hash", .string(executable.identity.rootHash.description)),
      .init("inode", .unsigned(executable.identity.inode)), .init("sha256", .string(executable.digest.hex)),
    ]
    switch right {
    case .judging: members += [.init("right", "judging"), .init("programs", .null), .init("line", .null)]
    case .listed: members += [.init("right", "listed"), .init("programs", .null), .init("line", .null)]
    case .programs(let scope, let line):
      members += [
        .init("right", "programs"), .init("programs", scope.json), .init("line", .integer(Int64(line))),
      ]
    }
    return .object(members)
  }
}

extension GateRows.DigestRow {
  fileprivate var json: JSONValue {
    [
      "sha256": .string(instructions.digest.hex), "instructions": .integer(Int64(instructions.count)),
      "core_relocations": .integer(Int64(instructions.coreRelocations)), "type": .string(type),
      "attach_type": .optional(attachType), "attach_target": .optional(attachTarget?.name),
      "sources": .array(
        sources.map {
          [
            "image": .string($0.image), "object": .string($0.object), "program": .string($0.program),
            "line": .line($0.line),
          ]
        }),
    ]
  }
}

extension ProgramScope {
  fileprivate var json: JSONValue {
    let types: JSONValue? = types.map { types in
      .array(
        types.map { type in
          [
            "type": .string(type.type),
            "attach_types": type.attachTypes.map { .array($0.map { .optional($0) }) } ?? .null,
          ]
        })
    }
    return ["types": types ?? .null, "helpers": helpers.map { .array($0.map { .string($0) }) } ?? .null]
  }
}

extension GatePlan.Rule {
  fileprivate var json: JSONValue {
    let (word, reason): (String, String?) =
      switch outcome {
      case .complete: ("complete", nil)
      case .narrower(let reason): ("narrower", reason)
      case .leftOut(let reason): ("left-out", reason)
      }
    return [
      "line": .integer(Int64(line)), "rule": .string(text), "outcome": .string(word), "reason": .optional(reason),
    ]
  }
}

extension GatePlan.Program {
  fileprivate var json: JSONValue {
    let (word, line, reason): (String, Int?, String?) =
      switch fate {
      case .row(let line): ("row", line, nil)
      case .denied(let reason): ("denied", nil, reason)
      case .leftOut(let reason): ("left-out", nil, reason)
      }
    return [
      "image": .string(image), "object": .string(object), "program": .string(name), "outcome": .string(word),
      "line": .line(line), "reason": .optional(reason),
    ]
  }
}

extension JSONValue {
  fileprivate static func line(_ number: Int?) -> JSONValue { number.map { .integer(Int64($0)) } ?? .null }
}

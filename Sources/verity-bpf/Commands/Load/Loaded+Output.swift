import KernelABI
import Linux
import Admission
import Loader
import BPFObject
import Base
import Policy
import Workbench

extension LoadedProgram {
  /// One line for people.
  var line: String {
    "program  \(name)  \(TypeNames.program(type)), id \(id), tag \(Hex.encode(tag))" + (pin.map { ", \($0)" } ?? "")
  }

  var json: JSONValue {
    [
      "name": .string(name), "id": .integer(Int64(id)), "tag": .string(Hex.encode(tag)),
      "load_time": .unsigned(loadTime),
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

extension LoadedAttachment {
  /// One line for people.
  var line: String { "attached \(program)  to \(place)" + (pin.map { ", \($0)" } ?? "") }
}

extension ReplacedObject {
  /// What became of the object that was replaced, for people.
  var lines: [String] {
    let kinds = [
      ("carried  maps", carriedMaps, "with all that is in them"), ("fresh    maps", freshMaps, "made anew"),
      ("moved    links of", movedLinks, "which never were without a program"),
      ("doubled  links of", doubledLinks, "made before the old ones went: events in between may be counted twice"),
      ("ended    links", endedLinks, "which nothing has taken over"),
    ]
    let lines = kinds.filter { !$0.1.isEmpty }.map { "\($0): \($1.joined(separator: ", ")), \($2)" }
    return lines + remaining.map { "remains  \($0)" }
      + collected.map { "removed  \($0), which a killed run had left that was to replace it too" }
  }
}

extension EndedObjects {
  /// What goes because the image does not have it any more, for people.
  func lines(isDryRun: Bool) -> [String] {
    let word = isDryRun ? "would end" : "ended   "
    return directories.map { "\(word) \($0), which the image does not have" } + remaining.map { "remains  \($0)" }
  }
}

/// Which of several objects an answer is about, as the user named it.
struct LoadLabel {
  let text: String
  let json: JSONValue

  init(_ object: AdmissionRequest.Object) {
    switch object {
    case .descriptor(let number):
      text = "fd \(number)"
      json = ["fd": .integer(Int64(number))]
    case .executed(let file):
      text = "`\(file.path)`"
      json = ["executed": .string(file.path)]
    case .image(_, let path, _), .file(let path):
      text = "`\(path)`"
      json = ["object": .string(path)]
    }
  }
}

extension AdmissionOutcome {
  /// What was changed in the object's types, for people; nil where nothing was.
  var typesLine: String? {
    var count = typeEdits.count
    switch submittedTypes {
    case .leftOut(let reason): return "types    left out, which nothing in the object needs: the kernel says \(reason)"
    case .absent: return "types    the object has none: the kernel knows no names of functions and no source lines"
    case .adapted(let edits): count += edits.count
    case .asLinked, nil: break
    }
    return count == 0 ? nil : "types    \(count) changed, as this kernel takes them (--json lists them)"
  }
}

extension LoadCommand {
  /// The JSON answer, also for a DENY.
  ///
  /// - Parameter label: nil when there is one object only.
  func answer(_ outcome: borrowing AdmissionOutcome, label: LoadLabel?) -> JSONValue {
    let decision = outcome.ruling.deciding
    var members: [JSONValue.Member] = [.init("schema", .string(LoadCommand.schema))]
    if let label { members.append(.init("request", label.json)) }
    members += [
      .init("decision", outcome.isAllowed ? "allow" : "deny"),
      .init("enforcing", .bool(decision.enforcing)),
      .init(
        "rule",
        [
          "line": decision.line.map { .integer(Int64($0)) } ?? nil, "text": .string(decision.ruleText),
          "reason": .string(decision.reason.rawValue),
        ]),
    ]
    members += decision.enforcementMembers + (outcome.shadow?.jsonMembers ?? [])
    members += outcome.ruling.unknownDenials.jsonMembers
    members += [
      .init("provenance", .object(outcome.evidence.json)),
      .init("relocation", outcome.answersRecords ? "user" : "kernel"),
      .init("core_relocations", .integer(Int64(outcome.coreRelocationCount))),
      .init("instructions", .integer(Int64(outcome.instructionCount))),
      .init("linked_instructions", .integer(Int64(outcome.editedInstructionCount))),
      .init("kernel_edits", .array(outcome.kernelEdits.map(\.json))),
      .init("type_edits", .array(outcome.typeEdits.map(\.json))),
      .init("types", outcome.submittedTypes?.json ?? .null),
    ]
    if outcome.objectOptions.mapEntries.isEmpty { members.append(.init("map_entries", [])) }
    members += outcome.objectOptions.members
    if !outcome.variables.isEmpty { members.append(.init("variables", .array(outcome.variables.map(\.json)))) }
    let programs = outcome.loadedPrograms
    let maps = outcome.loadedMaps
    members += [
      .init("programs", .array(programs.map(\.json))), .init("maps", .array(maps.map(\.json))),
      .init("attachments", .array(outcome.attachments.map(\.json))),
      .init("pins", .array(outcome.pinnedPaths.map { .string($0) })),
      .init("replaced", outcome.replaced?.json ?? .null), .init("dry_run", .bool(dryRun)),
      .init("not_checked", .array(outcome.unknown.map { .string($0) })),
      .init("kernel_verified", .optional(outcome.verifiedBy?.name)),
    ]
    if let ended = outcome.ended { members.append(.init("ended_objects", ended.json)) }
    return .object(members)
  }
}

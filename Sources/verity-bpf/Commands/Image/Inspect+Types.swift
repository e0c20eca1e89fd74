import Admission
import BPFAnalysis
import BPFObject
import Base
import KernelABI

/// What there is to say about an object's type information.
extension ObjectReport {
  private static let listedEdits = 20

  /// For people: whether there is any, and what the kernel does not take of it.
  var typesLines: [String] {
    guard typesSize > 0 else {
      return [
        Output.row("types", "none: no names of functions, no source lines and no CO-RE relocations for the kernel")
      ]
    }
    let need = needOfTypes.map { "needed: \($0)" } ?? "not needed to load the object"
    var lines = [Output.row("types", "\(typesSize) bytes, \(need)")]
    for edit in typeEdits.prefix(Self.listedEdits) {
      let name = edit.name.isEmpty ? "" : " `\(edit.name)`"
      lines.append(Output.row("changed", "type \(edit.type), \(edit.kind.name)\(name): \(edit.change.text)"))
    }
    if typeEdits.count > Self.listedEdits {
      lines.append(Output.row("changed", "and \(typeEdits.count - Self.listedEdits) more (--json lists them)"))
    }
    return lines
  }

  var typesJSON: JSONValue {
    [
      "size": .integer(Int64(typesSize)), "needed_by": .optional(needOfTypes),
      "edits": .array(typeEdits.map(\.json)),
    ]
  }

  var pointersJSON: JSONValue {
    .array(
      dataPointers.map { pointers in
        [
          "section": .string(pointers.section), "variable": .optional(pointers.variable),
          "offset": .integer(Int64(pointers.offset)), "count": .integer(Int64(pointers.count)),
          "targets": .array(pointers.targets.map { .string($0) }), "zero": .bool(pointers.areZero),
          "users": .array(
            pointers.users.map {
              ["program": .string($0.program), "instruction": .integer(Int64($0.instruction))]
            }),
        ]
      })
  }
}

extension TypeEdit.Change {
  /// What the kernel gets in its place, in words.
  var text: String {
    switch self {
    case .name: "its name is no C identifier, and gets `_` for what none has"
    case .elementName: "a name in it is no C identifier, and gets `_` for what none has"
    case .missingName: "it, or something in it, has no name and must have one"
    case .parameterName: "a parameter has no name, and is called `arg` and its number"
    case .surplusName: "it has a name and must have none"
    case .memberOrder: "its members are not listed in the order they lie in"
    case .unionOffsets: "not all members of the union begin where it does: a structure"
    case .linkage: "it is defined elsewhere, and counts as defined here"
    case .encoding: "the integer has several encodings, and keeps at most that of signed ones"
    case .kind: "the kernel is too old for such types, and gets an older kind of the same size"
    case .flag: "the kernel is too old for a mark on it, which is left off"
    }
  }
}

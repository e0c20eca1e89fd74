internal import KernelABI
public import BPFObject
public import Base

extension TypeEdit {
  /// One form for the audit record and for what commands print.
  public var json: JSONValue {
    [
      "type": .integer(Int64(type)), "kind": .string(kind.name), "name": .string(name),
      "change": .string(change.rawValue),
    ]
  }
}

extension SubmittedTypes {
  /// What became of the object's types: for the record of a load and for what commands print.
  public var json: JSONValue {
    switch self {
    case .asLinked: ["submitted": "as-linked"]
    case .adapted(let edits): ["submitted": "adapted", "edits": .array(edits.map(\.json))]
    case .leftOut(let reason): ["submitted": "left-out", "reason": .string(reason)]
    case .absent: ["submitted": "none"]
    }
  }
}

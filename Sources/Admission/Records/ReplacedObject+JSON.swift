public import Base
public import Loader

extension ReplacedObject {
  /// One form for the audit record and for what commands print.
  public var json: JSONValue {
    func list(_ names: [String]) -> JSONValue { .array(names.map { .string($0) }) }
    var members: [JSONValue.Member] = [
      .init("carried_maps", list(carriedMaps)), .init("fresh_maps", list(freshMaps)),
      .init("moved_links", list(movedLinks)), .init("doubled_links", list(doubledLinks)),
      .init("ended_links", list(endedLinks)), .init("remaining", list(remaining)),
    ]
    if !collected.isEmpty { members.append(.init("collected", list(collected))) }
    return .object(members)
  }
}

extension EndedObjects {
  /// One form for the audit record, which knows of nothing that remains, and for what commands print.
  public var json: JSONValue {
    func list(_ names: [String]) -> JSONValue { .array(names.map { .string($0) }) }
    return ["pin_paths": list(directories), "remaining": list(remaining)]
  }
}

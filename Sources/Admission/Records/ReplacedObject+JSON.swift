public import Base
public import Loader

extension ReplacedObject {
  /// One form for the audit record and for what commands print.
  public var json: JSONValue {
    func list(_ names: [String]) -> JSONValue { .array(names.map { .string($0) }) }
    return [
      "carried_maps": list(carriedMaps), "fresh_maps": list(freshMaps), "moved_links": list(movedLinks),
      "doubled_links": list(doubledLinks), "ended_links": list(endedLinks), "remaining": list(remaining),
    ]
  }
}

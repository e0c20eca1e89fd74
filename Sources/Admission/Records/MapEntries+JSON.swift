public import Loader
public import Base

extension MapEntries {
  /// One form for the audit record and for what commands print.
  public var json: JSONValue { ["map": .string(map), "entries": .integer(Int64(entries))] }
}

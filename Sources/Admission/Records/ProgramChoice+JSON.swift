public import Base
internal import Linux
public import Loader

extension ProgramChoice {
  /// One form for the audit record and for what commands print; empty where everything is left to the object.
  public var members: [JSONValue.Member] {
    [("chosen_programs", only), ("programs_left_out", without), ("attached_programs", attached)]
      .filter { !$0.1.isEmpty }
      .map { name, patterns in .init(name, .array(patterns.map { .string($0.text) })) }
  }
}

/// The names of map, program and attach types by their numbers, for who prints whatever number an object or the kernel
/// gives. What decides by a type asks ``MapType``, ``ProgramType`` and ``AttachType``.
public enum TypeNames {
  /// The name of an `enum bpf_map_type`, or its number.
  public static func map(_ type: UInt32) -> String { MapType.describe(type) }

  /// The name of an `enum bpf_prog_type`, or its number.
  public static func program(_ type: UInt32) -> String { ProgramType.describe(type) }

  /// The name of an `enum bpf_attach_type`, or its number.
  public static func attach(_ type: UInt32) -> String { AttachType.describe(type) }

  /// `enum bpf_map_type`; a number is its name's index.
  public static let maps = MapType.allCases.map(\.name)

  /// `enum bpf_prog_type`; a number is its name's index.
  public static let programs = ProgramType.allCases.map(\.name)

  /// `enum bpf_attach_type`; a number is its name's index.
  public static let attachTypes = AttachType.allCases.map(\.name)
}

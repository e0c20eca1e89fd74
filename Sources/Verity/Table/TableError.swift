public import Base

/// Why a device-mapper table could not be understood. What is not understood is not trusted.
public enum TableError: Error, Equatable, Sendable {
  /// The list of targets does not hold together (struct dm_target_spec, include/uapi/linux/dm-ioctl.h).
  case targets(reason: String)
  /// The device is not made of exactly one target.
  case targetCount(Int)
  /// The one target is of another type.
  case targetType(String)
  /// A verity target's parameters do not read as the kernel writes them.
  case parameters(text: String, reason: String)
  /// A verity target's state is neither `V` nor `C`.
  case state(text: String)
}

extension TableError: Diagnosable {
  public var diagnostic: Diagnostic {
    switch self {
    case .targets(let reason):
      Diagnostic("dm-table.targets", .integrity, "the device-mapper's list of targets cannot be read: \(reason)")
    case .targetCount(let count):
      Diagnostic(
        "dm-table.target-count", .integrity, "the device is made of \(count) targets",
        expected: "exactly one verity target", found: "\(count) targets",
        why: "what is beside the verity target is not under its root hash")
    case .targetType(let type):
      Diagnostic(
        "dm-table.target-type", .integrity, "the device is a \(type) target, whatever its name and UUID say",
        expected: "a verity target directly under the file system", found: type,
        why: "a device on top of a verity device is not verified itself")
    case .parameters(let text, let reason):
      Diagnostic(
        "dm-table.parameters", .integrity, "the verity table cannot be understood: \(reason)", found: "`\(text)`")
    case .state(let text):
      Diagnostic(
        "dm-table.state", .integrity, "the verity target's state cannot be understood", expected: "V or C",
        found: "`\(text)`")
    }
  }
}

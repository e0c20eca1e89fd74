internal import Base

// Reading rows back from a gate's maps.

extension GateTables {
  /// What the row of an executable lets it do, as far as modes differ in it.
  public enum Rights: Equatable, Sendable {
    case judging, listed
    /// Kernel modules of its volume.
    case modules
    /// Only programs of some types, or nothing.
    case other
  }

  public static func rights(of row: Entry) -> Rights {
    guard let bits = try? row.value.rawSpan.u32(at: 0) else { return .other }
    if bits & GateLayout.Right.judging != 0 { return .judging }
    if bits & GateLayout.Right.modules != 0 { return .modules }
    return bits & GateLayout.Right.listed != 0 ? .listed : .other
  }

  /// The row with a loader's right in another mode; a row of no loader is returned as it is.
  public static func changing(_ row: Entry, to mode: GateRequest.Mode) -> Entry {
    switch rights(of: row) {
    case .judging, .listed: break
    case .modules, .other: return row
    }
    guard let bits = try? row.value.rawSpan.u32(at: 0) else { return row }
    let right =
      switch mode {
      case .loader: GateLayout.Right.judging
      case .digests: GateLayout.Right.listed
      }
    var value = row.value
    value.storeLittleEndian(bits & ~(GateLayout.Right.judging | GateLayout.Right.listed) | right, at: 0)
    return Entry(key: row.key, value: value)
  }

  /// What the row of instructions says of them.
  public struct DigestKind: Equatable, Sendable {
    /// Whether the kernel changes them by CO-RE records.
    public let isRelocated: Bool
    /// Whether the row says what it makes of them, and whether in eight bytes.
    public let isPredicted: Bool
    public let isShort: Bool
  }

  public static func digest(of row: Entry) -> DigestKind {
    let records = (try? row.key.rawSpan.u32(at: 40)) ?? 1
    let flags = (try? row.value.rawSpan.u32(at: 64)) ?? 0
    let isPredicted = records > 0 && flags & GateLayout.DigestFlag.afterCore != 0
    return DigestKind(
      isRelocated: records > 0, isPredicted: isPredicted,
      isShort: isPredicted && flags & GateLayout.DigestFlag.tag != 0)
  }

  /// The number of a program of the gate; nil for another part.
  public static func program(ofPart row: Entry) -> UInt32? {
    guard let kind = try? row.key.rawSpan.u32(at: 0), kind == GateLayout.Part.program.rawValue else { return nil }
    return try? row.key.rawSpan.u32(at: 4)
  }
}

public import Base
public import Linux

/// An active dm-verity device as the kernel's own table describes it: the kernel's witness.
///
/// A device's name and UUID are what its maker chose and prove nothing; the table does.
public struct VolumeFacts: Equatable, Sendable {
  /// Why the kernel's word about a volume is worth less than it seems.
  public enum Doubt: String, Sendable, CaseIterable {
    /// `ignore_corruption`: blocks that do not verify are handed out all the same.
    case ignoresCorruption = "ignores-corruption"
    /// A block that does not verify has been seen.
    case corruptionSeen = "corruption-seen"
    /// `check_at_most_once`: what changed after the first read goes unnoticed.
    case checksAtMostOnce = "checks-at-most-once"
  }

  public let device: DeviceNumber
  public let name: String
  public let uuid: String
  /// The root hash of the active table.
  public let rootHash: Digest
  public let salt: [UInt8]
  /// The devices under it, which hold data and tree.
  public let dataDevice: DeviceNumber
  public let hashDevice: DeviceNumber
  /// `EIO`, `RESTART`, `PANIC` or `LOGGING`: what happens to a block that does not verify.
  public let mode: String
  /// `ignore_zero_blocks`: sound, because only a block whose hash is that of zeros is taken for zeros.
  public let ignoresZeroBlocks: Bool
  /// Whether blocks may be repaired; what is repaired is hashed again.
  public let correctsErrors: Bool
  /// Whether the kernel took a signature of the root hash when the table was loaded.
  public let isSigned: Bool
  /// Whether that signature could be by a key that root added to the `.dm-verity` keyring at run time.
  public let keyring: KeyringSeal
  public let doubts: [Doubt]
  /// Another table is loaded and takes over at the next resume.
  public let hasPendingTable: Bool
  /// The device-mapper's count of events.
  public let eventNumber: UInt32
  /// Changes when the device is removed and made anew; not when its table is replaced.
  public let diskSequence: UInt64?
  /// The active table's parameters, as the kernel wrote them.
  public let table: String

  /// Whether root could have added the key that signed, or it is not known that it could not.
  public var isKeyringUnsealed: Bool { keyring != .sealed }
  /// Whether the kernel checks every block that it hands out, and has found no fault.
  public var kernelVouches: Bool { doubts.isEmpty }
  /// Whether a key vouches for the root hash that nobody could have added since the machine started.
  public var isVouchedByKernelKey: Bool { isSigned && kernelVouches && !isKeyringUnsealed }
}

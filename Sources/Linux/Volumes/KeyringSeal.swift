internal import KernelABI

/// Whether root could have added the key that took a volume's signature to the `.dm-verity` keyring (Linux 7.0).
///
/// The module says it of itself, and so of the time since it was loaded. A volume that another module had set up before is
/// not meant, whatever the one that is loaded now says.
public enum KeyringSeal: Equatable, Sendable {
  /// The module closed the keyring before anything could be added, or has none.
  case sealed
  /// It was left open (`keyring_unsealed`).
  case unsealed
  /// It is not known, which counts as unsealed.
  case unknown(Reason)

  /// Why it is not known.
  public enum Reason: String, Sendable, CaseIterable {
    /// The kernel could not be asked.
    case hidden
    /// A module was removed by force since the machine started (taint flag R): it may have been dm-verity, under its
    /// volumes.
    case moduleRemoved = "module-removed"
    /// The module was loaded after the volume was made.
    case moduleYounger = "module-younger"
  }

  /// Asks about the ring that took the signature of a device's table.
  public static func ask(about device: DeviceNumber) -> KeyringSeal {
    switch KernelFile.read(.keyringUnsealed) {
    case .text("N"): break
    case .text: return .unsealed
    case .unknown: return .unknown(.hidden)
    // Before 7.0 the module had no such keyring, and so no such parameter, but others that every version has.
    case .absent: guard KernelFile.text(.prefetchCluster) != nil else { return .unknown(.hidden) }
    }
    do throws(SystemError) {
      return judge(
        tainted: try KernelFile.askNumber(.taint), module: try KernelFile.order(of: .verityModule),
        volume: try KernelFile.order(of: .blockDevice, device.description))
    } catch {
      return .unknown(.hidden)
    }
  }

  /// Whether a module that says of itself that the ring was closed says it of a volume too.
  ///
  /// - Parameters:
  ///   - tainted: kernel.tainted.
  ///   - module: where the module stands in the order in which sysfs made its directories; nil when it has none.
  ///   - volume: the same of the volume's device, which is there since its first table was loaded.
  static func judge(tainted: UInt64?, module: UInt64?, volume: UInt64?) -> KeyringSeal {
    guard let tainted, let module, let volume else { return .unknown(.hidden) }
    if Taint.forcedRemoval.isSet(in: tainted) { return .unknown(.moduleRemoved) }
    return module < volume ? .sealed : .unknown(.moduleYounger)
  }
}

public import KernelABI

/// Which of the kernel's keys a signature is to be checked with.
public struct KernelKeyring: Equatable, Sendable {
  /// As BPF_PROG_LOAD takes it (`keyring_id`): 0, 1 and 2 as in include/linux/verification.h, else a serial.
  public let id: Int32
  /// As the user said it: `platform`, or the serial.
  public let name: String

  /// The kernel's own keyring of that number; nil for one that its user fills. Whoever asks for a load names the keyring,
  /// so what such a ring vouches for is nothing that a rule may rest on.
  public var ring: Keyring? { Keyring.allCases.first { $0.verificationID == id } }

  /// The kernel's own by their words in policies, in small letters.
  private static let named: [(name: String, id: Int32)] =
    Keyring.allCases.compactMap { ring in
      guard let id = ring.verificationID, let word = ring.policyWord else { return nil }
      return (word.lowercased(), id)
    } + [(CallersKeyring.session.name, CallersKeyring.session.rawValue)]

  /// `builtin`, `secondary`, `platform`, `session`, or the serial of a keyring in decimal; nil for anything else.
  public init?(_ text: String) {
    if let known = Self.named.first(where: { $0.name == text }) {
      (id, name) = (known.id, known.name)
    } else {
      // What is at most 2 are the kernel's own keyrings or special ids, which have names.
      guard let serial = Int32(text), serial > 2, "\(serial)" == text else { return nil }
      (id, name) = (serial, text)
    }
  }
}

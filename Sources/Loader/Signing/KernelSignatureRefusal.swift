internal import KernelABI
internal import Base
internal import Linux
internal import Signatures

/// Why a load that the kernel was to check a signature of was not made.
public enum KernelSignatureRefusal: Error, Equatable, Sendable {
  /// The object carries no signature of a program, or none of the form that the kernel takes.
  case missing(program: String)
  /// This kernel cannot check signatures of programs; `answer` is the errno's name.
  case unsupported(answer: String)
  /// It takes a program with a signature of something else: it checks nothing.
  case notChecked
  /// The probe itself was refused.
  case probe(answer: String)
  /// There is no such keyring.
  case keyring(KernelKeyring)
  /// No key of the keyring made the signature.
  case unknownKey(KernelKeyring)
  /// The signature is of something else; nil for a program means the probe.
  case rejected(program: String, KernelKeyring)
  /// It is no message that the kernel understands.
  case malformed(program: String)
  /// The kernel wants the contents of the maps signed too (7.3).
  case mapsNotCovered(program: String, reason: String)

  /// What an errno of a load with a signature stands for; nil when it is not about the signature.
  ///
  /// - Parameter log: the verifier's log, where 7.3 says why. Signatures are looked at before the verifier begins, so
  ///   that a number which a log comes with is about the program.
  init?(_ error: SystemError, program: String, keyring: KernelKeyring, log: String) {
    switch error.code {
    case .ekeyrejected: self = .rejected(program: program, keyring)
    case .enokey: self = .unknownKey(keyring)
    case .ebadmsg: self = .malformed(program: program)
    case .eopnotsupp where log.isEmpty, .e2big where log.isEmpty: self = .unsupported(answer: error.errnoName)
    case .eacces, .eperm, .einval:
      let line = log.split(separator: "\n").first { line in
        Self.complaintsOfMaps.contains { line.mentions($0) }
      }
      guard let line else { return nil }
      self = .mapsNotCovered(program: program, reason: String(line))
    default: return nil
    }
  }

  /// What Linux 7.3 says of a signed program whose maps are not under the signature.
  private static let complaintsOfMaps = ["signed program", "metadata map"]
}

/// Whether this kernel checks the signatures of programs at all, asked before anything rests on it.
enum KernelSignatureProbe {
  /// Hands the kernel a program that does nothing with a signature of something else. A kernel that takes it looks at no
  /// signature; one that has the key says that the signature is wrong.
  static func run(_ signature: KernelSignature, keyring: KernelKeyring) throws(KernelSignatureRefusal) {
    if let answer = KernelProbes.loadProgram(signature: nil) { throw .probe(answer: answer) }
    switch KernelProbes.loadProgram(signature: signature.message, keyring: keyring.id) {
    case nil: throw .notChecked
    case "EKEYREJECTED": return
    case "ENOKEY": throw .unknownKey(keyring)
    case "EBADMSG": throw .malformed(program: signature.program)
    case "EINVAL": throw .keyring(keyring)
    case let answer?: throw .unsupported(answer: answer)
    }
  }
}

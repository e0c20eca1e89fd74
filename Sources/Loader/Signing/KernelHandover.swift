internal import BPFObject
internal import Signatures

/// The signatures that go to the kernel with an object's programs, and the keys it is to check them with.
///
/// There is one only after the kernel has shown that it checks signatures. A load that has one gives the kernel no program
/// without its signature, so a rule may rest on the kernel's check before the kernel has made it: where the check fails,
/// nothing is loaded.
public struct KernelHandover: Sendable {
  public let keyring: KernelKeyring
  let signatures: [KernelSignature]

  private init(_ signatures: [KernelSignature], _ keyring: KernelKeyring) {
    self.signatures = signatures
    self.keyring = keyring
  }

  /// Reads the signatures that an object carries, and asks the kernel whether it would look at them.
  ///
  /// - Throws: ``BPFLoadError/objectSignature(_:)`` for a section that is damaged, ``BPFLoadError/kernelSignature(_:)`` when
  ///   a program has no signature, or the kernel does not check any.
  static func confirmed(
    of object: RawSpan, _ linked: LinkedObject, keyring: KernelKeyring
  ) throws(BPFLoadError) -> KernelHandover {
    let signatures: [KernelSignature]
    do throws(ObjectSignatureError) {
      signatures = try ObjectSigner.kernelSignatures(of: object)
    } catch {
      throw .objectSignature(error)
    }
    for program in linked.programs where !program.kind.isOptional && program.linkError == nil {
      guard signatures.contains(where: { $0.program == program.name && $0.form == .instructions }) else {
        throw .kernelSignature(.missing(program: program.name))
      }
    }
    if let sample = signatures.first {
      do throws(KernelSignatureRefusal) {
        try KernelSignatureProbe.run(sample, keyring: keyring)
      } catch {
        throw .kernelSignature(error)
      }
    }
    return KernelHandover(signatures, keyring)
  }

  /// What is handed over with one program; nil when there is no signature of that form.
  func signature(of program: LinkedProgram, _ form: KernelSignature.Form) -> KernelSignature? {
    // A program without maps has nothing that the other form would add.
    let wanted = program.usesMaps ? form : .instructions
    return signatures.first { $0.program == program.name && $0.form == wanted }
  }
}

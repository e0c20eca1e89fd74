internal import BPFObject
internal import Base
@_spi(ProgramLoading) internal import Linux
internal import Signatures

/// The signatures of one load, in the form that is tried.
struct ProgramSigning {
  let keyring: KernelKeyring
  /// SHA-256 of the instructions of the one program that the maps are made for; empty where any may use them.
  let exclusiveProgram: [UInt8]
  private let signatures: [String: BPF.ProgramSignature]

  /// - Throws: ``BPFLoadError/kernelSignature(_:)`` when a program has no signature of the form.
  init(
    _ programs: [LinkedProgram], _ handover: KernelHandover, form: KernelSignature.Form
  ) throws(BPFLoadError) {
    keyring = handover.keyring
    var signatures: [String: BPF.ProgramSignature] = [:]
    for program in programs {
      guard let signature = handover.signature(of: program, form),
        let handed = BPF.ProgramSignature(message: signature.message, keyring: keyring.id)
      else { throw .kernelSignature(.missing(program: program.name)) }
      signatures[program.name] = handed
    }
    self.signatures = signatures
    guard form == .instructionsAndMaps, let program = programs.first else {
      exclusiveProgram = []
      return
    }
    do throws(HashingError) {
      exclusiveProgram = try Digest.of(program.instructions.rawSpan).bytes
    } catch {
      throw .objectSignature(.hashing(error))
    }
  }

  /// Signs a program that is about to be loaded, and binds it to the maps as the form wants it.
  func sign(
    _ program: LinkedProgram, _ attributes: inout BPF.ProgramAttributes, descriptors: [KernelObject]
  ) throws(BPFLoadError) {
    guard let signature = signatures[program.name] else {
      throw .kernelSignature(.missing(program: program.name))
    }
    attributes.signature = signature
    if !exclusiveProgram.isEmpty { attributes.boundCount = UInt32(clamping: descriptors.count) }
  }
}

public import Base
internal import KernelABI

extension KernelSignatureRefusal: Diagnosable {
  private static let withoutKernel =
    "load without --keyring: the policy then decides by what this program can check itself"

  public var diagnostic: Diagnostic {
    switch self {
    case .missing(let program):
      Diagnostic(
        "kernel-signature.missing", .integrity,
        "the object carries no signature of program `\(program)` for the kernel",
        expected: "one in the section `.bpf_sig`", next: "`verity-bpf sign file` says which programs can have one")
    case .unsupported(let answer):
      Diagnostic(
        "kernel-signature.unsupported", .unsupported, "this kernel cannot check the signature of a program",
        expected: "Linux 6.18 or later, built with system keyrings", found: answer, next: Self.withoutKernel)
    case .notChecked:
      Diagnostic(
        "kernel-signature.not-checked", .unsupported, "this kernel looks at no signature of a program",
        expected: "a refusal of a signature of something else", found: "the program was taken",
        why: "what it would say of the right signature means nothing", next: Self.withoutKernel)
    case .probe(let answer):
      Diagnostic(
        "kernel-signature.probe", .kernelRefused, "the kernel takes no program that does nothing from this process",
        found: answer, next: "run it as root, or see `verity-bpf doctor`")
    case .keyring(let keyring):
      Diagnostic(
        "kernel-signature.keyring", .kernelRefused, "the kernel has no keyring `\(keyring.name)`",
        expected: "builtin, secondary, platform, session, or the serial of a keyring", found: "EINVAL",
        next: "\(KernelStatement.keyTable.place()) lists the keyrings; serials are hexadecimal there")
    case .unknownKey(let keyring):
      Diagnostic(
        "kernel-signature.unknown-key", .kernelRefused,
        "no key of the kernel's keyring `\(keyring.name)` made the object's signature", found: "ENOKEY",
        next: "name the keyring that holds the signer's certificate, or sign with a key that the kernel has")
    case .rejected(let program, let keyring):
      Diagnostic(
        "kernel-signature.rejected", .kernelRefused,
        "the kernel says that the signature of program `\(program)` is not of these instructions",
        expected: "a signature by a key of the keyring `\(keyring.name)` over what is loaded", found: "EKEYREJECTED",
        next: "get the object again from who signed it; a signature of another program does not fit")
    case .malformed(let program):
      Diagnostic(
        "kernel-signature.malformed", .kernelRefused,
        "the signature of program `\(program)` is no message that the kernel understands",
        expected: "a detached PKCS#7 message in DER", found: "EBADMSG", next: "sign the object again")
    case .mapsNotCovered(let program, let reason):
      Diagnostic(
        "kernel-signature.maps", .kernelRefused,
        "the kernel does not take the signature of program `\(program)` for its maps", found: reason,
        why:
          "this kernel (7.3) wants the contents of all maps signed, which is possible for arrays of one entry that a single "
          + "program uses; others would need a signed program that loads them",
        next: "use only global variables in the program, or " + Self.withoutKernel)
    }
  }
}

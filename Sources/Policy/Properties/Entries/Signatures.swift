/// What came of checking signatures.
extension PropertyEntry {
  static let bpfSignature = PropertyEntry(
    form: WordForm(fact: Fact({ $0.bpfSignature }, { $0.bpfSignature = $1 })), placeholder: "VERDICT",
    isAboutPrograms: true, absence: .values([.word("UNSIGNED"), .word("NONE")]), producer: .signatures,
    reference: {
      PropertyReference(
        "What came of checking the program's own signature: `UNSIGNED`, `OK`, `BADSIG`, `UNKNOWNKEY`, `PARTIALSIG`, `UNEXPECTED`, `FAULT`, `NONE`.",
        details:
          "`VERIFIED` is another name of `OK`; `METADATA_VERIFIED` is stronger and satisfies both, because the signature covers the initial contents of the maps too. `EXPIRED` is this project's own word: the signature holds, by a certificate that is not valid today; a policy that takes such signatures has a rule that says so. No rule that allows takes one otherwise, `bpf_keyring=` neither. The signature is the object's own, see `signatures.md`; it is looked for in objects on images too. With `load --keyring` the kernel checks each program as well; it checks the instructions and nothing else, so its word alone makes a program that would be `UNKNOWNKEY` only `PARTIALSIG`: the contents of its maps, its CO-RE records, its type and its attach target are signed by nobody who is known. It is `OK` by the kernel's word where it has neither maps nor CO-RE records and lies in an image whose root hash is signed, so that its type and target are vouched for too. Nothing makes `BADSIG` or `EXPIRED` into `OK`.",
        .init(
          "bpf_signature=OK",
          cases: [
            .allowed("verified", "bpf_signature=VERIFIED"),
            .allowed("maps too", "bpf_signature=METADATA_VERIFIED"),
            .denied("instructions only", "bpf_signature=PARTIALSIG"),
            .denied("unsigned", "bpf_signature=UNSIGNED"),
          ]))
    })

  static let bpfKeyring = PropertyEntry(
    form: WordForm(fact: Fact({ $0.bpfKeyring }, { $0.bpfKeyring = $1 })), placeholder: "RING", isAboutPrograms: true,
    absence: .unknown, producer: .signatures, isVoid: { $0.bpfSignature == .expired },
    reference: {
      PropertyReference(
        "Where the key of that signature was found: `BUILTIN`, `SECONDARY`, `PLATFORM`, `USER`, `BPF` (the `.bpf` keyring) or `DM_VERITY`.",
        details:
          "For a signature checked here it is the set of trust anchors that the certificate is in, `BPF` or `USER`; the other words only the kernel can say (`load --keyring builtin|secondary|platform`), for a program that is `OK` by its word alone.",
        .init(
          "bpf_signature=OK bpf_keyring=BUILTIN",
          cases: [
            .allowed("built in", "bpf_signature=OK bpf_keyring=BUILTIN"),
            .denied("the caller's own key", "bpf_signature=OK bpf_keyring=USER"),
          ]))
    })

  static let signatureSource = PropertyEntry(
    form: WordForm(fact: Fact({ $0.signatureSources }, { $0.signatureSources = $1 })), absence: .fewer,
    producer: .signatures,
    loaderOption: { $0 == .word("USERSPACE") ? nil : "CONFIG_DM_VERITY_VERIFY_ROOTHASH_SIG" },
    reference: {
      PropertyReference(
        "Who checked a signature that holds: of the root hash, of the object, or of its fs-verity digest.",
        details:
          "`KERNEL` is what `dmverity_signature` says, or the kernel's check of a program that is `bpf_signature=OK` (`load --keyring`); `USERSPACE` is this program, against the trust anchors for what was signed (`signatures.md`). `BOTH` says that each checked one, not that both checked the same. Without a check the fact is not known, and the property does not hold. Name the signer too: this property alone means everybody among the anchors.",
        .init(
          "x_sig_source=USERSPACE",
          cases: [
            .allowed("checked here", "x_sig_source=USERSPACE"),
            .denied("the kernel alone checked one", "x_sig_source=KERNEL"),
            .denied("nobody looked", ""),
          ]))
    })

  static let signer = PropertyEntry(
    form: DigestSetForm(
      fact: Fact({ $0.signers.isEmpty ? nil : $0.signers }, { $0.signers = $1 }),
      doubted: Fact({ $0.doubtedSigners }, { $0.doubtedSigners = $1 })),
    absence: .fewer, producer: .signatures,
    reference: {
      PropertyReference(
        "SHA-256 of the DER certificate of a signer of the root hash or of the object. The signature was checked in user space and holds, and the certificate is valid today.",
        details:
          "With several signers, one of them is enough; a rule with two `x_signer=` asks for both. Rules that deny also go by a signer whose certificate is not valid today, and by who signed the root hash of a volume that is in doubt.",
        .init(
          "x_signer=\(exampleDigest)",
          cases: [
            .allowed("one of two signers", "x_signer=\(otherDigest),\(exampleDigest)"),
            .denied("another signer", "x_signer=\(otherDigest)"),
          ]))
    })
}

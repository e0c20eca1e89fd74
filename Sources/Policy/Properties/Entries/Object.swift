/// What the object is, and where it lies.
extension PropertyEntry {
  static let fsverityDigest = PropertyEntry(
    form: DigestForm(
      algorithms: ["sha256", "sha512"], fact: Fact({ $0.fsverityDigest }, { $0.fsverityDigest = $1 })),
    isKernel: true, isOfOneFile: true, absence: .unknown, producer: .file, ipeOption: "CONFIG_IPE_PROP_FS_VERITY",
    loaderOption: { _ in "CONFIG_FS_VERITY" },
    reference: {
      PropertyReference(
        "The fs-verity digest of the file (IPE), sha256 or sha512.",
        details:
          "The kernel names it for the open file, and verity-bpf computes it again over the bytes that it has read; `fsverity digest FILE` prints it. Block size and salt are part of it.",
        .init(
          "fsverity_digest=\(exampleDigest)",
          cases: [
            .allowed("this file", "fsverity_digest=\(exampleDigest)"),
            .denied("another file", "fsverity_digest=\(otherDigest)"),
          ]))
    })

  static let fsveritySignature = PropertyEntry(
    form: FlagForm(fact: Fact({ $0.fsveritySignature }, { $0.fsveritySignature = $1 })), isKernel: true,
    absence: .values([.flag(false)]), producer: .file, ipeOption: "CONFIG_IPE_PROP_FS_VERITY_BUILTIN_SIG",
    loaderOption: { $0 == .flag(true) ? "CONFIG_FS_VERITY_BUILTIN_SIGNATURES" : nil },
    reference: {
      PropertyReference(
        "Whether the kernel checked a built-in signature of the fs-verity digest (IPE), by a key in its `.fs-verity` keyring.",
        details:
          "Root may fill that ring until it is restricted, under lockdown too; where that counts, ask for `x_signer=` or `x_sig_source=USERSPACE` besides, which the trust anchors of verity-bpf decide.",
        .init(
          "fsverity_signature=TRUE",
          cases: [
            .allowed("signed", "fsverity_signature=TRUE"),
            .denied("not signed", "fsverity_signature=FALSE"),
          ]))
    })

  static let path = PropertyEntry(
    form: PathForm(fact: Fact({ $0.path }, { $0.path = $1 })), isAboutVolume: true, absence: .unknown,
    producer: .object,
    reference: {
      PropertyReference(
        "The object's path in its image, from the image's root.",
        details:
          "`*` and `?` match within a name, `**` across names. It is the path under the root hash, not the one it was opened by.",
        .init(
          "x_path=/progs/**/*.bpf.o",
          cases: [
            .allowed("below progs", "x_path=/progs/net/xdp.bpf.o"),
            .denied("elsewhere", "x_path=/attic/xdp.bpf.o"),
          ]))
    })

  static let object = PropertyEntry(
    form: DigestForm(algorithms: ["sha256"], fact: Fact({ $0.object }, { $0.object = $1 })), isOfOneFile: true,
    absence: .given, producer: .object,
    reference: {
      PropertyReference(
        "SHA-256 of the object file.",
        details:
          "Made for revocation on images, whose files are what they are: a DENY for a digest, before the rule that allows its volume. A file on no image can be stripped or given other bytes that its signature is not over, and has another digest then: revoke such an object by what is signed (`signatures.md`, the list `revoked`).",
        .init(
          "x_object=\(exampleDigest)",
          cases: [
            .allowed("this object", "x_object=\(exampleDigest)"),
            .denied("another", "x_object=\(otherDigest)"),
          ]))
    })

  static let imageName = PropertyEntry(
    form: TextForm(fact: Fact({ $0.imageName }, { $0.imageName = $1 })), isAboutVolume: true, absence: .unknown,
    producer: .manifest,
    reference: {
      PropertyReference(
        "The image's name from the manifest inside it, so from under the root hash.",
        .init(
          "dmverity_signature=TRUE x_image_name=bpf-tools",
          cases: [
            .allowed("the tools", "dmverity_signature=TRUE x_image_name=bpf-tools"),
            .denied("another signed image", "dmverity_signature=TRUE x_image_name=games"),
          ]))
    })

  static let imageVersionMin = PropertyEntry(
    form: VersionForm(fact: Fact({ $0.imageVersion }, { $0.imageVersion = $1 })), factName: "x_image_version",
    isAboutVolume: true, absence: .unknown, producer: .manifest,
    reference: {
      PropertyReference(
        "The image's version from the same place is not lower.",
        details: "Numbers are compared part by part; missing parts are zero. The fact is called `x_image_version`.",
        .init(
          "dmverity_signature=TRUE x_image_name=bpf-tools x_image_version_min=1.4",
          cases: [
            .allowed("newer", "dmverity_signature=TRUE x_image_name=bpf-tools x_image_version=1.10.0"),
            .denied(
              "an old image, validly signed", "dmverity_signature=TRUE x_image_name=bpf-tools x_image_version=1.3.9"),
          ]))
    })
}

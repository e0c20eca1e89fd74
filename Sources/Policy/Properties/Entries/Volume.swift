/// What the volume or image says that holds the object.
extension PropertyEntry {
  static let bootVerified = PropertyEntry(
    form: FlagForm(fact: Fact({ $0.bootVerified }, { $0.bootVerified = $1 })), isKernel: true, absence: .unknown,
    producer: .none,
    substitute: .dmverityRoothash, ipeOption: "CONFIG_BLK_DEV_INITRD",
    reference: {
      PropertyReference(
        "Whether the file is on the file system that held the initramfs when it was unpacked (IPE).",
        details: "It stays TRUE for whatever is written there later, so use it for the first boot stage only.",
        .init(
          "boot_verified=TRUE", operation: .execute,
          cases: [
            .allowed("from the initramfs", "boot_verified=TRUE"),
            .denied("from elsewhere", "boot_verified=FALSE"),
            .denied("nobody knows", ""),
          ]))
    })

  static let dmverityRoothash = PropertyEntry(
    form: DigestForm(algorithms: nil, fact: Fact({ $0.dmverityRoothash }, { $0.dmverityRoothash = $1 })),
    isKernel: true, isAboutVolume: true, absence: .unknown, producer: .volume, ipeOption: "CONFIG_IPE_PROP_DM_VERITY",
    reference: {
      PropertyReference(
        "The root hash of the dm-verity volume that the bytes come from (IPE).",
        details:
          "Algorithm and digest are compared exactly; the case of the digits does not matter. Every such rule is found by its digest: a policy with 100,000 of them decides as fast as one with ten. Who vouches for the root hash is `x_witness`. It is known of every volume whose blocks were verified here; while the volume is in doubt (`x_witness`), only rules that deny go by it.",
        .init(
          "dmverity_roothash=\(exampleDigest)",
          cases: [
            .allowed("this volume", "dmverity_roothash=\(exampleDigest)"),
            .denied("another volume", "dmverity_roothash=\(otherDigest)"),
            .denied("no volume", ""),
          ]))
    })

  static let dmveritySignature = PropertyEntry(
    form: FlagForm(fact: Fact({ $0.dmveritySignature }, { $0.dmveritySignature = $1 })), isKernel: true,
    isAboutVolume: true, absence: .values([.flag(false)]), producer: .volume,
    ipeOption: "CONFIG_IPE_PROP_DM_VERITY_SIGNATURE",
    loaderOption: { $0 == .flag(true) ? "CONFIG_DM_VERITY_VERIFY_ROOTHASH_SIG" : nil },
    reference: {
      PropertyReference(
        "Whether the **kernel** checked a signature of the root hash when the volume was set up (IPE).",
        details:
          "A signature that was checked in user space never counts here; it is `x_sig_source=USERSPACE`. Nor does one that a key may have made which root added to the kernel's `.dm-verity` keyring, although IPE takes it: `dm_verity.keyring_unsealed` is not `N`, or dm-verity says so of another time, because it was loaded after the volume was made or a module was removed by force. While the machine's list of revocations names a signer, the kernel's signature counts only for a root hash that a known signer is known to have signed (a signature beside the image, by a certificate among the trust anchors): the kernel does not say whose it took.",
        .init(
          "dmverity_signature=TRUE",
          cases: [
            .allowed("the kernel checked it", "dmverity_signature=TRUE"),
            .denied("user space checked it", "dmverity_signature=FALSE x_sig_source=USERSPACE"),
          ]))
    })

  static let witness = PropertyEntry(
    form: WordForm(fact: Fact({ $0.witnesses }, { $0.witnesses = $1 })), isAboutVolume: true, absence: .fewer,
    producer: .volume,
    loaderOption: { $0 == .word("USERSPACE") ? nil : "CONFIG_DM_VERITY" },
    reference: {
      PropertyReference(
        "Who vouches that the bytes are those of the volume with this root hash: the kernel (its active dm-verity table), this program's own proof over every block, or both.",
        details: """
          `KERNEL` and `USERSPACE` are satisfied by `BOTH` as well. A descriptor on a dm-verity volume has both. Where the kernel's word is in doubt (`ignore_corruption`, `check_at_most_once`, corruption seen), `x_witness` is `USERSPACE`, `dmverity_signature` is `FALSE`, and the volume is in doubt: what was verified here stays a fact, rules that deny go by it, and none that allows goes by anything about the volume (`dmverity_roothash`, `dmverity_signature`, `x_witness`, `x_dmverity_mode`, `x_path`, `x_image_name`, `x_image_version_min`, and `x_signer` for who signed its root hash). An image that is read without device-mapper has `USERSPACE` alone.

          `KERNEL` alone is the evidence about a volume whose devices cannot be read here (their nodes are gone, or reading fails), or whose file system no reader of this build knows (btrfs, or a layout of EROFS, squashfs or ext4 that is refused by name), so that nothing can be proven. Without an ALLOW rule that says `x_witness=KERNEL` such an object is refused before any policy is asked. With one, that rule may allow it; no other ALLOW rule matches it, and no ALLOW default counts for it. It is what its name says: the page cache is believed, which root can poison (`threat-model.md`). On ext4 the blocks of the file are verified all the same, see `x_blocks_verified`. Bytes that can be read and do not verify are refused all the same.
          """,
        .init(
          "dmverity_roothash=\(exampleDigest) x_witness=USERSPACE",
          cases: [
            .allowed("proven here", "dmverity_roothash=\(exampleDigest) x_witness=USERSPACE"),
            .allowed("both", "dmverity_roothash=\(exampleDigest) x_witness=BOTH"),
            .denied("only the kernel says so", "dmverity_roothash=\(exampleDigest) x_witness=KERNEL"),
          ]),
        .init(
          "dmverity_signature=TRUE", "dmverity_roothash=\(exampleDigest) x_witness=KERNEL",
          cases: [
            .allowed(
              "both vouch: the first rule", "dmverity_roothash=\(exampleDigest) dmverity_signature=TRUE x_witness=BOTH"),
            .allowed(
              "the kernel alone: only the rule that says so",
              "dmverity_roothash=\(exampleDigest) dmverity_signature=TRUE x_witness=KERNEL", byRule: 1),
          ]))
    })

  static let blocksVerified = PropertyEntry(
    form: FlagForm(fact: Fact({ $0.blocksVerified }, { $0.blocksVerified = $1 })), isAboutVolume: true,
    absence: .values([.flag(false)]), producer: .volume,
    reference: {
      PropertyReference(
        "Whether this program has verified every block of the object up to the root hash.",
        details:
          "TRUE wherever `x_witness` has `USERSPACE`. With `x_witness=KERNEL` it tells two kinds of volume apart: on an ext4 whose layout is not read here the kernel says which blocks are the file's (FS_IOC_FIEMAP), and these are verified here, so that a poisoned page cache is noticed and only their place is the kernel's word; on btrfs and wherever the devices cannot be read it is FALSE, and the page cache is believed.",
        .init(
          "dmverity_roothash=\(exampleDigest) x_witness=KERNEL x_blocks_verified=TRUE",
          cases: [
            .allowed(
              "an object on ext4",
              "dmverity_roothash=\(exampleDigest) x_witness=KERNEL x_blocks_verified=TRUE"),
            .denied(
              "an object on btrfs",
              "dmverity_roothash=\(exampleDigest) x_witness=KERNEL x_blocks_verified=FALSE"),
          ]))
    })

  static let dmverityMode = PropertyEntry(
    form: ChoiceForm(fact: Fact({ $0.dmverityMode }, { $0.dmverityMode = $1 })), isAboutVolume: true, absence: .unknown,
    producer: .volume,
    loaderOption: { _ in "CONFIG_DM_VERITY" },
    reference: {
      PropertyReference(
        "What the active dm-verity table does with a corrupted block: `EIO`, `RESTART`, `PANIC`, or `LOGGING`, which hands the corrupted data out.",
        details: "IPE ignores this.",
        .init(
          "dmverity_signature=TRUE x_dmverity_mode=EIO,RESTART,PANIC",
          cases: [
            .allowed("fails reads", "dmverity_signature=TRUE x_dmverity_mode=EIO"),
            .denied("hands corrupted data out", "dmverity_signature=TRUE x_dmverity_mode=LOGGING"),
          ]))
    })
}

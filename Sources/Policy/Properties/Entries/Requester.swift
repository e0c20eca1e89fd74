/// Who asks.
extension PropertyEntry {
  /// The loader is a process, so it is user space that asks. The kernel itself asks only within its own light skeletons,
  /// which pass no loader.
  static let bpfKernel = PropertyEntry(
    form: FlagForm(fact: Fact({ $0.bpfKernel }, { $0.bpfKernel = $1 })), isAboutPrograms: true,
    absence: .impossible, producer: .loading(.flag(false)),
    reference: {
      PropertyReference(
        "Whether the kernel itself asks for the load, as the loader program of a light skeleton does.",
        .init(
          "bpf_kernel=FALSE bpf_signature=OK",
          cases: [
            .allowed("from user space", "bpf_kernel=FALSE bpf_signature=OK"),
            .denied("from the kernel", "bpf_kernel=TRUE bpf_signature=OK"),
          ]))
    })

  static let dynamic = PropertyEntry(
    form: FlagForm(fact: Fact({ $0.isDynamic }, { $0.isDynamic = $1 })), isAboutPrograms: true, absence: .impossible,
    producer: .gate,
    reference: {
      PropertyReference(
        "Whether the program was made at run time: there is no object, and a process submits instructions of its own.",
        details: """
          `TRUE` is for the kernel's gate (`gate.md`): a rule that allows names the generator by `x_requester_dmverity_roothash` and `x_requester_object`, \
          and may narrow by `x_prog_type`, `x_attach_type` and `x_helpers`. What the generator was given to make its program from is not known: \
          to allow a generator is to allow every script that it reads. Objects that are loaded here have `FALSE`.
          """,
        .init(
          "x_dynamic=TRUE x_requester_dmverity_roothash=\(exampleDigest) x_requester_object=\(otherDigest) "
            + "x_prog_type=kprobe,tracepoint",
          cases: [
            .allowed(
              "bpftrace of that volume",
              "x_dynamic=TRUE x_requester_dmverity_roothash=\(exampleDigest) x_requester_object=\(otherDigest) x_prog_type=kprobe"
            ),
            .denied(
              "another type",
              "x_dynamic=TRUE x_requester_dmverity_roothash=\(exampleDigest) x_requester_object=\(otherDigest) x_prog_type=lsm"
            ),
            .denied(
              "an object", "x_dynamic=FALSE x_requester_dmverity_roothash=\(exampleDigest) x_prog_type=kprobe"),
          ]))
    })

  static let requesterUID = PropertyEntry(
    form: NumberForm(fact: Fact({ $0.requesterUID }, { $0.requesterUID = $1 })), absence: .impossible,
    producer: .requester,
    reference: {
      PropertyReference(
        "The effective user id of the process that asks is one of these.",
        .init(
          "dmverity_signature=TRUE x_requester_uid=0,990",
          cases: [
            .allowed("the service", "dmverity_signature=TRUE x_requester_uid=990"),
            .denied("another user", "dmverity_signature=TRUE x_requester_uid=1000"),
          ]))
    })

  static let requesterGID = PropertyEntry(
    form: NumberForm(fact: Fact({ $0.requesterGID }, { $0.requesterGID = $1 })), absence: .impossible,
    producer: .requester,
    reference: {
      PropertyReference(
        "The effective group id of the process that asks is one of these.",
        .init(
          "dmverity_signature=TRUE x_requester_gid=990",
          cases: [
            .allowed("the group", "dmverity_signature=TRUE x_requester_gid=990"),
            .denied("another", "dmverity_signature=TRUE x_requester_gid=1000"),
          ]))
    })

  static let requesterPath = PropertyEntry(
    form: PathForm(fact: Fact({ $0.requesterPath }, { $0.requesterPath = $1 })), absence: .unknown,
    producer: .requester,
    reference: {
      PropertyReference(
        "Where the executable of the process that asks is, as the kernel names it in that process's mount namespace.",
        details:
          "A name says nothing of the bytes: a process that may mount chooses what is under it. Rules that allow by it "
          + "should ask for `x_requester_uid` too.",
        .init(
          "x_requester_path=/usr/bin/bpftrace",
          cases: [
            .allowed("bpftrace", "x_requester_path=/usr/bin/bpftrace"),
            .denied("another tool", "x_requester_path=/usr/bin/bpftool"),
            .denied("an object of that name", "x_path=/usr/bin/bpftrace"),
          ]))
    })

  static let requesterObject = PropertyEntry(
    form: DigestForm(algorithms: ["sha256"], fact: Fact({ $0.requesterObject }, { $0.requesterObject = $1 })),
    isOfOneFile: true, absence: .unknown, producer: .requester,
    reference: {
      PropertyReference(
        "SHA-256 of the executable of the process that asks, which lies on a dm-verity volume.",
        details: onVolume,
        .init(
          "x_requester_object=\(exampleDigest)",
          cases: [
            .allowed("this tool", "x_requester_object=\(exampleDigest)"),
            .denied("another tool", "x_requester_object=\(otherDigest)"),
          ]))
    })

  static let requesterRoothash = PropertyEntry(
    form: DigestForm(algorithms: nil, fact: Fact({ $0.requesterRoothash }, { $0.requesterRoothash = $1 })),
    absence: .unknown, producer: .requester,
    reference: {
      PropertyReference(
        "The root hash of the dm-verity volume that holds the executable of the process that asks.",
        details: onVolume,
        .init(
          "x_requester_dmverity_roothash=\(exampleDigest)",
          cases: [
            .allowed("a tool of this volume", "x_requester_dmverity_roothash=\(exampleDigest)"),
            .denied("a tool of another volume", "x_requester_dmverity_roothash=\(otherDigest)"),
            .denied("an object of this volume", "dmverity_roothash=\(exampleDigest)"),
          ]))
    })

  static let requesterSignature = PropertyEntry(
    form: FlagForm(fact: Fact({ $0.requesterSignature }, { $0.requesterSignature = $1 })),
    absence: .values([.flag(false)]), producer: .requester,
    reference: {
      PropertyReference(
        "Whether the kernel checked a signature of the root hash of the volume that holds that executable.",
        .init(
          "x_requester_dmverity_signature=TRUE",
          cases: [
            .allowed("a tool of a signed volume", "x_requester_dmverity_signature=TRUE"),
            .denied("a tool of another volume", "x_requester_dmverity_signature=FALSE"),
            .denied("an object of a signed volume", "dmverity_signature=TRUE"),
          ]))
    })

  private static let onVolume =
    "Known only of an executable on an active dm-verity volume without a doubt: `load` verifies its blocks up to the root "
    + "hash, and compares them with what it runs. The process answers for itself, so a rule binds those who use `load`; the "
    + "kernel's gate asks the kernel (`gate.md`)."
}

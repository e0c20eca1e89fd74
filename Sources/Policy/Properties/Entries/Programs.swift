internal import KernelABI

/// What the programs are, and what they do.
extension PropertyEntry {
  static let programType = PropertyEntry(
    form: ListForm(known: { TypeNames.programs }, fact: Fact({ $0.programTypes }, { $0.programTypes = $1 })),
    isAboutPrograms: true, absence: .impossible, producer: .programs,
    reference: {
      PropertyReference(
        "Every program of the object is of one of these types, in bpftool's words (`xdp`, `tracing`, `lsm`, `sched_cls` …).",
        .init(
          "x_prog_type=xdp,sched_cls",
          cases: [
            .allowed("a filter", "x_prog_type=xdp"),
            .denied("a tracer beside it", "x_prog_type=xdp,tracing"),
          ]))
    })

  static let attachType = PropertyEntry(
    form: ListForm(known: { TypeNames.attachTypes }, fact: Fact({ $0.attachTypes }, { $0.attachTypes = $1 })),
    isAboutPrograms: true, absence: .impossible, producer: .programs,
    reference: {
      PropertyReference(
        "Every program has one of these expected attach types, in libbpf's words.",
        details: "Programs whose type has none match no such rule.",
        .init(
          "x_prog_type=tracing x_attach_type=trace_fentry,trace_fexit",
          cases: [
            .allowed("entry", "x_prog_type=tracing x_attach_type=trace_fentry"),
            .denied("changes results", "x_prog_type=tracing x_attach_type=modify_return"),
          ]))
    })

  static let helpers = PropertyEntry(
    form: HelperForm(fact: Fact({ $0.helpers }, { $0.helpers = $1 })), isAboutPrograms: true, absence: .impossible,
    producer: .programs,
    reference: {
      PropertyReference(
        "The programs call no helper outside this list (names without `bpf_`, or numbers).",
        details: "A program that calls none satisfies every list.",
        .init(
          "x_helpers=map_lookup_elem,ktime_get_ns",
          cases: [
            .allowed("fewer helpers", "x_helpers=map_lookup_elem"),
            .denied("one more", "x_helpers=map_lookup_elem,probe_write_user"),
          ]))
    })

  static let configured = PropertyEntry(
    form: FlagForm(fact: Fact({ $0.isConfigured }, { $0.isConfigured = $1 })), isAboutPrograms: true,
    absence: .impossible, producer: .programs,
    reference: {
      PropertyReference(
        "Whether options of the load change what the object says of itself: which programs are loaded, the types of sections, the values of constants, and the sizes of maps.",
        details:
          "TRUE with `--program`, `--without-program`, `--attach-program`, `--section-type`, `--set` or `--map-entries`. All other properties are of the programs that are loaded then, with these values. An image may state that an object is not configured, whatever a policy says.",
        .init(
          "x_path=/agents/** x_configured=FALSE",
          cases: [
            .allowed("as its author has it", "x_path=/agents/a.bpf.o x_configured=FALSE"),
            .denied("only some of its programs", "x_path=/agents/a.bpf.o x_configured=TRUE"),
          ]))
    })

  static let coreByLoader = PropertyEntry(
    form: FlagForm(fact: Fact({ $0.coreByLoader }, { $0.coreByLoader = $1 })), isAboutPrograms: true,
    absence: .impossible, producer: .programs,
    reference: {
      PropertyReference(
        "Whether the loader answers CO-RE records of the object in the kernel's place.",
        details:
          "TRUE with `--resolve-core user` for an object with records that the kernel does not follow, and for no other. The instructions that get an answer, 0 or 1, are listed as `kernel_edits`; `relocation.md` says which records these are. FALSE where the kernel alone applies what the object says.",
        .init(
          "x_path=/agents/** x_core_by_loader=FALSE",
          cases: [
            .allowed("the kernel applies every record", "x_path=/agents/a.bpf.o x_core_by_loader=FALSE"),
            .denied("the loader answers some", "x_path=/agents/a.bpf.o x_core_by_loader=TRUE"),
          ]))
    })

  static let lockdown = PropertyEntry(
    form: WordForm(fact: Fact({ $0.lockdown }, { $0.lockdown = $1 })), isAboutPrograms: true, absence: .impossible,
    producer: .programs,
    reference: {
      PropertyReference(
        "The programs would load under this lockdown mode, whatever the mode is now.",
        .init(
          "x_lockdown=INTEGRITY",
          cases: [
            .allowed("reads no kernel memory", "x_lockdown=CONFIDENTIALITY"),
            .allowed("reads kernel memory", "x_lockdown=INTEGRITY"),
            .denied("writes user memory", "x_lockdown=NONE"),
          ]))
    })

  static let programClass = PropertyEntry(
    form: WordForm(fact: Fact({ $0.programClass }, { $0.programClass = $1 })), isAboutPrograms: true,
    absence: .impossible, producer: .programs,
    reference: {
      PropertyReference(
        "What the programs do at most.",
        details: """
          `FULL` is everything, and every program has it. A `RESTRICTED` program stays with the packet or socket that it is called for. It is defined from what it must not be able to do, and everything is allowed by name, so that what newer kernels bring is `FULL` until it has been reviewed:

          * it is called with a packet or a socket: `socket_filter`, `sched_cls`, `sched_act`, `xdp`, `cgroup_skb`, `lwt_in`, `lwt_out`, `lwt_xmit`, `sk_skb`, `sk_msg`, `sk_reuseport`, `sk_lookup`, `flow_dissector`. So it is no probe: nothing in the kernel or in a process stops for it, and it does not sleep;
          * it reads no kernel memory, neither by a helper nor through a pointer whose kernel type the verifier knows (which lockdown does not see); `inspect` lists these as `reads`. Nor does it read bytes of its stack that it has not written, where the kernel's functions have left theirs;
          * it neither reads nor writes the memory of a process;
          * it calls helpers for maps, time, arithmetic and the packet or socket in hand, and none of the kernel's own functions; it looks for no other sockets (`bpf_sk_lookup_tcp`);
          * it runs about as long as the verifier has followed it: no `bpf_loop`, `bpf_for_each_map_elem` or `may_goto`, which nested hold a processor for hours, and no global function, which the verifier follows once by itself, that is called in a loop or may run more than 16 times;
          * the maps of its object hold plain values or say where packets go, and take 16 MiB at most together once they are full, what the kernel adds to each entry included (of per-CPU maps 16 MiB for each processor); it has 256 maps at most, for each takes some kilobytes for itself; none is shared by its name, and there are no tail calls, so it reaches no other program's data.

          What the analysis does not follow makes a program `FULL` and its reads `UNDECLARED` (`analysis.md`, "What is not followed").
          `verity-bpf inspect OBJECT` prints the class, and for `FULL` what speaks against `RESTRICTED`. Such programs can be let in without signature or provenance where everything more needs one:
          """,
        .init(
          "x_class=RESTRICTED", "bpf_signature=OK",
          cases: [
            .allowed("an unsigned packet filter", "bpf_signature=UNSIGNED x_class=RESTRICTED"),
            .denied("an unsigned tracer", "bpf_signature=UNSIGNED x_class=FULL"),
            .allowed("a signed tracer", "bpf_signature=OK x_class=FULL", byRule: 1),
          ]))
    })

  static let reads = PropertyEntry(
    form: WordForm(fact: Fact({ $0.reads }, { $0.reads = $1 })), isAboutPrograms: true, absence: .impossible,
    producer: .programs,
    reference: {
      PropertyReference(
        "What the programs read of the kernel's memory at most, from the least to the most: who reads nothing satisfies `DECLARED`, and every program satisfies `UNDECLARED`.",
        details: """
          What a program is called with (its context, a packet, the numbers in a tracing program's arguments), its stack, its maps and the memory of processes are not the kernel's memory here.

          * `NONE`: it reads none, neither by a helper nor by a load through a pointer whose kernel type the verifier knows; and it calls no helper and no function of the kernel that might.
          * `DECLARED`: its author says in the object which fields of which kernel structures it reads (`VERITY_BPF_READS`), and each of its reads is bound to one of these fields by a CO-RE record, which the kernel resolves by name. `analysis.md` says how that is found, and what it does not show.
          * `UNDECLARED`: anything else. A read without a record has no name, so no declaration covers it.

          Lockdown=confidentiality forbids the helpers that copy kernel memory and says nothing of loads through pointers. This property is about both, so that a policy can let programs in that look at what they must and at nothing else. The declaration is the author's word about the author's code, so ask who that is in the same rule. An object that reads more than it declares is denied whatever the policy says.
          """,
        .init(
          "x_reads=NONE", "x_reads=DECLARED bpf_signature=OK",
          cases: [
            .allowed("reads nothing", "x_reads=NONE bpf_signature=UNSIGNED"),
            .allowed("a signed program that says what it reads", "x_reads=DECLARED bpf_signature=OK", byRule: 1),
            .denied("an unsigned program that says so", "x_reads=DECLARED bpf_signature=UNSIGNED"),
            .denied("signed, and it may read what it likes", "x_reads=UNDECLARED bpf_signature=OK"),
          ]))
    })
}

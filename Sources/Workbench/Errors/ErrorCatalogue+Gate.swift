extension ErrorCatalogue {
  /// What is said of the gate in the kernel.
  static let gateParagraphs: [String: String] = [
    "gate.left-out":
      "The policy allows loads that no row of the gate admits, and a sealed gate would refuse them. Each is listed with the reason: a rule asks for what the kernel does not know when it asks the gate, or for executables or images that were not named, or a program's instructions are not known beforehand, or the kernel has not what a program attaches to. Change the rules, name what is missing, or go on without them with --skip-unsupported.",
    "gate.no-rows":
      "By the rows of this plan no process could load anything. The policy has no rule that allows BPF programs, or none that a row can say; --skip-unsupported does not change that. At the seal: the gate was installed with --mode loader, so it has no rows of instructions, and in the mode digests every load would be refused.",
    "gate.not-executable":
      "A row names the file that a process runs, and this is none: no regular file, or not in ELF. The kernel knows the process of a script by its interpreter, so a row for a script would never match.",
    "gate.no-bpf-lsm":
      "BPF programs on security hooks are asked only where `bpf` is among the active security modules. Without it the gate's programs would be loaded and attached, and nobody would ask them. Debian's kernels have the module; what the command line's lsm= names is active.",
    "gate.no-hook":
      "The gate is asked in some twenty places, and each closes a way round another: with one missing, root could go that way. All are there since Linux 6.12, where the kernel is built with CONFIG_BPF_LSM=y.",
    "gate.no-module":
      "Whether a dm-verity device fails on corrupted blocks, the gate reads from the device's table, whose layout the types of dm_mod and dm_verity describe. They have to be loaded before the gate; otherwise every volume would count as one that lets corruption pass.",
    "gate.installed":
      "A gate is pinned on this machine. A second one would not widen the first: both would have to admit a load. Take the first away while it is not sealed, then install the other.",
    "gate.not-installed":
      "There are no parts of a gate where `gate install` pins them. Nothing is refused by the kernel.",
    "gate.not-ours":
      "What is pinned in the gate's place has maps of another form, or was written by another version. Its rows would be misread, so it is not touched.",
    "gate.incomplete":
      "The gate's programs are loaded, and what `gate install` writes last is not there: the run was ended in between. Such a gate watches, counts every load as one without a row, and refuses nothing.",
    "gate.closed":
      "A sealed gate keeps its parts from every process but those that run an executable which the plan named with --loader. Without that, a process with enough privilege could read what is watched and write what is admitted. Run verity-bpf from the volume that the gate was planned with. Without a sealed gate the message means that the process may not open BPF maps at all.",
    "gate.sealed":
      "A sealed gate cannot be changed, sealed again or taken away before the next reboot. Its rows are frozen in the kernel.",
    "gate.fill":
      "The kernel took the gate's programs and not all of its rows: memory ran out, or a map is smaller than the plan. The installation is taken back; `gate.not-undone` says so where that failed too.",
    "gate.not-undone":
      "A step of an installation or of a seal failed, and so did taking back what had been done before it. The message names both. After an installation parts of the gate are pinned that refuse nothing; after a seal rows may be frozen, or loads refused already. `gate status` says which.",
    "gate.foreign":
      "A BPF program that is loaded already can undo an answer of the gate: an LSM program on a cgroup runs after it and may change the result, and a program on a security hook may replace it. Programs of pid 1 are left out, because no other process can attach them. Where the kernel does not tell what a program does, the worst counts. The gate is as it was before.",
    "gate.would-refuse":
      "While the gate watched, something on this machine loaded programs that no row admits. Sealed, the gate would refuse them: a service manager, a network tool or a tracer might stop working. `gate watch` lists them with the rows that would admit them; --despite seals all the same.",
    "gate.not-seeded":
      "A volume with a planned root hash was open before the gate, and could not be vouched for: its table lets corruption pass, another table waits, or its files are not those that were planned with. The gate learns it when it is opened again.",
    "gate.lost":
      "The gate's buffer was full when a record was to be written, so that decision is on no record. It was taken all the same. One `gate events --follow` that runs all the time keeps the buffer empty.",
  ]
}

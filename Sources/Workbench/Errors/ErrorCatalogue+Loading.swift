extension ErrorCatalogue {
  /// What is said on the way of an object into the kernel, and around it.
  static let loadingParagraphs: [String: String] = [
    "helper.missing":
      "Objects are to be linked by verity-bpf-link, and it is not beside this program. `make install` puts both into one directory.",
    "helper.unsuitable":
      "verity-bpf-link is on another file system than this program, of another owner, writable by others, or no regular file. It has to be as hard to replace as this program.",
    "helper.not-started":
      "verity-bpf-link could not be executed, or the pipes to it failed. A file system that is mounted noexec and a policy of the kernel's IPE are among the causes.",
    "helper.other-release":
      "verity-bpf-link is of another release than this program. The two are built and installed together.",
    "helper.protocol":
      "verity-bpf-link said something that its protocol does not have: edits for instructions that are not there or have another form, edits that the object's own relocation entries contradict, too much, too little, nothing within a minute; or it ended, as by a system call that it may not make. An object may have taken it over. Nothing that it said of the object counts, it was killed, and nothing was loaded.",
    "helper.outside":
      "The object has a part that no edit stands for: symbols of the kernel, structures of functions, jump tables, maps that hold programs or maps, annotations, types that have to be changed. Such objects are linked in the loader's own process, with --link in-process, unless the settings of this host bind it to the helper.",
    "helper.option":
      "The option changes the object by what its types say, and only the helper has read those. Link in the loader's own process (--link in-process), or leave the option out.",
    "helper.refused":
      "verity-bpf-link says that the object cannot be linked, and by which check. `verity-bpf inspect OBJECT` says more; what it prints was found by the same code, in its own process.",
    "provenance.not-a-file":
      "The descriptor is a pipe, a directory, a socket, closed, or opened with O_PATH. Only a regular file on a proven image has an origin; hand over the object itself, opened for reading.",
    "provenance.file-system":
      "The file lies on a file system whose bytes nothing vouches for: no dm-verity device is under it, its files can come from more devices than one, or it is mounted for writing. Pack it into an image, or sign it (verity-bpf sign file), or enable fs-verity on it.",
    "provenance.device":
      "The mounted file system's device leads to no image: it is neither a dm-verity volume nor a loop device over an image with a tree.",
    "provenance.suspended":
      "A device-mapper device that the object is read from, or one under it, is suspended: what is read from it waits until it is resumed, and meanwhile its table can be replaced. So nothing is read. A device that is suspended while it is read from is waited for a few seconds. The program that suspended it has to resume it (dmsetup resume).",
    "provenance.cannot-ask":
      "The kernel could not be asked for what the check needs: its file system is not mounted in its place, something was put over one of its files or over a device node, a node is missing, or what it says cannot be read. That is not the same as no, so nothing is concluded from it. It may be a container that hides these places, or an attempt to keep an answer back; docs/threat-model.md lists every statement of the kernel's, and what follows without it.",
    "provenance.no-permission":
      "The kernel tells a device-mapper table to administrators only. So it is not known whether the device is a verity volume, which is not the same as no.",
    "provenance.no-table":
      "The device-mapper has no table for the device any more, or does not answer. It was taken down meanwhile.",
    "provenance.volume":
      "The dm-verity device is not made as an image here is: other parameters than its superblock says, a data device that is too small, or a state that is not accepted.",
    "provenance.kernel-alone":
      "The file lies on a dm-verity device, so the kernel verifies what it reads from there; but no reader of this build knows the file system, so that the bytes are not verified here a second time. The kernel does not check again what it has cached, and root can change that. Where this is enough, say so in a rule: dmverity_roothash=... x_witness=KERNEL. On ext4 the blocks of the file are verified here all the same (x_blocks_verified). A device whose table hands out corrupted blocks, or that has seen one, is no witness at all.",
    "provenance.table-changed":
      "The table of the dm-verity device was exchanged while the object was examined. Root can do that under a mounted file system; take it for an attack until you know better.",
    "provenance.page-cache":
      "What the mount shows is not what the active table proves, so it comes from the kernel's page cache: the table was exchanged and put back, or the pages were written to. The kernel's own IPE would run these bytes as verified. Take the machine for attacked.",
    "provenance.mount-differs":
      "The mount shows other bytes than the image proves, or the loop device was given another file. Somebody writes to the image or the device under the mount.",
    "provenance.object": "The object is not in the image, or no directory of the image leads to it.",
    "provenance.root-hash":
      "The image has another root hash than the one that was asked for. It is another image, or another version of it.",
    "provenance.too-large": "The file is larger than any BPF object. It is not read into memory.",
    "provenance.revoked":
      "The list of revocations among the trust anchors names this object, this root hash, or the certificate of who signed one of them, or of who signed the policy that would decide. That is asked before everything else, also before a policy that allows everything.",
    "provenance.hashing": "No digest could be computed of the object; see verity.hash-unavailable.",
    "load.no-policy":
      "Something has to decide. Name a policy with --policy, or install one in the store (`verity-bpf policy init`, `install`, `activate`).",
    "load.permit-mismatch":
      "The permission was given for other bytes than those that were to be loaded. This protects against faults of this program itself.",
    "load.not-configurable":
      "The image states that the object is loaded as its author has it (`configurable` false in its manifest), and an option of the load would change it: which programs, the type of a section, the value of a constant, the size of a map. The statement is under the root hash that the policy trusts, so no policy allows more than it. An image on which the kernel's word alone counts may say so too, where nothing here can read it.",
    "load.no-variable":
      "--set names a variable, a member or an element that the object does not have; those that can be set are listed. `bpftool btf dump file OBJECT` shows the structures.",
    "load.variable-not-constant":
      "--set changes constants alone (`.rodata`), which are frozen before the program runs: what the policy judged is what the program finds. Variables of `.data` and `.bss` can be written to at any time, with bpftool map update for example, and those of `.kconfig` come from the running kernel.",
    "load.variable-static":
      "The variable is static, or hidden from other objects. libbpf's skeletons leave such variables out too: several files may have one of that name.",
    "load.variable-not-volatile":
      "The constant is not volatile, so the compiler may have put its value into the instructions, and setting it would change nothing there. Its author declares `const volatile` what whoever loads the object is to choose.",
    "load.variable-type":
      "The variable has a type whose values cannot be written on a command line: a pointer, a number with a fraction, a bitfield, or a structure, whose members are set one by one.",
    "load.variable-value":
      "The value is none of the variable's type: out of its range, no enumerator of it, a text that leaves no place for its NUL, or more elements than the array has. Nothing is cut off or rounded.",
    "load.variable-twice": "--set gives one place two values. Leave one out.",
    "load.no-such-section":
      "--section-type names a section in which the object has no programs.",
    "load.section-has-type":
      "--section-type says what the programs of a section are whose name does not say it. Where the name says it, or the image's manifest, that is covered by the proof, and stays; only the place may be another that such programs attach to by the kernel's types (fentry/dummy=fentry/vfs_read).",
    "load.no-such-program": "The object has no program of that name; `inspect` lists those it has.",
    "load.nothing":
      "All programs of the object are in sections that begin with `?`, which are loaded only when they are named.",
    "load.no-func-info":
      "A program has no function record (func_info). Without it the kernel ignores CO-RE relocations silently, and the program would read wrong fields.",
    "load.pin-name-twice":
      "Two maps or programs would get one name below --pin-path. The BPF file system takes no dots, so they become underscores.",
    "load.pin-by-name":
      "The map asks to be shared with whoever pinned its name before (LIBBPF_PIN_BY_NAME). Its contents would be proven by nobody, so a new map is made, and for that a --pin-path is needed.",
    "load.shared-map": "A pin of the map's name is there already, and it is a map of another kind or size.",
    "load.replace-not-ours":
      "--replace exchanges what one load of one object has pinned, and the directory holds something else, or several objects. With --all the directory is the image's: objects in it that the image does not have any more are taken away, so nothing may be there that no load has pinned. Nothing was touched.",
    "load.not-replaceable":
      "A structure that is registered through its map alone, and a link that holds a program which is not pinned beside it, cannot be exchanged in one step, nor put back when something fails. Unload the old object and load the new one.",
    "load.replace-attach":
      "Links are pinned with the old object, and without --attach the new one would have none: what the old one did would end. Give the options of the first load and --replace beside them.",
    "load.map-differs":
      "A map that is carried over to a new version of an object must have the same name, type, sizes and flags, and keys and values of the same types by BTF. The message names the first difference. --fresh-maps gives the new version maps of its own, and what is in the old ones is lost.",
    "load.link-update":
      "BPF_LINK_UPDATE gives a link another program without a moment in which none is attached. The kernel takes only a program of the same type for it, and nothing that somebody else has put there meanwhile. Everything was put back.",
    "load.exchange":
      "The directory of the new pins is made beside the old one, and both are exchanged by one system call (renameat2 with RENAME_EXCHANGE), which the BPF file system can since Linux 5.17. Everything was put back.",
    "load.no-objects":
      "load --all loads what an image's manifest names, and this image has no manifest, or one without objects. Name the objects one by one.",
    "load.undone":
      "An image is loaded as a whole or not at all. Another object of it was refused, by the policy, the verifier or the kernel, so this one was taken away again.",
    "load.all-options":
      "What is attached where, and which objects are loaded, the load list of the image says. Options that would say it for all objects alike have no place beside it.",
    "load.not-attachable":
      "Programs of this kind are attached to a socket, a route or a device by whoever holds that. Load and pin it, and attach it with a tool of its kind.",
    "load.attach-target":
      "The section's name, or --target, does not say a place that such a program can be attached to.",
    "load.no-attach-place":
      "The place that the program is to be attached to is not there: no such interface, cgroup, tracepoint or symbol.",
    "load.attach-place":
      "The program's section leaves open where it is to be attached. Say it with --interface, --cgroup or --target.",
    "load.no-slot-target": "A map is to hold a program or map that is not loaded with it.",
    "load.no-bpf": "The kernel was built without bpf(2) (CONFIG_BPF_SYSCALL), or a container hides it.",
    "load.no-kernel-btf":
      "The program needs the kernel's type information, and this kernel has none (CONFIG_DEBUG_INFO_BTF).",
    "load.kernel-btf": "The kernel's type information (/sys/kernel/btf/vmlinux) cannot be read.",
    "load.no-attach-target": "The running kernel has no function, hook or structure that the program's section names.",
    "load.no-kernel-symbol":
      "The object needs a function or variable that the running kernel does not have. Declared weak, it could be tested for.",
    "load.ambiguous-kernel-symbol":
      "The kernel has several static symbols of that name, at different addresses. Which is meant nobody can say.",
    "load.hidden-addresses":
      "The kernel does not tell this process the addresses of its symbols (kernel.kptr_restrict), and the object needs one.",
    "load.kconfig": "The object asks for a value of the kernel's configuration, and it is not there or does not fit.",
    "load.struct-ops":
      "The kernel does not take the structure that the object implements: it has no such type, or not as a struct_ops.",
    "load.unknown-to-kernel":
      "The kernel answered EINVAL or E2BIG without a word, as it does to program types, map types, flags and attributes that are newer than itself.",
    "load.btf":
      "The kernel refuses the object's type information, and a part of the object needs it; its log is shown, whose last line names the type and the rule. What kernels are known to refuse is changed before, and types that nothing needs are left out.",
    "load.core-limit":
      "The kernel does not follow a CO-RE record of the program, and so refuses the program: `object.core-limit` says what it does not do. With --resolve-core user the loader answers such records from this kernel's types; the instructions are listed as `kernel_edits`, and a policy can ask for it (x_core_by_loader).",
    "load.map":
      "The kernel refuses a map. It gives no reasons for maps: a type or flag newer than itself, or sizes that the type does not allow.",
    "load.map-without-size":
      "The kernel refuses a map that has 0 entries. Authors leave a size open when it follows from the machine, and their own loader fills it in; --map-entries MAP=N does that here. It changes no byte that was proven: a map's size is an attribute of the call that makes it.",
    "load.no-map-to-size":
      "--map-entries names a map that the object does not have, or that no option can size (data sections and templates of inner maps).",
    "load.map-has-size":
      "--map-entries fills in what an object leaves open. A size that the object states is covered by its proof or signature, and stays.",
    "load.attach":
      "The kernel accepted the program and does not attach it. Everything that was loaded has been removed again.",
    "load.pin": "A pin could not be made. Everything that was pinned before it has been removed again.",
    "load.no-such-place":
      "An option names an interface, a cgroup or a network namespace to attach to that is not there, or that is something else. It is looked for before anything is loaded.",
    "load.pin-path": "Pins are names in a BPF file system, usually below /sys/fs/bpf; the directory is not in one.",
    "load.not-permitted":
      "The kernel does not permit it, and several things may be why; each that was found is listed.",
    "load.capability":
      "This process lacks a capability that the kernel asks for: CAP_BPF, and CAP_PERFMON for what traces, CAP_NET_ADMIN for what handles packets. CAP_SYS_ADMIN stands for each.",
    "load.sysctl": "kernel.unprivileged_bpf_disabled is set, so nobody loads anything without CAP_BPF.",
    "load.user-namespace": "The process is in a user namespace. Capabilities of a user namespace do not count for BPF.",
    "load.lockdown":
      "The kernel is locked down and refuses what the program does: writing to processes from integrity on, copying kernel memory and kprobes under confidentiality. `inspect` says beforehand which.",
    "load.seccomp": "A seccomp filter forbids bpf(2), as container runtimes install it by default.",
    "load.security-module": "A security module (SELinux, AppArmor, a BPF LSM program) refuses bpf(2).",
    "load.verifier":
      "The kernel's verifier refuses the program. Its last words, the instruction and the line of source are shown; --verifier-log keeps the whole log.",
    "load.absent-function":
      "The program reaches a call of a kernel function that this kernel does not have. The object declares it weak, so that it could ask first: bpf_ksym_exists(NAME) is false on such a kernel.",
    "load.too-many-instructions":
      "The program has more instructions than the kernel takes: 1,000,000, or 4,096 from a process without CAP_BPF. It is refused before the verifier begins. A program that the verifier has to follow for too long is refused with `load.verifier`.",
    "load.core-no-match":
      "An instruction needs a CO-RE relocation that the running kernel has no answer to: no such structure or field in its types, or a field of another kind. Test for the field (bpf_core_field_exists), or use another kernel.",
    "unload.not-ours": "The directory is not what `load --pin-path` leaves behind, so nothing was removed.",
    "verify.no-certificate":
      "The object is signed, and no certificate was named to check it with. Name one, or put it among the trust anchors.",
    "verify.no-signature":
      "A certificate or trust anchors were named, so the root hash has to be signed, and no signature came with the image.",
    "sign.root-hash":
      "The image's blocks do not lead to the root hash, so nothing was signed. A signature of a damaged image would be worth less than none.",
    "system.not-found": "A file or directory is not there. Relative paths start at the current directory.",
    "system.permission": "The system does not permit it to this user. Much of what loads or mounts needs root.",
    "system.too-large":
      "The file is larger than what reads it takes; the message says the limit. It was refused by its size, before its contents were read.",
    "system.disk-full":
      "The disk is full, or a quota is used up. What could not be written is not there; where something else is done all the same, that is said.",
    "system.failed": "A system call failed; its name and the error are shown.",
    "json.malformed":
      "The text is no JSON as RFC 8259 has it. Names that come twice in one object are refused as well.",
    "explain.unknown-code":
      "There is no paragraph of that name. `verity-bpf explain-error` without an argument lists them all.",
    "audit.crashed-load":
      "The process of a load is gone without having recorded how it ended, most often because it was killed, and what it had pinned is still there: programs that no decision on record vouches for. The commands that are named take the pins away, and with them the programs.",
    "audit.unreadable-lines":
      "Lines of the audit log are no records, most often because the machine stopped while one was written. The others count.",
    "audit.unknown-kinds":
      "Records of the audit log are of kinds that this version does not know, and vouch for nothing; a newer version wrote them, perhaps. The others count.",
    "binfmt.interpreter":
      "A registration with binfmt_misc is one line with colons between its parts, and the kernel takes an absolute path of at most 127 bytes. Where this program lies is no such path, or its file has no name any more.",
    "binfmt.not-mounted":
      "Interpreters of executable files are registered in a file system of the kernel's, binfmt_misc, that systemd mounts when it is first looked at. It is not mounted, something else lies in its place, or the kernel has none. A container sees it only where one is mounted in it.",
    "binfmt.disabled":
      "A switch of binfmt_misc's own turns off all interpreters of this machine. It was turned by an administrator, or by what starts the machine, and is not changed here.",
    "binfmt.taken":
      "Under the name of this program binfmt_misc has another interpreter, other flags or other files: another installation of verity-bpf, or a registration by hand. The flag C would give a set-uid object's rights to the interpreter; without O no descriptor is handed over; without F a file that is put in the interpreter's place later is used.",
    "binfmt.no-effect":
      "The registration was taken by the kernel, and another one for the same files is asked before it, or the kernel's clock gives both one time. Run the command again.",
    "binfmt.others-rights":
      "The process runs with other rights than those of the user who executed the object. The registration has the flag C and the object is set-uid, or the program itself is. An object's options choose files and pins, so a user would act with the owner's rights.",
    "host.facts": "The record of a host that `doctor --facts` was given is not one that `doctor --record` writes.",
    "self-test.broken":
      "A control had another outcome than it must have: something that has to be refused was not, or something sound was. Do not rely on this machine's answers until that is understood.",
    "self-test.copy": "The self-test works on copies in a temporary directory, and could not make them.",
    "self-test.incomplete":
      "Some of what the self-test tries could not be made, for example because the disk is full. What could be tried came out as it must; of the rest nothing is known. Give it another directory by TMPDIR, with room for a few copies of the image.",
    "self-test.image":
      "The image that the self-test was given cannot be used for it: it is not sound itself, or has no manifest.",
    "self-test.no-image":
      "The self-test builds an image of its own when none is named, and could not; the reason is what build-image says.",
    "self-test.no-object": "The image has no object, so nothing can be tried with it.",
  ]
}

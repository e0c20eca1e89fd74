extension ErrorCatalogue {
  /// What objects say, and what their authors promise.
  static let objectParagraphs: [String: String] = [
    "kernel.no-description":
      "--for-kernel takes a version (6.12), a file with a kernel's BTF (/sys/kernel/btf/vmlinux of a machine that runs it), or its configuration (/boot/config-RELEASE, /proc/config.gz). The file is none of these.",
    "object.not-elf":
      "The file does not begin as ELF files do. Objects come from: clang --target=bpf -O2 -g -c x.bpf.c -o x.bpf.o",
    "object.not-64-bit": "BPF objects are 64-bit ELF. This one is of another machine's compiler.",
    "object.big-endian":
      "The object was compiled for big-endian machines (--target=bpfeb). Compile with --target=bpf on the machine, or --target=bpfel.",
    "object.other-machine": "The ELF file is for another machine than BPF: a program for user space, or a library.",
    "object.not-relocatable":
      "The file is an executable or a library. A BPF object is what `clang -c` makes; `bpftool gen object` links several.",
    "object.truncated": "The file ends before something that it says it has. It was not copied whole.",
    "object.malformed-elf": "A table of the ELF file contradicts itself or the file. Compilers do not write this.",
    "object.section-outside-file": "A section is said to lie beyond the end of the file.",
    "object.overlapping-sections":
      "Two sections share bytes. What one reader takes for code another could take for data, so the file is refused.",
    "object.duplicate-section":
      "Two sections have one name where only one can be meant. Readers could follow different ones.",
    "object.too-large": "The object is larger than any that the kernel would load.",
    "object.no-btf":
      "The object has no type information (.BTF), and a part of it cannot be loaded without: maps in `.maps`, structures of functions, symbols of the kernel, CO-RE relocations. Compile with -g. Objects without such parts load without types; the kernel then knows no function names and no source lines of theirs.",
    "object.malformed-btf":
      "The type information (.BTF) is damaged: a type refers to one that is not there, or goes round in a circle.",
    "object.no-btf-ext":
      "The object has no .BTF.ext, which says what its functions are, and a program hands out the address of one (a callback). Compile with -g, and strip with llvm-strip -g, which keeps it.",
    "object.malformed-btf-ext": "The records of .BTF.ext are damaged or of an unknown form.",
    "object.no-func-info":
      "A program that needs it has no function record in .BTF.ext. Without it the kernel ignores CO-RE relocations silently, and the program would read wrong fields; and it takes the address of no function.",
    "object.no-programs":
      "The object has no program: no function in a section that names a kind of program. Objects with maps, types or functions alone are parts that `bpftool gen object` links with others; `verity-bpf inspect` says what is in them.",
    "object.data-pointers":
      "A variable holds addresses in the object's source, of strings or functions. A program's data has no addresses, and loaders leave there what the compiler wrote, mostly zeros. Nothing is wrong where no program reads them; compilers leave such tables behind for code that they have optimised away. Where a program does, choose with a switch statement in place of a table.",
    "object.core-limit":
      "The kernel does not follow a CO-RE record of the object and refuses its program, where libbpf answers the record itself: it compares types two levels deep, and takes no type without a name. Ask for fewer levels (a flavour of the type without the nested structure, or bpf_core_field_exists on the nested one), or load with --resolve-core user, which has the loader answer from the running kernel's types.",
    "object.type-edits":
      "The kernel refuses the object's type information as it is: names that are no C identifiers, parameters without a name, members out of order. It is given with these changed, and `verity-bpf inspect` lists each. No instruction changes by it.",
    "object.unlinked-program":
      "One program of the object cannot be linked; the warning says why. Nothing is known of it, so the worst is assumed, and a load that does not leave it out (--without-program NAME, or --program with others) is refused with its error. The object's other programs are loaded as always.",
    "object.bad-license": "The `license` section is missing its end, or has more than 127 bytes.",
    "object.unknown-section-name":
      "The section's name does not say what kind of program is in it. `SEC(\"xdp\")`, `SEC(\"tp_btf/sched_switch\")` and the like are libbpf's names. Where another name is meant, --section-type SECTION=TYPE says the type: at the load, or when the image is built, which puts it under the root hash.",
    "object.bad-function":
      "A function cannot be a program or a subprogram as it stands: it is static and called by nobody, lies across a section's end, or shares bytes with another.",
    "object.bad-instruction":
      "An instruction is not one that linking can work with: half a 64-bit load, or a call that leads out of its section.",
    "object.bad-relocation":
      "A relocation refers to something that is not there, or changes an instruction that it cannot be for.",
    "object.legacy-maps":
      "The object declares its maps in the old way (section `maps`), which libbpf 1.0 gave up. Declare them in `.maps` with BTF.",
    "object.bad-map": "The declaration of a map is not understood, or says something impossible.",
    "object.unsupported-extern":
      "The object needs something from the kernel or from another object that this loader does not provide.",
    "object.unsupported-section":
      "The object has a section that changes what is loaded in a way that is not supported here. It is refused, because passing over it would load something else than was meant.",
    "object.hidden-bytes":
      "There are bytes between the sections of a signed object that belong to none. No loader reads them, and a signature does not cover them, so they have to be zero.",
    "annotation.damaged":
      "The section .verity_bpf is cut short or damaged: it holds lines `PROGRAM MODE: WORD …` or `PROGRAM reads: …`, each ending in a line feed and a NUL. Write them with the macros of verity_bpf.h.",
    "annotation.unknown-word":
      "An annotation has a word or a lockdown mode that nobody here knows. It is not passed over, because it could be the one that matters. A newer verity-bpf may know it.",
    "annotation.unknown-program":
      "An annotation is about a program that the object does not have, most often because the function was renamed.",
    "annotation.twice":
      "Two annotations say the same thing of one program, perhaps differently. Put everything into one.",
    "annotation.reads":
      "A declaration of what a program reads is `nothing`, or structures with their fields: struct task_struct: pid, comm; struct file: f_inode. Anything else is refused.",
    "annotation.exceeded":
      "A program can do more than its author says that it may do in the lockdown mode this machine is in. The annotation is a promise that others go by, so the object is denied whatever the policy says. Correct the program or the promise; `inspect` shows both.",
    "annotation.reads-exceeded":
      "A program reads kernel memory that its author's declaration (VERITY_BPF_READS) does not name: another field, or something that no CO-RE record gives a name, which nobody can declare. `inspect` lists every such place. Read fields through structures with preserve_access_index, or with BPF_CORE_READ, and name them; or leave the declaration out, and let a policy that does not ask for it decide.",
  ]
}

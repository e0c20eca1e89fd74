extension ErrorCatalogue {
  /// What the workbench and the store say.
  static let workbenchParagraphs: [String: String] = [
    "policy.denied":
      "The policy says DENY. `verity-bpf policy explain` shows each rule with what held and what did not.",
    "policy.lost":
      "The line cannot be said to the mainline kernel and is not in the converted policy. Rules are dropped as a whole, because an ALLOW without one of its conditions would allow more.",
    "policy.widened":
      "A rule that denies could not be converted, so the converted policy allows what the original denies. Find another way to say it in IPE's own properties.",
    "policy.not-convertible":
      "What is left after the conversion is no policy for the kernel, most often because its only DEFAULT was that of BPF_PROG_LOAD.",
    "policy.diff-incomplete":
      "A change may be missing from the list: looking at all facts would have taken too long, or more changes were found than are listed (500 of an operation in each direction). The exit code is 1 then, whatever was found. Compare with --facts files for the objects that matter.",
    "policy.mutation-incomplete":
      "Not every change to the policy was tried against the cases, so more of them may go unnoticed: the policy has too many parts, or comparing a change with the policy over all facts would have taken too long. A change that could not be compared counts as one that no case notices.",
    "policy.no-kernel-config":
      "The kernel's configuration was not found, or the file is none. Distributions put it to /boot/config-RELEASE; kernels built with CONFIG_IKCONFIG_PROC show it in /proc/config.gz.",
    "policy.root-hash":
      "A root hash is 64 hex digits for sha256 or 128 for sha512, as veritysetup prints it and as NAME.roothash holds it.",
    "facts.invalid":
      "A facts file is a JSON object, or an array of objects. `op` must be there; every other fact may be missing or null, which both say that it is not known. A name that does not exist, a value of another kind, two values for one fact and facts that exclude each other are refused with their place, because a fact that is overlooked decides otherwise.",
    "cases.syntax":
      "A test file consists of `case \"NAME\"`, `given FACT=VALUE …` and `expect ALLOW` or `expect DENY`, with `at line N`, `by DEFAULT` or `by RULE` after it if wanted.",
    "cases.none": "The directory holds no file that ends in .cases.",
    "loadpin.list":
      "A LoadPin list begins with the line `# LOADPIN_TRUSTED_VERITY_ROOT_DIGESTS`, to the byte, and has one digest a line. The kernel empties its list at the first mistake, and takes no second one until the next boot.",
    "audit.damaged":
      "The line looks like a record of IPE or of this program and cannot be read, most often because the log was cut while it was written. The other lines are used, and the exit code is 1, because the answer is not about all of the log.",
    "audit.no-decisions":
      "The log was read, and holds no decision that could be decided again: another log, an empty one, one that was rotated away, or one in a form that does not show the records. That nothing would change cannot be said of it.",
    "audit.format":
      "The file is no text: a binary file of the journal, an archive, an encrypted file, a database. The message says which, and what prints its records.",
    "audit.missing":
      "The directory has no audit.jsonl, and none that rotation has put aside. A log that is not there says nothing of a program, which is not the same as one that does not have it.",
    "audit.unreadable":
      "A file of the audit log cannot be read: permissions, something that is no regular file, or a file that got shorter meanwhile.",
    "audit.compression":
      "Logs may be plain, or compressed by gzip, zstd or xz; the bytes say which, not the name. An xz file whose dictionary needs more than 80 MiB of memory is not read.",
    "audit.no-decompressor":
      "Compressed logs are read with zlib (libz.so.1), zstd (libzstd.so.1) and liblzma (liblzma.so.5), which are opened when such a log is met.",
    "audit.damaged-file":
      "The compressed file is cut short, or its checksum is wrong. What it recorded is not known, so it is not passed over.",
    "audit.changing":
      "The log was rotated while it was read, again and again. Reading is begun anew then, because a file could be missed.",
    "audit.no-boot-id":
      "Program ids are counted anew after each start of the machine, so records count only for the start that they are of.",
    "ps.permission":
      "The kernel shows all loaded programs only to CAP_SYS_ADMIN. Listed are those whose pins this user may read and, where the audit log can be read, what it says was loaded; the message says what could not be seen. That a program is not listed means nothing.",
    "audit.busy":
      "Another process has held the lock of the audit log (audit.lock) for longer than a record takes. It may have been stopped; what it locks is free as soon as it ends.",
    "audit.place":
      "The audit directory and its files have to be a directory and regular files of root or of the user who runs the command, writable for nobody else: no FIFO, device or symbolic link. Elsewhere a record could be changed, or never come to an end.",
    "audit.record":
      "The text is not a record of an IPE decision: type=1420, with ipe_op= and rule=. An attempt (type=1121) and a refusal before a policy decided (rule=\"REFUSED …\") hold no facts that a policy could judge.",
    "audit.unwritable":
      "The audit record could not be written, so nothing was done. What leaves no record is not allowed.",
    "store.lost":
      "The store's state is not there. It holds the lowest versions that may be installed; without it an old, validly signed policy could come back, so nothing is decided and nothing is guessed. Restore the directory from a backup.",
    "store.damaged":
      "A file of the store is not what was written to it. No policy is taken from there until it is restored from a backup.",
    "store.none":
      "This machine has no policy store yet, or the run that was to make it did not come to its end. `policy init` makes it; nothing can be lost, because no policy was ever in it.",
    "store.permissions":
      "A file or directory of the policy store belongs to another user than root and the one who runs the command, others can write to it, or it is a link, a FIFO or the like. Whoever can write there decides which policy is in force.",
    "store.not-empty":
      "Where the store is to be made there is something that no store has. A misspelt path would otherwise fill a directory with other purposes.",
    "store.statement":
      "A signed statement about signers is one JSON object of the schema verity-bpf/policy-signers/1, with all of its members and no other. What is not known there could change what the rest means.",
    "store.other":
      "A statement about signers is of one store, by its identifier: another machine's means nothing here. `policy list --signers` shows the identifier.",
    "store.stale-signers":
      "Statements about signers have rising numbers, so that an old one cannot bring a signer back who was retired.",
    "store.last-signer":
      "After this statement nobody would be left whose signature counts: everybody is retired, or who stays was revoked or has a certificate that is made for something else. No policy could follow, and no statement.",
    "store.unknown-signer":
      "The statement retires a certificate that is none of the store's. It was made for another state of the store than this one, so nothing of it is done.",
    "store.active-signer":
      "The active policy counts by the word of this signer. Install and activate one that another signer has signed, then retire the first. A stolen key cannot wait for that: put the signer into the list `revoked`.",
    "settings.unreadable":
      "A file or directory of this host's settings cannot be read. It could say that callers have no choice of policy or log, so nothing that depends on the settings is done.",
    "settings.permissions":
      "A file of settings, or a directory above it, belongs to another user than root, or others can write to it. Whoever can write there decides which policy is in force.",
    "settings.not-a-file":
      "Where a file of settings should be there is a directory, a FIFO or a device. It is not opened and waited for.",
    "settings.too-large": "A file of settings has more than a mebibyte. It is not what its name says.",
    "settings.syntax":
      "A line of a file of settings is no `NAME = VALUE` and no remark, or sets what the file has set before. It could be the line that matters.",
    "settings.unknown":
      "There is no setting of that name. A misspelt setting would bind nobody, so it is an error and not passed over; `config show` lists those that there are.",
    "settings.value": "The value is not of the kind that the setting takes: an absolute path, or yes or no.",
    "settings.binding":
      "This host's settings say require-active-policy: who calls chooses neither a policy nor a log nor trust anchors. The file and the line are named; `config show` prints what holds instead.",
    "store.exists": "There is a store already. Making a new one would forget which versions were installed.",
    "store.stale":
      "The version is not above the highest that this name ever had on this machine. Unlike the kernel's, this memory survives a reboot and the removal of the policy. Only the very same message may be installed again.",
    "store.downgrade":
      "The policy's version is below that of the policy that was activated last, whatever its name; the kernel has the same rule, until it is booted again.",
    "store.name": "Stored policies have names of at most 200 bytes without control characters.",
    "store.unknown": "No policy of that name is installed; `verity-bpf policy list` shows those that are.",
    "store.active": "The active policy cannot be removed; activate another one first. The kernel answers EPERM.",
    "store.no-shadow":
      "No policy is judged beside the active one. One is installed by `verity-bpf policy install --shadow FILE`, signed like any other.",
    "store.none-active": "Policies are installed, and none was made the one that decides.",
  ]
}

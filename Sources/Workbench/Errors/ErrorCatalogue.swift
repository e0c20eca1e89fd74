/// A paragraph for each code of a diagnostic, for `verity-bpf explain-error`.
///
/// A code is stable: scripts match on it, and its paragraph stays. A test holds this table against the sources.
public enum ErrorCatalogue {
  /// What a code means, why it matters, and what to do.
  public static func paragraph(_ code: String) -> String? { all[code] }

  /// Every code that has a paragraph, sorted.
  public static var codes: [String] { all.keys.sorted() }

  private static let all: [String: String] = {
    var all = policyParagraphs
    for more in [
      lintParagraphs, workbenchParagraphs, signatureParagraphs, imageParagraphs, volumeParagraphs, objectParagraphs,
      loadingParagraphs, gateParagraphs,
    ] { all.merge(more) { first, _ in first } }
    return all
  }()

  /// What the parser says.
  private static let policyParagraphs: [String: String] = [
    "policy.empty":
      "The text holds no line that is neither empty nor a comment. The first such line must be the header: policy_name=NAME policy_version=1.0.0. The kernel answers EBADMSG.",
    "policy.header":
      "The first line is not the header. It has exactly two words in this order: policy_name=NAME and policy_version=MAJOR.MINOR.REVISION. In the verity-bpf dialect x_enforcing=FALSE may follow. The kernel answers EBADMSG.",
    "policy.version":
      "The version has not three parts (EBADMSG), a part is no number (EINVAL), or a part is above 65535 (ERANGE). Versions are compared as one number, major first.",
    "policy.version-form":
      "The kernel reads +1.0.0 and 01.0.0 as 1.0.0. Two ways to write one version make it look like two, so the verity-bpf dialect takes the plain form only.",
    "policy.last-version":
      "65535.65535.65535 is the highest version there is. An update must be higher, so this policy can never be updated under its name.",
    "policy.name":
      "The kernel makes a directory of the policy's name: it cannot hold a slash, be `.` or `..` (EACCES), or have more than 255 bytes (ENAMETOOLONG). Names with quotes or bytes that are no UTF-8 are refused in the verity-bpf dialect, because audit records print the name as it is.",
    "policy.no-operation":
      "A rule begins with op=OPERATION; only DEFAULT may stand before it. The kernel answers EBADMSG.",
    "policy.unknown-operation":
      "The word after op= is no operation. The kernel knows EXECUTE, FIRMWARE, KMODULE, KEXEC_IMAGE, KEXEC_INITRAMFS, POLICY and X509_CERT, in capitals; verity-bpf adds BPF_PROG_LOAD. The kernel answers EBADMSG to any other, and does not skip the rule.",
    "policy.two-operations": "A rule has one op=. Write one rule for each operation. The kernel answers EBADMSG.",
    "policy.unknown-property":
      "There is no such property. An unknown property is never skipped: a rule without it would allow more. The kernel answers EBADMSG.",
    "policy.not-mainline":
      "The operation or property is this project's own. The parser of a mainline kernel refuses the whole policy that has it (EBADMSG). `verity-bpf policy convert POLICY` prints the policy without such rules and says what was lost.",
    "policy.bad-value":
      "The value is none of the property's. Words are compared exactly, in the case that is shown; lists have commas and no blanks. The kernel answers EBADMSG for its own properties.",
    "policy.bad-digest":
      "A digest is written alg:hex, for example sha256: and 64 digits. Without a colon the kernel answers EBADMSG; with characters that are no hex digits, or an odd number of them, EINVAL.",
    "policy.unknown-algorithm":
      "The algorithm's name is none that dm-verity or fs-verity report. Names are compared exactly, so SHA256 is not sha256. The kernel takes the policy, and the rule never matches.",
    "policy.digest-length":
      "The number of digits is not the algorithm's. The kernel takes the policy, and the rule never matches: an ALLOW that is missing, or a DENY that is. An example in the kernel's own documentation has this fault.",
    "policy.weak-algorithm":
      "Two different volumes with one sha1 or rmd160 root hash can be made on purpose. Build the volume with sha256.",
    "policy.bad-action":
      "A line ends in action=ALLOW or action=DENY, in capitals. The last word of a line is taken for the action, whatever it is. The kernel answers EBADMSG.",
    "policy.action-not-last":
      "Something follows the action. A remark needs a `#`. The kernel answers EBADMSG.",
    "policy.default-property":
      "A DEFAULT says what happens when no rule matches, so it has no properties. The kernel answers EBADMSG.",
    "policy.duplicate-default":
      "There may be one DEFAULT for everything, and one for each operation, also when both say the same. The kernel answers EBADMSG.",
    "policy.no-default":
      "Something must decide when no rule matches: DEFAULT action=DENY, or a DEFAULT op=… for every operation. The kernel answers EBADMSG.",
    "policy.no-global-default":
      "Each operation known today has its DEFAULT. A kernel that adds an operation allows it under such a policy, with a warning in its log; this program denies it. Add DEFAULT action=DENY.",
    "policy.control-byte":
      "The line holds a byte that editors do not show. VT and FF are blanks at a line's end and parts of words elsewhere; the byte 0xa0 before a line's end is dropped by the kernel, also when it is half of a letter.",
    "policy.bidi-control":
      "A control character changes the direction in which text is shown, so what is read on the screen is not what is evaluated.",
    "policy.bare-cr":
      "A carriage return alone ends a line for the kernel. `# comment` CR `DEFAULT action=ALLOW` shows as one comment in many editors, and is a live line.",
    "policy.nul":
      "The kernel reads a policy up to its first NUL byte. What follows is signed, and never read.",
    "policy.byte-order-mark":
      "The file begins with U+FEFF, which some editors write to say how a text is encoded and which no editor shows. To the kernel and to this program it is a part of the first word, which then is another word: EBADMSG. Save the file as UTF-8 without a byte order mark.",
    "policy.glued-comment":
      "`#` begins a comment even inside a word: dmverity_roothash=sha256:ab#cd is a rule with half a digest. Put a blank before a comment.",
    "policy.contradiction":
      "No object can have both properties, so the rule never matches. Properties of one rule must all hold; for `or`, write two rules.",
    "policy.duplicate-property": "The rule asks for the same thing twice. Once is enough.",
    "policy.never-matches":
      "The rule can never match: the property says something about BPF programs in a rule for another operation, a path pattern does not begin with a slash, or no facts satisfy all that the rule asks for (two patterns without a common path). Properties of one rule must all hold; for `or`, write two rules.",
    "policy.permissive":
      "The header, the default of an operation or a DENY rule says x_enforcing=FALSE. What it denies is recorded with enforcing=0, and does not keep anything from happening: a rule that only records is passed over when what happens is decided, so that it allows nothing that the rest denies. Only the signed policy itself can say so; there is no switch outside.",
    "policy.enforcing":
      "x_enforcing=TRUE or x_enforcing=FALSE stands in the header for the policy, behind DEFAULT op=… for an operation, and in a DENY rule behind op= for that rule; the nearest word counts. A rule that allows has nothing to enforce: to see what it would allow, put it into a shadow policy.",
    "policy.not-listed":
      "The list of findings is cut: so many mistakes are most often one, or the file is of another kind. Put right what is listed and check again.",
    "policy.unknown-helper":
      "No released kernel has a helper of this name, so programs that call the one that was meant are not in the list. Names are those of bpf-helpers(7) without bpf_; functions that programs call by their BTF id (kfuncs) are no helpers. Of a kernel with helpers of its own, write the number.",
    "policy.invalid": "The policy has errors, which `verity-bpf policy check FILE` shows with their places.",
  ]

  /// What the linter says about policies that can be used.
  private static let lintParagraphs: [String: String] = [
    "policy.unreachable":
      "An earlier rule without properties decides every object of the operation, so this rule is never asked. The first rule that matches wins.",
    "policy.shadowed":
      "Everything that this rule matches is matched by earlier ones, which decide: there are no facts about which this rule would decide, so it can go without a change in meaning. Move the narrower rule up, or remove it.",
    "policy.conflict":
      "An earlier rule asks for the same and says the opposite. The first wins; this one is dead text that a reader may take for live.",
    "policy.deny-missing":
      "A DENY rule about BPF programs fails only by evidence that is there. Where what it asks for is not known, or some of it may have been left out (a signature beside the image, the volume, the place the file was copied from), no later rule and no default allows; the decision then says which rule is not ruled out. Rules that are to allow objects without such evidence belong before it. (IPE passes such a rule over: for the kernel's own operations that is so here too.)",
    "policy.allows-absence":
      "The rule allows where evidence is missing: no signature, or none that the kernel checked. The caller of a load can bring that about, so it holds only where verified bytes say that there is none, as for an object in an image that carries no signature. Leave the property out: a rule that asks for less allows both.",
    "policy.never-known":
      "Nothing in this build finds out what the property asks for when a BPF program is judged, or the answer is the same each time. An ALLOW rule about it never allows. A DENY rule about what is never known cannot be ruled out, so that no rule behind it allows; one about another answer than the only one never denies. Remove the rule, or ask for the property that the hint names. `load` takes such a policy and names the DENY rules that are not ruled out, in its answer and in the record.",
    "policy.not-compared":
      "Whether a rule is ever reached is found out over all facts that can be. For this one it would take too long, because its policy asks for too many things at once that depend on each other. Nothing is said about such a rule: it may be reached or not.",
    "policy.default-allow":
      "BPF programs that no rule matches are allowed. IPE's example policies begin with DEFAULT action=ALLOW; for BPF programs add DEFAULT op=BPF_PROG_LOAD action=DENY.",
    "policy.too-large":
      "The kernel decodes no signed message above 65,535 bytes (EMSGSIZE), whatever its policy says: about 560 root-hash rules. Trust a signer of root hashes (dmverity_signature=TRUE) instead of single hashes.",
    "policy.file-name":
      "systemd loads the policies of /etc/ipe and its sister directories at boot, and only files that are called as their policy.",
    "policy.kernel-cannot":
      "The kernel was built without what evaluates this property. It still takes the policy; the property is then false in both senses, TRUE and FALSE.",
    "policy.exists":
      "A policy of that name is loaded. Write the new one to its `update` file. The kernel answers EEXIST.",
    "policy.stale":
      "An update must have a higher version than the loaded policy; the same version is refused too. The kernel answers ESTALE.",
    "policy.other-name":
      "A policy's `update` file takes a policy of the same name only. The kernel answers EINVAL.",
  ]
}

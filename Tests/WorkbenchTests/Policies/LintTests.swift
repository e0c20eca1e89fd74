import Base
import KernelABI
import Policy
import Workbench
import Testing

func parse(_ rules: String, dialect: Dialect = .verityBPF, header: String = "policy_name=t policy_version=1.0.0")
  -> PolicyDocument
{
  PolicyDocument.parse(Array("\(header)\nDEFAULT action=DENY\n\(rules)\n".utf8), dialect: dialect)
}

@Suite struct LintTests {
  private let a = "sha256:" + String(repeating: "aa", count: 32)
  private static let digest = "sha256:" + String(repeating: "cc", count: 32)
  private let b = "sha256:" + String(repeating: "bb", count: 32)

  private func codes(_ rules: String) -> [String] {
    PolicyLint.findings(parse(rules)).map { "\($0.code):\($0.start.line)" }
  }

  @Test func rulesThatAreNeverReached() {
    #expect(codes("op=EXECUTE action=DENY\nop=EXECUTE boot_verified=TRUE action=ALLOW") == ["policy.unreachable:4"])
    #expect(codes("op=EXECUTE action=DENY\nop=KMODULE boot_verified=TRUE action=ALLOW").isEmpty)
    #expect(
      codes(
        "op=EXECUTE boot_verified=TRUE action=ALLOW\nop=EXECUTE boot_verified=TRUE dmverity_signature=TRUE action=DENY")
        == ["policy.shadowed:4"])
    #expect(
      codes(
        "op=EXECUTE boot_verified=TRUE dmverity_signature=TRUE action=DENY\nop=EXECUTE boot_verified=TRUE action=ALLOW"
      )
      .isEmpty)
    #expect(
      codes("op=EXECUTE dmverity_roothash=\(a) action=ALLOW\nop=EXECUTE dmverity_roothash=\(a) action=DENY")
        == ["policy.conflict:4"])
    #expect(
      codes("op=EXECUTE dmverity_roothash=\(a) action=ALLOW\nop=EXECUTE dmverity_roothash=\(b) action=DENY").isEmpty)
  }

  @Test(arguments: [
    ("x_prog_type=xdp,lsm", "x_prog_type=lsm"), ("x_lockdown=NONE", "x_lockdown=CONFIDENTIALITY"),
    ("x_witness=KERNEL", "x_witness=BOTH"), ("bpf_signature=OK", "bpf_signature=METADATA_VERIFIED"),
    ("x_image_version_min=1.4", "x_image_version_min=1.10"), ("x_path=/**", "x_path=/progs/*.o"),
    ("x_requester_uid=0,1", "x_requester_uid=1"), ("x_helpers=ktime_get_ns,get_prandom_u32", "x_helpers=ktime_get_ns"),
  ])
  func widerValuesCoverNarrowerOnes(wide: String, narrow: String) {
    let rule = { (property: String) in "op=BPF_PROG_LOAD \(property) action=ALLOW\n" }
    #expect(codes(rule(wide) + rule(narrow)) == ["policy.shadowed:4"])
    #expect(codes(rule(narrow) + rule(wide)).isEmpty)
  }

  /// What no fact answers: neither allowed nor denied by it.
  @Test(arguments: [
    "boot_verified=TRUE", "boot_verified=FALSE", "bpf_kernel=TRUE",
  ])
  func whatIsNeverKnown(property: String) throws {
    let denial = property.hasPrefix("bpf_kernel") ? "never denies" : "lets no later rule allow"
    for (action, effect) in [("ALLOW", "never allows"), ("DENY", denial)] {
      let text = "op=BPF_PROG_LOAD x_class=RESTRICTED \(property) action=\(action)"
      let finding = try #require(PolicyLint.findings(parse(text)).first)
      #expect(finding.severity == .error && finding.code == "policy.never-known")
      #expect(finding.start == SourcePosition(line: 3, column: 37))
      #expect(finding.message.contains(property.prefix { $0 != "=" }) && finding.message.hasSuffix(effect))
      #expect(finding.hint?.hasPrefix("remove the rule") == true)
      let bytes = Array("policy_name=t policy_version=1.0.0\nDEFAULT action=DENY\n\(text)\n".utf8)
      #expect(!CheckReport(file: "t.pol", bytes: bytes, dialect: .verityBPF).isValid)
      // It is what `load` takes all the same.
      #expect(parse(text).isValid)
    }
  }

  @Test(arguments: [
    "op=EXECUTE boot_verified=TRUE", "op=KMODULE boot_verified=FALSE", "op=BPF_PROG_LOAD bpf_kernel=FALSE",
    "op=BPF_PROG_LOAD x_requester_uid=0", "op=BPF_PROG_LOAD dmverity_signature=TRUE",
    "op=BPF_PROG_LOAD x_requester_object=\(Self.digest)", "op=BPF_PROG_LOAD x_requester_dmverity_signature=TRUE",
  ])
  func whatIsKnownIsNotReported(rule: String) {
    for action in ["ALLOW", "DENY"] {
      #expect(codes("\(rule) action=\(action)").filter { $0.hasPrefix("policy.never-known") }.isEmpty)
    }
  }

  /// One finding for all rules that ask for the same; none for what is always known, nor for the kernel's operations.
  @Test func denialsOfWhatCanBeMissing() throws {
    #expect(
      codes(
        "op=BPF_PROG_LOAD x_object=\(a) action=DENY\nop=BPF_PROG_LOAD dmverity_roothash=\(a) action=DENY\n"
          + "op=BPF_PROG_LOAD dmverity_roothash=\(b) action=DENY\nop=EXECUTE dmverity_roothash=\(b) action=DENY\n"
          + "op=BPF_PROG_LOAD x_class=FULL x_signer=\(b) action=DENY") == [
          "policy.deny-missing:4", "policy.deny-missing:7",
        ])
    let finding = try #require(
      PolicyLint.findings(
        parse("op=BPF_PROG_LOAD x_signer=\(a) action=DENY\nop=BPF_PROG_LOAD x_signer=\(b) action=DENY")
      ).first)
    #expect(finding.severity == .warning && finding.message.hasSuffix("so do 1 more rules"))
    #expect(finding.hint?.contains("before line 3") == true)
  }

  @Test func allowancesByAbsence() {
    for rule in [
      "bpf_signature=UNSIGNED", "bpf_signature=NONE", "dmverity_signature=FALSE", "fsverity_signature=FALSE",
    ] {
      #expect(codes("op=BPF_PROG_LOAD \(rule) action=ALLOW") == ["policy.allows-absence:3"])
    }
    #expect(codes("op=EXECUTE dmverity_signature=FALSE action=ALLOW").isEmpty)
  }

  /// A DENY rule matches what an ALLOW rule before it does not: what is in doubt, or not known.
  @Test func denialsBehindAllowances() {
    let narrow = "x_image_name=a x_class=FULL action=DENY"
    #expect(
      codes("op=BPF_PROG_LOAD x_image_name=a action=ALLOW\nop=BPF_PROG_LOAD \(narrow)") == ["policy.deny-missing:4"])
    // Of what the kernel alone vouches for, only a rule that says so allows anything.
    #expect(
      codes("op=BPF_PROG_LOAD x_class=FULL action=ALLOW\nop=BPF_PROG_LOAD \(narrow)") == ["policy.deny-missing:4"])
    #expect(codes("op=BPF_PROG_LOAD action=ALLOW\nop=BPF_PROG_LOAD x_witness=KERNEL action=ALLOW").isEmpty)
    #expect(
      codes("op=BPF_PROG_LOAD x_class=FULL action=DENY\nop=BPF_PROG_LOAD \(narrow)") == [
        "policy.shadowed:4", "policy.deny-missing:4",
      ])
    #expect(
      codes(
        "op=BPF_PROG_LOAD bpf_keyring=BPF action=ALLOW\n"
          + "op=BPF_PROG_LOAD bpf_keyring=BPF bpf_signature=EXPIRED action=ALLOW"
      ).isEmpty)
  }

  /// Rules that decide nothing for what several others say together, or for what they ask themselves.
  @Test func reachIsFoundOverAllFacts() throws {
    let rules = { (list: [String]) in list.map { "op=BPF_PROG_LOAD \($0)\n" }.joined() }
    let split = rules([
      "x_configured=TRUE action=DENY", "x_configured=FALSE action=DENY", "x_configured=TRUE x_class=FULL action=DENY",
      "x_path=/a/* x_path=/b/* action=ALLOW",
    ])
    #expect(codes(split) == ["policy.shadowed:5", "policy.never-matches:6"])
    let together = rules(["x_lockdown=NONE action=DENY", "x_configured=TRUE action=DENY", "action=DENY", "action=DENY"])
    #expect(codes(together) == ["policy.unreachable:6"])
    let halves = "op=EXECUTE boot_verified=TRUE action=ALLOW\nop=EXECUTE boot_verified=FALSE action=DENY\n"
    let finding = try #require(
      PolicyLint.findings(parse(halves + "op=EXECUTE boot_verified=TRUE dmverity_signature=TRUE action=ALLOW")).first)
    #expect(finding.code == "policy.shadowed" && finding.message.contains("line 3 matches"))
    // What is not known satisfies neither half.
    #expect(codes(halves + "op=EXECUTE action=ALLOW").isEmpty)
    // Two patterns cover what a third leaves.
    let paths = rules(["x_path=/a* action=DENY", "x_path=/?b action=DENY", "x_path=/ab action=DENY"])
    #expect(codes(paths).filter { $0.hasPrefix("policy.shadowed") } == ["policy.shadowed:5"])
  }

  @Test func propertiesThatTheKernelCannotEvaluate() {
    let rules = "op=EXECUTE fsverity_signature=TRUE action=ALLOW\nop=EXECUTE dmverity_roothash=\(a) action=ALLOW"
    let config = KernelConfiguration(
      "CONFIG_SECURITY_IPE=y\nCONFIG_IPE_PROP_DM_VERITY=y\n# CONFIG_IPE_PROP_FS_VERITY_BUILTIN_SIG is not set\n")
    let findings = PolicyLint.findings(parse(rules, dialect: .kernel), config: config)
    #expect(findings.map { $0.code } == ["policy.kernel-cannot"])
    #expect(findings.first?.start == SourcePosition(line: 3, column: 12))
    #expect(PolicyLint.findings(parse("", dialect: .kernel), config: KernelConfiguration("CONFIG_NET=y")).count == 1)
  }

  @Test func nameAndDefault() {
    #expect(PolicyLint.findings(parse(""), fileName: "t.pol").isEmpty)
    #expect(PolicyLint.findings(parse(""), fileName: "u.pol").map { $0.code } == ["policy.file-name"])
    let open = PolicyDocument.parse(
      Array("policy_name=t policy_version=1.0.0\nDEFAULT action=ALLOW\n".utf8), dialect: .verityBPF)
    #expect(PolicyLint.findings(open).map { $0.code } == ["policy.default-allow"])
  }

  /// Where so many rules all differ, the work ends at its bound, and the findings say so. How it grows until there,
  /// `make growth` counts.
  @Test func manyRules() {
    var rules = ""
    for number in 0..<6000 {
      rules += "op=BPF_PROG_LOAD x_path=/progs/\(number)/*.o x_requester_uid=\(number) action=ALLOW\n"
    }
    #expect(PolicyLint.findings(parse(rules)).map { $0.code } == ["policy.too-large"])
  }

  @Test func reportsInEveryFormat() throws {
    let bytes = Array(
      "policy_name=t policy_version=1.0.0\nDEFAULT action=DENY\nop=EXECUTE boot=TRUE action=ALLOW\n".utf8)
    let report = CheckReport(file: "dir/t.pol", bytes: bytes, dialect: .kernel)
    #expect(report.json["kernel_answer"] == "EBADMSG" && report.json["valid"] == false && report.json["name"] == .null)
    #expect(report.gcc.first?.hasPrefix("dir/t.pol:3:12: error: there is no property `boot`") == true)
    let sarif = SARIF.log([report], version: "1")
    #expect(sarif["version"] == "2.1.0")
    #expect(sarif.compact.contains("\"startLine\":3,\"startColumn\":12"))
    // SARIF counts characters, and names files by references.
    let wide = Array(
      "policy_name=t policy_version=1.0.0\nDEFAULT action=DENY\nop=EXECUTE é=1 boot=TRUE action=ALLOW\n".utf8)
    let named = SARIF.log([CheckReport(file: "two wörds.pol", bytes: wide, dialect: .kernel)], version: "1").compact
    #expect(
      named.contains("\"uri\":\"two%20w%C3%B6rds.pol\"")
        && named.contains("\"startColumn\":12,\"endLine\":3,\"endColumn\":13"))
    let good = CheckReport(
      file: "t.pol", bytes: Array("policy_name=t policy_version=1.2.3\nDEFAULT action=DENY\n".utf8), dialect: .kernel)
    #expect(good.json["kernel_answer"] == "ok" && good.json["name"] == "t" && good.json["version"] == "1.2.3")
  }

  /// Words of sections, of tc(8) and of the kernel's headers lead to the word of policies.
  @Test(arguments: [
    ("x_prog_type=tc", "did you mean sched_cls?"), ("x_prog_type=xdp,fentry", "did you mean tracing?"),
    ("x_prog_type=BPF_PROG_TYPE_SCHED_CLS", "did you mean sched_cls?"), ("x_prog_type=XDP", "did you mean xdp?"),
    ("x_prog_type=kprobe.multi", "did you mean kprobe?"), ("x_prog_type=cgroup/skb", "did you mean cgroup_skb?"),
    ("x_prog_type=trasing", "did you mean tracing?"), ("x_attach_type=fexit", "did you mean trace_fexit?"),
    ("x_attach_type=tcx", "did you mean tcx_ingress or tcx_egress?"),
    ("x_attach_type=BPF_TRACE_FENTRY", "did you mean trace_fentry?"),
  ])
  func synonyms(condition: String, hint: String) {
    let document = parse("op=BPF_PROG_LOAD \(condition) action=ALLOW")
    #expect(!document.isValid && document.diagnostics.first?.hint == hint, "\(document.diagnostics)")
    // What a hint names is taken.
    let meant = hint.dropFirst("did you mean ".count).dropLast().split(separator: " or ").joined(separator: ",")
    let name = condition.split(separator: "=")[0]
    #expect(parse("op=BPF_PROG_LOAD \(name)=\(meant) action=ALLOW").isValid)
  }

  /// A helper that no kernel has is most often misspelt.
  @Test func misspeltHelpers() {
    let document = parse("op=BPF_PROG_LOAD x_helpers=map_lookup_elem,map_lokup_elem,212,bpf_ktime_get_ns action=ALLOW")
    let found = PolicyLint.findings(document).filter { $0.code == "policy.unknown-helper" }
    #expect(found.map { $0.hint } == ["did you mean map_lookup_elem?"] && document.isValid)
  }

  /// A list of findings that is cut says so, and how much is missing.
  @Test func cutLists() {
    let mistakes = parse(String(repeating: "op=NOTHING action=ALLOW\n", count: 250))
    #expect(mistakes.diagnostics.count == 201)
    #expect(mistakes.diagnostics.last?.code == "policy.not-listed")
    #expect(mistakes.diagnostics.last?.message.hasPrefix("50 more findings") == true)
    #expect(mistakes.diagnostics.last?.start.line == 203)
    let names = (0..<1010).map { "no_such_\($0)" }.joined(separator: ",")
    let helpers = parse("op=BPF_PROG_LOAD x_helpers=\(names) action=ALLOW")
    let findings = PolicyLint.findings(helpers)
    #expect(findings.count == 1001 && findings.last?.message.hasPrefix("10 more findings") == true, "\(findings.count)")
    let cases = PolicyCases(Array(String(repeating: "nonsense\n", count: 201).utf8))
    #expect(cases.diagnostics.count == 201 && cases.diagnostics.last?.message.hasPrefix("one more finding") == true)
    let few = parse(String(repeating: "op=NOTHING action=ALLOW\n", count: 200))
    #expect(few.diagnostics.count == 200 && !few.diagnostics.contains { $0.code == "policy.not-listed" })
  }
}

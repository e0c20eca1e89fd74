import Base
import KernelABI
import Policy
import Testing

func compile(_ rules: String, header: String = "policy_name=t policy_version=1.0.0") throws -> CompiledPolicy {
  try CompiledPolicy(PolicyDocument.parse(Array("\(header)\n\(rules)\n".utf8), dialect: .verityBPF))
}

@Suite struct EngineTests {
  static let a = "sha256:" + String(repeating: "aa", count: 32)
  static let b = "sha256:" + String(repeating: "bb", count: 32)

  /// One property, facts that satisfy it, and facts that do not. Without the fact the property never holds.
  struct Case: CustomTestStringConvertible, Sendable {
    let property: String
    let yes: [@Sendable (inout Facts) -> Void]
    let no: [@Sendable (inout Facts) -> Void]
    var testDescription: String { property }
  }

  static let cases: [Case] = [
    Case(property: "boot_verified=TRUE", yes: [{ $0.bootVerified = true }], no: [{ $0.bootVerified = false }]),
    Case(property: "boot_verified=FALSE", yes: [{ $0.bootVerified = false }], no: [{ $0.bootVerified = true }]),
    Case(
      property: "dmverity_roothash=\(a)", yes: [{ $0.dmverityRoothash = DigestLiteral(a) }],
      no: [{ $0.dmverityRoothash = DigestLiteral(b) }, { $0.fsverityDigest = DigestLiteral(a) }]),
    Case(
      property: "dmverity_signature=FALSE", yes: [{ ($0.dmveritySignature, $0.settled) = (false, .all) }],
      // It may be what was left out.
      no: [{ $0.dmveritySignature = true }, { $0.dmveritySignature = false }]),
    Case(
      property: "fsverity_digest=\(a)", yes: [{ $0.fsverityDigest = DigestLiteral(a) }],
      no: [{ $0.fsverityDigest = DigestLiteral("sha512:" + String(repeating: "aa", count: 64)) }]),
    Case(
      property: "fsverity_signature=TRUE", yes: [{ $0.fsveritySignature = true }],
      no: [{ $0.fsveritySignature = false }]),
    Case(
      property: "bpf_signature=OK",
      yes: [{ $0.bpfSignature = .ok }, { $0.bpfSignature = .verified }, { $0.bpfSignature = .metadataVerified }],
      no: [
        { $0.bpfSignature = .partial }, { $0.bpfSignature = .unsigned }, { $0.bpfSignature = SignatureVerdict.none },
      ]),
    Case(
      property: "bpf_signature=METADATA_VERIFIED", yes: [{ $0.bpfSignature = .metadataVerified }],
      no: [{ $0.bpfSignature = .ok }]),
    Case(
      property: "bpf_signature=UNSIGNED", yes: [{ ($0.bpfSignature, $0.settled) = (.unsigned, .all) }],
      no: [{ $0.bpfSignature = .ok }, { $0.bpfSignature = .unsigned }]),
    Case(property: "bpf_keyring=BPF", yes: [{ $0.bpfKeyring = .kernel(.bpf) }], no: [{ $0.bpfKeyring = .user }]),
    Case(property: "bpf_kernel=FALSE", yes: [{ $0.bpfKernel = false }], no: [{ $0.bpfKernel = true }]),
    Case(
      property: "x_witness=KERNEL", yes: [{ $0.witnesses = .kernel }, { $0.witnesses = .both }],
      no: [{ $0.witnesses = .userspace }, { $0.witnesses = [] }]),
    Case(property: "x_witness=BOTH", yes: [{ $0.witnesses = .both }], no: [{ $0.witnesses = .kernel }]),
    Case(
      property: "x_sig_source=USERSPACE", yes: [{ $0.signatureSources = .userspace }, { $0.signatureSources = .both }],
      no: [{ $0.signatureSources = .kernel }, { $0.witnesses = .both }]),
    Case(
      property: "x_signer=\(a)",
      yes: [{ $0.signers = [a, b].compactMap { DigestLiteral($0) } }],
      no: [{ $0.signers = [b].compactMap { DigestLiteral($0) } }]),
    Case(
      property: "x_path=/progs/*.o", yes: [{ $0.path = "/progs/a.o" }, { $0.path = "/progs/.o" }],
      no: [{ $0.path = "/progs/x/a.o" }, { $0.path = "/progs/a.oo" }, { $0.path = "/a/progs/a.o" }, { $0.path = "" }]),
    Case(property: "x_path=/**/a?.o", yes: [{ $0.path = "/x/y/ab.o" }], no: [{ $0.path = "/x/y/a/.o" }]),
    Case(property: "x_object=\(a)", yes: [{ $0.object = DigestLiteral(a) }], no: [{ $0.object = DigestLiteral(b) }]),
    Case(
      property: "x_prog_type=xdp,lsm", yes: [{ $0.programTypes = ["lsm"] }, { $0.programTypes = ["xdp", "lsm"] }],
      no: [{ $0.programTypes = ["xdp", "kprobe"] }, { $0.programTypes = [] }]),
    Case(
      property: "x_attach_type=trace_fentry", yes: [{ $0.attachTypes = ["trace_fentry"] }],
      no: [{ $0.attachTypes = ["trace_fexit"] }, { $0.attachTypes = [] }]),
    Case(
      property: "x_helpers=map_lookup_elem,bpf_ktime_get_ns",
      yes: [{ $0.helpers = [] }, { $0.helpers = ["ktime_get_ns"] }],
      no: [{ $0.helpers = ["ktime_get_ns", "probe_write_user"] }]),
    Case(
      property: "x_lockdown=INTEGRITY", yes: [{ $0.lockdown = .integrity }, { $0.lockdown = .confidentiality }],
      no: [{ $0.lockdown = LockdownMode.none }]),
    Case(property: "x_dynamic=TRUE", yes: [{ $0.isDynamic = true }], no: [{ $0.isDynamic = false }]),
    Case(property: "x_configured=TRUE", yes: [{ $0.isConfigured = true }], no: [{ $0.isConfigured = false }]),
    Case(property: "x_configured=FALSE", yes: [{ $0.isConfigured = false }], no: [{ $0.isConfigured = true }]),
    Case(property: "x_core_by_loader=TRUE", yes: [{ $0.coreByLoader = true }], no: [{ $0.coreByLoader = false }]),
    Case(property: "x_core_by_loader=FALSE", yes: [{ $0.coreByLoader = false }], no: [{ $0.coreByLoader = true }]),
    Case(property: "x_kernel_execute=TRUE", yes: [{ $0.kernelExecute = true }], no: [{ $0.kernelExecute = false }]),
    Case(property: "x_executed=TRUE", yes: [{ $0.executed = true }], no: [{ $0.executed = false }]),
    Case(property: "x_executed=FALSE", yes: [{ $0.executed = false }], no: [{ $0.executed = true }]),
    Case(property: "x_kernel_execute=FALSE", yes: [{ $0.kernelExecute = false }], no: [{ $0.kernelExecute = true }]),
    Case(property: "x_class=RESTRICTED", yes: [{ $0.programClass = .restricted }], no: [{ $0.programClass = .full }]),
    Case(
      property: "x_class=FULL", yes: [{ $0.programClass = .full }, { $0.programClass = .restricted }],
      no: [{ $0.lockdown = LockdownMode.none }]),
    Case(
      property: "x_reads=DECLARED", yes: [{ $0.reads = .declared }, { $0.reads = KernelReads.none }],
      no: [{ $0.reads = .undeclared }]),
    Case(property: "x_reads=NONE", yes: [{ $0.reads = KernelReads.none }], no: [{ $0.reads = .declared }]),
    Case(
      property: "x_dmverity_mode=EIO,PANIC", yes: [{ $0.dmverityMode = .panic }], no: [{ $0.dmverityMode = .logging }]),
    Case(property: "x_image_name=tools", yes: [{ $0.imageName = "tools" }], no: [{ $0.imageName = "tools2" }]),
    Case(
      property: "x_image_version_min=1.10",
      yes: [{ $0.imageVersion = [1, 10] }, { $0.imageVersion = [1, 10, 0] }, { $0.imageVersion = [2] }],
      no: [{ $0.imageVersion = [1, 9, 9] }, { $0.imageVersion = [1] }]),
    Case(
      property: "x_requester_uid=0,7", yes: [{ $0.requesterUID = 7 }],
      no: [{ $0.requesterUID = 1 }, { $0.requesterGID = 7 }]),
    Case(property: "x_requester_gid=7", yes: [{ $0.requesterGID = 7 }], no: [{ $0.requesterUID = 7 }]),
    Case(
      property: "x_requester_path=/usr/bin/bpftrace", yes: [{ $0.requesterPath = "/usr/bin/bpftrace" }],
      no: [{ $0.path = "/usr/bin/bpftrace" }]),
    Case(
      property: "x_requester_object=\(a)", yes: [{ $0.requesterObject = DigestLiteral(a) }],
      no: [{ $0.object = DigestLiteral(a) }]),
    Case(
      property: "x_requester_dmverity_roothash=\(a)", yes: [{ $0.requesterRoothash = DigestLiteral(a) }],
      no: [{ $0.dmverityRoothash = DigestLiteral(a) }]),
    Case(
      property: "x_requester_dmverity_signature=TRUE", yes: [{ $0.requesterSignature = true }],
      no: [{ $0.requesterSignature = false }, { $0.dmveritySignature = true }]),
  ]

  @Test(arguments: cases)
  func propertiesHoldFailAndAreUnknown(example: Case) throws {
    let policy = try compile("DEFAULT action=DENY\nop=BPF_PROG_LOAD \(example.property) action=ALLOW")
    let unknown = Facts(operation: .bpfProgLoad)
    #expect(policy.decide(unknown).action == .deny)
    #expect(policy.explain(unknown).rules.first?.properties.first?.outcome == .unknown)
    for change in example.yes {
      var facts = unknown
      change(&facts)
      #expect(policy.decide(facts).action == .allow, "\(facts)")
      #expect(policy.explain(facts).rules.first?.properties.first?.outcome == .holds)
      // The same facts about another operation fall to the default.
      facts.operation = .execute
      #expect(policy.decide(facts).reason == .globalDefault)
    }
    for change in example.no {
      var facts = unknown
      change(&facts)
      #expect(policy.decide(facts).action == .deny, "\(facts)")
    }
  }

  @Test func theFirstMatchWinsAcrossTheIndex() throws {
    let policy = try compile(
      """
      DEFAULT action=DENY
      op=EXECUTE dmverity_roothash=\(Self.a) boot_verified=TRUE action=DENY
      op=EXECUTE dmverity_roothash=\(Self.b) action=ALLOW
      op=EXECUTE dmverity_signature=TRUE action=DENY
      op=EXECUTE dmverity_roothash=\(Self.a) action=ALLOW
      op=EXECUTE fsverity_digest=\(Self.a) action=ALLOW
      op=EXECUTE dmverity_roothash=\(Self.a) action=DENY
      """)
    var facts = Facts(operation: .execute)
    facts.dmverityRoothash = DigestLiteral(Self.a)
    #expect(policy.decide(facts).line == 6)
    facts.dmveritySignature = true
    #expect(policy.decide(facts).line == 5)
    facts.bootVerified = true
    #expect(policy.decide(facts).line == 3)
    facts.dmverityRoothash = DigestLiteral(Self.b)
    #expect(policy.decide(facts).line == 4)
    #expect(policy.decide(facts).ruleText == "op=EXECUTE dmverity_roothash=\(Self.b) action=ALLOW")
    facts = Facts(operation: .execute)
    facts.fsverityDigest = DigestLiteral(Self.a)
    #expect(policy.decide(facts).line == 7)
  }

  @Test func defaultsComeLastWhereverTheyStand() throws {
    let policy = try compile(
      "op=KMODULE boot_verified=TRUE action=ALLOW\nDEFAULT op=KMODULE action=DENY\nDEFAULT action=ALLOW\nop=KMODULE dmverity_signature=TRUE action=ALLOW"
    )
    var facts = Facts(operation: .kmodule)
    #expect(policy.decide(facts).ruleText == "DEFAULT op=KMODULE action=DENY")
    #expect(policy.decide(facts).reason == .operationDefault)
    facts.dmveritySignature = true
    #expect(policy.decide(facts).line == 5)
    #expect(policy.decide(Facts(operation: .firmware)).ruleText == "DEFAULT action=ALLOW")
    #expect(policy.decide(Facts(operation: nil)).ruleText == "DEFAULT action=ALLOW")
  }

  @Test func anOperationWithoutDefaultIsDenied() throws {
    let defaults = Dialect.kernel.operations.map { "DEFAULT op=\($0.rawValue) action=ALLOW\n" }.joined()
    let text = Array("policy_name=t policy_version=1.0.0\n\(defaults)".utf8)
    let policy = try CompiledPolicy(PolicyDocument.parse(text, dialect: .kernel))
    #expect(policy.decide(Facts(operation: nil)).reason == .noDefault)
    #expect(policy.decide(Facts(operation: .bpfProgLoad)).action == .deny)
  }

  /// A rule without a condition comes before the default. One of another operation says nothing, nor does one that is bound to
  /// something.
  @Test(arguments: [
    ("DEFAULT action=DENY", true), ("DEFAULT action=ALLOW", false),
    ("DEFAULT action=ALLOW\nop=EXECUTE action=DENY", true), ("DEFAULT action=DENY\nop=EXECUTE action=ALLOW", false),
    ("DEFAULT action=ALLOW\nop=KMODULE action=DENY", false),
    ("DEFAULT action=ALLOW\nDEFAULT op=EXECUTE action=DENY", true),
    ("DEFAULT action=ALLOW\nop=EXECUTE boot_verified=TRUE action=DENY", false),
    ("DEFAULT action=DENY\nop=EXECUTE boot_verified=TRUE action=ALLOW", true),
    ("DEFAULT action=DENY\nop=EXECUTE action=DENY\nop=EXECUTE action=ALLOW", true),
  ])
  func knowsWhetherItDeniesByDefault(rules: String, denies: Bool) throws {
    let text = Array("policy_name=t policy_version=1.0.0\n\(rules)\n".utf8)
    let policy = try CompiledPolicy(PolicyDocument.parse(text, dialect: .kernel))
    #expect(policy.deniesByDefault(.execute) == denies)
  }

  @Test func anInvalidPolicyIsNotCompiled() {
    let document = PolicyDocument.parse(Array("DEFAULT action=ALLOW".utf8), dialect: .verityBPF)
    #expect(throws: InvalidPolicy.self) { try CompiledPolicy(document) }
  }

  /// The index decides as a walk over the rules would, for random policies and facts.
  @Test func theIndexAgreesWithAWalk() throws {
    var seed = SystemRandomNumberGenerator()
    let digests = (0..<6).map { "sha256:" + String(repeating: "0\($0)", count: 32) }
    // The last two look the same and are not.
    let paths = ["/a", "/b", "/a/b", "/\u{e9}", "/e\u{301}"]
    for _ in 0..<150 {
      var rules = "DEFAULT action=DENY\n"
      for _ in 0..<Int.random(in: 0...25, using: &seed) {
        var words = ["op=BPF_PROG_LOAD"]
        if Bool.random() { words.append("dmverity_roothash=\(digests.randomElement() ?? "")") }
        if Bool.random() { words.append("x_signer=\(digests.randomElement() ?? "")") }
        if Int.random(in: 0..<4) == 0 { words.append("x_object=\(digests.randomElement() ?? "")") }
        if Bool.random() { words.append("x_path=\((paths + ["/*", "/?"]).randomElement() ?? "")") }
        if Bool.random() { words.append("bpf_kernel=\(Bool.random() ? "TRUE" : "FALSE")") }
        rules += words.joined(separator: " ") + " action=\(Bool.random() ? "ALLOW" : "DENY")\n"
      }
      let policy = try compile(rules)
      for _ in 0..<20 {
        var facts = Facts(operation: .bpfProgLoad)
        if Bool.random() { facts.dmverityRoothash = digests.randomElement().flatMap { DigestLiteral($0) } }
        if Bool.random() { facts.object = digests.randomElement().flatMap { DigestLiteral($0) } }
        facts.signers = digests.shuffled().prefix(Int.random(in: 0...3)).compactMap { DigestLiteral($0) }
        if Bool.random() { facts.bpfKernel = Bool.random() }
        if Bool.random() { facts.path = paths.randomElement() }
        let decision = policy.decide(facts)
        let explained = policy.explain(facts).rules
        let walked = explained.first { $0.matches }?.statement
        switch decision.reason {
        case .rule: #expect(walked == decision.statement, "\(rules)\n\(facts)")
        case .notRuledOut: #expect(walked?.action == .allow, "\(rules)\n\(facts)")
        default: #expect(walked == nil, "\(rules)\n\(facts)")
        }
        // The DENY rules before it that nothing fails of, and something is not known.
        let open = explained.prefix { !$0.matches }.filter { rule in
          rule.statement.action == .deny && !rule.properties.contains { $0.outcome == .fails }
        }.map(\.statement.line)
        #expect(decision.unknownDenials.rules.map(\.statement.line) == open, "\(rules)\n\(facts)")
      }
    }
  }
}

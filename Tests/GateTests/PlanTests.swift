import BPFAnalysis
import Base
import Gate
import Policy
import PolicyTestSupport
import Testing

@Suite struct PlanTests {
  private let loader = GateSamples.executable(0, on: 0, path: "/usr/bin/verity-bpf")
  private let tool = GateSamples.executable(1, on: 2, path: "/usr/bin/bpftrace")

  private func plan(
    _ policy: PolicyDocument, _ mode: GateRequest.Mode = .digests, images: [GateRequest.Image] = [],
    loaders: [Executable] = [], executables: [Executable] = []
  ) throws -> GatePlan {
    try GatePlan(
      GateRequest(policy: policy, mode: mode, images: images, loaders: loaders, executables: executables))
  }

  private var toolRule: String {
    "op=BPF_PROG_LOAD x_requester_dmverity_roothash=\(GateSamples.digests[2]) "
      + "x_requester_object=\(GateSamples.digests[1])"
  }

  // MARK: - Executables

  @Test func anExecutableThatARuleNamesGetsARow() throws {
    let plan = try plan(
      GateSamples.policy("\(toolRule) x_prog_type=tracing,kprobe action=ALLOW"), executables: [loader, tool])
    let scope = ProgramScope(
      types: [.init(type: "kprobe", attachTypes: nil), .init(type: "tracing", attachTypes: nil)], helpers: nil)
    #expect(plan.rows.executables == [GateRows.ExecutableRow(tool, .programs(scope, line: 3))])
    #expect(plan.rows.admits(GateLoad(executable: tool.identity, type: "tracing", attachType: "trace_fentry")))
    #expect(!plan.rows.admits(GateLoad(executable: tool.identity, type: "xdp", attachType: "xdp")))
    #expect(!plan.rows.admits(GateLoad(executable: loader.identity, type: "tracing", attachType: nil)))
    #expect(!plan.rows.admits(GateLoad(executable: nil, type: "tracing", attachType: nil)))
    #expect(!plan.leavesOut)
  }

  @Test func withoutTypesTheRowIsForEveryProgram() throws {
    let plan = try plan(GateSamples.policy("\(toolRule) action=ALLOW"), executables: [tool])
    #expect(plan.rows.executables == [GateRows.ExecutableRow(tool, .programs(.all, line: 3))])
  }

  @Test func anEarlierDenialOfATypeNarrowsTheRow() throws {
    let plan = try plan(
      GateSamples.policy("op=BPF_PROG_LOAD x_prog_type=lsm action=DENY", "\(toolRule) action=ALLOW"),
      executables: [tool])
    #expect(!plan.rows.admits(GateLoad(executable: tool.identity, type: "lsm", attachType: "lsm_mac")))
    #expect(plan.rows.admits(GateLoad(executable: tool.identity, type: "xdp", attachType: "xdp")))
    guard case .narrower(let reason)? = plan.outcome(ofLine: 4) else { return #expect(Bool(false)) }
    #expect(reason.contains("DENY at line 3"), "\(reason)")
  }

  /// The hook cannot tell whose instructions an executable submits, so they may be those of a revoked object.
  @Test func aRevokedObjectLeavesNoRowToWhoMayLoadAnything() throws {
    let plan = try plan(
      GateSamples.policy(
        "op=BPF_PROG_LOAD x_object=\(GateSamples.digests[0]) action=DENY", "\(toolRule) action=ALLOW"),
      executables: [tool])
    #expect(plan.rows.isEmpty)
    #expect(plan.outcome(ofLine: 4)?.reasonForLeavingOut?.contains("DENY at line 3") == true)
  }

  @Test(arguments: ["x_requester_uid=0", "x_requester_path=/usr/bin/bpftrace", "bpf_kernel=FALSE"])
  func whatTheHookDoesNotKnowMakesNoRow(_ property: String) throws {
    let plan = try plan(GateSamples.policy("\(toolRule) \(property) action=ALLOW"), executables: [tool])
    #expect(plan.rows.isEmpty && plan.leavesOut)
    let name = property.prefix { $0 != "=" }
    #expect(plan.outcome(ofLine: 3)?.reasonForLeavingOut?.contains(name) == true, "\(plan.omissions)")
  }

  @Test func anExecutableThatWasNotGivenIsAskedFor() throws {
    let plan = try plan(GateSamples.policy("\(toolRule) action=ALLOW"), executables: [loader])
    #expect(plan.outcome(ofLine: 3)?.reasonForLeavingOut?.contains("--executable") == true)
  }

  // MARK: - Classes

  @Test func aClassNamesTypesAndHelpers() throws {
    let plan = try plan(
      GateSamples.policy("op=BPF_PROG_LOAD x_prog_type=cgroup_device x_helpers=trace_printk action=ALLOW"))
    let load = GateLoad(executable: nil, type: "cgroup_device", attachType: "cgroup_device", helpers: ["trace_printk"])
    #expect(plan.rows.admits(load))
    var other = load
    other.helpers.append("probe_read")
    #expect(!plan.rows.admits(other))
    other = load
    other.type = "xdp"
    #expect(!plan.rows.admits(other))
    other = load
    other.callsKernelFunctions = true
    #expect(!plan.rows.admits(other))
    guard case .narrower(let reason)? = plan.outcome(ofLine: 3) else { return #expect(Bool(false)) }
    #expect(reason.contains("functions of the kernel"))
  }

  @Test(arguments: [
    "x_prog_type=xdp", "x_helpers=trace_printk", "", "x_class=RESTRICTED",
    "x_class=RESTRICTED x_prog_type=xdp x_helpers=trace_printk",
  ])
  func whatIsNoClassIsLeftOut(_ properties: String) throws {
    let plan = try plan(GateSamples.policy("op=BPF_PROG_LOAD \(properties) action=ALLOW"))
    #expect(plan.rows.isEmpty && plan.outcome(ofLine: 3)?.reasonForLeavingOut != nil)
  }

  /// The rule about two helpers denies programs that call both; those that call one of them are allowed before.
  @Test func aClassIsTriedWithEachSetOfHelpersThatRulesTellApart() throws {
    let class3 = "op=BPF_PROG_LOAD x_prog_type=xdp x_helpers=ktime_get_ns,trace_printk,map_lookup_elem action=ALLOW"
    let plan = try plan(
      GateSamples.policy(
        "op=BPF_PROG_LOAD x_prog_type=xdp x_helpers=ktime_get_ns action=ALLOW",
        "op=BPF_PROG_LOAD x_helpers=ktime_get_ns,trace_printk action=DENY", class3))
    #expect(plan.rows.classes.map(\.line) == [3])
    #expect(plan.outcome(ofLine: 5)?.reasonForLeavingOut?.contains("DENY at line 4") == true)
  }

  // MARK: - Digests

  @Test func programsOfAnImageGetDigests() throws {
    let image = try GateSamples.image([
      ("a.bpf.o", GateSamples.programs(GateSamples.xdp)), ("b.bpf.o", GateSamples.programs(GateSamples.xdp)),
      ("c.bpf.o", GateSamples.programs(GateSamples.socketFilter)),
    ])
    let policy = GateSamples.policy(
      "op=BPF_PROG_LOAD x_path=/c* action=DENY", "op=BPF_PROG_LOAD dmverity_roothash=\(image.rootHash) action=ALLOW")
    let plan = try plan(policy, images: [image], loaders: [loader])
    #expect(plan.rows.digests.count == 1)
    #expect(plan.rows.digests.first?.sources.map(\.object) == ["a.bpf.o", "b.bpf.o"])
    #expect(plan.fate(of: "pass") == .row(line: 4))
    #expect(plan.fate(of: "filter") == .denied("DENY at line 3"))
    #expect(plan.outcome(ofLine: 4) == .complete && !plan.leavesOut)
    #expect(plan.rows.executables == [GateRows.ExecutableRow(loader, .listed)])

    let program = try #require(image.objects.first?.programs.first)
    let load = GateLoad(
      executable: loader.identity, type: "xdp", attachType: "xdp", instructions: program.submitted)
    #expect(plan.rows.admits(load))
    for change in [
      { $0.executable = self.tool.identity }, { $0.executable = nil }, { $0.type = "sched_cls" },
      { $0.attachType = "xdp_devmap" }, { $0.attachTarget = "sched_switch" }, { $0.instructions = nil },
      {
        $0.instructions = program.submitted.map {
          .init(digest: $0.digest, count: $0.count, coreRelocations: $0.coreRelocations + 1)
        }
      },
    ] as [(inout GateLoad) -> Void] {
      var other = load
      change(&other)
      #expect(other != load && !plan.rows.admits(other), "\(other)")
    }
  }

  @Test func aProgramWithNumbersOfTheKernelIsLeftOut() throws {
    let image = try GateSamples.image([("k.bpf.o", GateSamples.programs(GateSamples.kernelFunction))])
    let plan = try plan(
      GateSamples.policy("op=BPF_PROG_LOAD x_path=/** action=ALLOW"), images: [image], loaders: [loader])
    guard case .leftOut(let reason)? = plan.fate(of: "call") else { return #expect(Bool(false)) }
    #expect(reason.contains("bpf_test_kernel"), "\(reason)")
    #expect(plan.leavesOut && plan.rows.digests.isEmpty)
  }

  @Test func whatIsKnownOnlyAtTheLoadIsLeftOut() throws {
    let image = try GateSamples.image([("a.bpf.o", GateSamples.programs(GateSamples.xdp))])
    let plan = try plan(
      GateSamples.policy("op=BPF_PROG_LOAD dmverity_signature=TRUE action=ALLOW"), images: [image], loaders: [loader])
    #expect(plan.rows.digests.isEmpty)
    #expect(plan.outcome(ofLine: 3)?.reasonForLeavingOut?.contains("dmverity_signature") == true)
    guard case .leftOut(let reason)? = plan.fate(of: "pass") else { return #expect(Bool(false)) }
    #expect(reason.contains("line 3") && reason.contains("dmverity_signature"), "\(reason)")
  }

  /// Whether the kernel vouches for a volume too is known once it is open.
  @Test(arguments: [("BOTH", true), ("KERNEL", true), ("USERSPACE", false)])
  func theKernelsWordIsNotKnownBeforehand(_ witness: String, _ isLeftOut: Bool) throws {
    let image = try GateSamples.image([("a.bpf.o", GateSamples.programs(GateSamples.xdp))])
    let plan = try plan(
      GateSamples.policy("op=BPF_PROG_LOAD dmverity_roothash=\(image.rootHash) x_witness=\(witness) action=ALLOW"),
      images: [image], loaders: [loader])
    #expect(plan.leavesOut == isLeftOut)
    #expect((plan.outcome(ofLine: 3)?.reasonForLeavingOut?.contains("x_witness") ?? false) == isLeftOut)
    #expect(plan.rows.digests.isEmpty == isLeftOut)
  }

  /// Of a rule that tells too many loads apart the plan says so, before it has tried them for hours.
  @Test func tooManyListsOfHelpersAreNotTried() throws {
    let names = [
      "map_lookup_elem", "map_update_elem", "map_delete_elem", "probe_read", "ktime_get_ns", "trace_printk",
      "get_prandom_u32", "get_smp_processor_id", "skb_store_bytes", "tail_call",
    ]
    var rules = names.map { left in
      "op=BPF_PROG_LOAD x_path=/nowhere x_helpers=\(names.filter { $0 != left }.joined(separator: ",")) action=ALLOW"
    }
    rules.append("op=BPF_PROG_LOAD x_prog_type=xdp x_helpers=\(names.joined(separator: ",")) action=ALLOW")
    let text = "policy_name=site policy_version=1.2.0\nDEFAULT action=DENY\n" + rules.joined(separator: "\n") + "\n"
    let plan = try plan(PolicyDocument.parse(Array(text.utf8), dialect: .verityBPF))
    #expect(plan.rows.isEmpty)
    #expect(plan.outcome(ofLine: 13)?.reasonForLeavingOut?.contains("too many") == true, "\(plan.omissions)")
  }

  @Test func aDenialThatIsNotRuledOutLeavesProgramsOut() throws {
    let image = try GateSamples.image([("a.bpf.o", GateSamples.programs(GateSamples.xdp))])
    let plan = try plan(
      GateSamples.policy(
        "op=BPF_PROG_LOAD x_signer=\(GateSamples.digests[1]) action=DENY",
        "op=BPF_PROG_LOAD x_path=/** action=ALLOW"),
      images: [image], loaders: [loader])
    guard case .leftOut(let reason)? = plan.fate(of: "pass") else { return #expect(Bool(false)) }
    #expect(reason.contains("line 3") && reason.contains("x_signer"), "\(reason)")
  }

  /// A digest does not say which of the loaders asks.
  @Test func allLoadersHaveToBeAllowed() throws {
    let image = try GateSamples.image([("a.bpf.o", GateSamples.programs(GateSamples.xdp))])
    let policy = GateSamples.policy(
      "op=BPF_PROG_LOAD x_requester_object=\(tool.digest) action=DENY", "op=BPF_PROG_LOAD x_path=/** action=ALLOW")
    #expect(try plan(policy, images: [image], loaders: [loader]).fate(of: "pass") == .row(line: 4))
    let both = try plan(policy, images: [image], loaders: [loader, tool])
    #expect(both.fate(of: "pass") == .denied("DENY at line 3") && both.rows.digests.isEmpty)
  }

  /// Of a module the gate sees the volume that it is read from.
  @Test func modulesOfAVolume() throws {
    let volume = "op=KMODULE dmverity_roothash=\(GateSamples.digests[1]) action=ALLOW"
    let program = "\(toolRule) action=ALLOW"
    let plan = try plan(GateSamples.policy(program, volume, volume), executables: [tool])
    #expect(plan.rows.modules == [GateRows.ModuleRow(rootHash: GateSamples.digests[1], line: 4)])
    #expect(plan.outcome(ofLine: 4) == .complete && plan.outcome(ofLine: 5) == .complete && !plan.leavesOut)
    #expect(try self.plan(GateSamples.policy(volume)).rows.isEmpty)
    let tables = GateTables(plan.rows) { _ in nil }
    #expect(tables.executables.count == 2 && tables.count(.executables) == 2)
    let row = try #require(tables.executables.last)
    #expect(row.key.suffix(8).allSatisfy { $0 == 0xff } && GateTables.rights(of: row) == .modules)
    // Modes differ in loaders alone.
    #expect(GateTables.changing(row, to: .digests) == row && GateTables.changing(row, to: .loader) == row)
  }

  @Test(arguments: [
    ("op=KMODULE boot_verified=TRUE action=ALLOW", "and nothing else"),
    ("op=KMODULE dmverity_signature=TRUE action=ALLOW", "and nothing else"),
    ("DEFAULT op=KMODULE action=ALLOW", "and nothing else"),
    (
      "op=KMODULE dmverity_signature=FALSE action=DENY\nop=KMODULE dmverity_roothash=\(GateSamples.digests[1]) action=ALLOW",
      "does not see"
    ),
    (
      "op=KMODULE dmverity_roothash=\(GateSamples.digests[1]) action=DENY\n"
        + "op=KMODULE dmverity_roothash=\(GateSamples.digests[1]) action=ALLOW", "DENY at line"
    ),
  ])
  func modulesThatGetNoRow(rules: String, reason: String) throws {
    let plan = try plan(GateSamples.policy(rules))
    #expect(plan.rows.modules.isEmpty && plan.leavesOut)
    #expect(plan.omissions.contains { $0.contains(reason) }, "\(plan.omissions)")
  }

  /// The rules that the documentation gives for managers of services and containers.
  @Test func rulesForServicesAreClasses() throws {
    let plan = try plan(
      GateSamples.policy(
        "op=BPF_PROG_LOAD x_dynamic=TRUE x_prog_type=cgroup_device x_attach_type=cgroup_device "
          + "x_helpers=map_lookup_elem action=ALLOW",
        "op=BPF_PROG_LOAD x_dynamic=TRUE x_prog_type=cgroup_skb x_attach_type=cgroup_inet_ingress,cgroup_inet_egress "
          + "x_helpers=map_lookup_elem,skb_load_bytes action=ALLOW"))
    #expect(!plan.leavesOut && plan.rows.classes.count == 2)
    let devices = GateLoad(executable: nil, type: "cgroup_device", attachType: "cgroup_device")
    let addresses = GateLoad(
      executable: nil, type: "cgroup_skb", attachType: "cgroup_inet_egress", helpers: ["skb_load_bytes"])
    #expect(plan.rows.admits(devices) && plan.rows.admits(addresses))
    #expect(!plan.rows.admits(GateLoad(executable: nil, type: "cgroup_sysctl", attachType: "cgroup_sysctl")))
  }

  /// A generator is named by its volume and its bytes; an object is none of its programs.
  @Test func generatorsGetRows() throws {
    let image = try GateSamples.image([("a.bpf.o", GateSamples.programs(GateSamples.xdp))])
    let rule = "\(toolRule) x_dynamic=TRUE x_prog_type=tracing action=ALLOW"
    let plan = try plan(GateSamples.policy(rule), images: [image], loaders: [loader], executables: [tool])
    let scope = ProgramScope(types: [.init(type: "tracing", attachTypes: nil)], helpers: nil)
    #expect(plan.rows.executables.last == GateRows.ExecutableRow(tool, .programs(scope, line: 3)))
    #expect(plan.rows.digests.isEmpty && plan.outcome(ofLine: 3)?.reasonForLeavingOut == nil)
    guard case .denied? = plan.fate(of: "pass") else { return #expect(Bool(false), "\(plan.programs)") }
    let judging = try self.plan(GateSamples.policy(rule), .loader, loaders: [tool], executables: [tool])
    #expect(judging.rows.executables.count == 2)
  }

  @Test(arguments: [
    "x_requester_dmverity_roothash=\(GateSamples.digests[2])", "x_requester_object=\(GateSamples.digests[1])",
  ])
  func aGeneratorThatIsNotNamedWholeGetsNone(name: String) throws {
    let plan = try plan(
      GateSamples.policy("op=BPF_PROG_LOAD \(name) x_dynamic=TRUE action=ALLOW"), executables: [tool])
    #expect(plan.rows.isEmpty)
    #expect(plan.outcome(ofLine: 3)?.reasonForLeavingOut?.contains("by its volume and its bytes") == true)
  }

  /// What the hook admits without a digest has no object that it knows.
  @Test func rulesAboutObjectsAdmitNoGenerator() throws {
    let objects = try plan(GateSamples.policy("\(toolRule) x_dynamic=FALSE action=ALLOW"), executables: [tool])
    #expect(objects.rows.isEmpty && objects.leavesOut)
    let denied = try plan(
      GateSamples.policy("op=BPF_PROG_LOAD x_dynamic=TRUE action=DENY", "\(toolRule) action=ALLOW"),
      executables: [tool])
    #expect(denied.rows.isEmpty && denied.leavesOut)
  }

  /// A loader knows its own executable and judges by it; another one's the rule does not concern.
  @Test func aLoaderJudgesByItsOwnExecutable() throws {
    let policy = GateSamples.policy("\(toolRule) x_path=/a.bpf.o action=ALLOW")
    let named = try plan(policy, .loader, loaders: [tool])
    #expect(named.outcome(ofLine: 3) == .complete && !named.leavesOut)
    let other = try plan(policy, .loader, loaders: [loader])
    #expect(other.outcome(ofLine: 3)?.reasonForLeavingOut?.contains("an executable that is none") == true)
  }

  /// What a manifest does not say of an image's name is not there; without manifest it is not known.
  @Test func theNameOfAnImageWithoutManifestIsNotKnown() throws {
    let objects = [
      GateRequest.Object(
        path: "a.bpf.o", digest: GateSamples.digests[1], programs: try GateSamples.programs(GateSamples.xdp))
    ]
    let policy = GateSamples.policy(
      "op=BPF_PROG_LOAD x_image_name=evil action=DENY", "op=BPF_PROG_LOAD x_path=/** action=ALLOW")
    for hasManifest in [true, false] {
      let image = GateRequest.Image(
        file: "i.raw", rootHash: GateSamples.digests[0], name: nil, version: nil, hasManifest: hasManifest,
        objects: objects)
      #expect(try plan(policy, images: [image], loaders: [loader]).rows.digests.isEmpty == !hasManifest)
    }
  }

  @Test func aRuleBehindAnotherOfTheSameProgramsIsNotLeftOut() throws {
    let image = try GateSamples.image([("a.bpf.o", GateSamples.programs(GateSamples.xdp))])
    let plan = try plan(
      GateSamples.policy(
        "op=BPF_PROG_LOAD x_path=/** action=ALLOW",
        "op=BPF_PROG_LOAD dmverity_roothash=\(image.rootHash) action=ALLOW",
        "op=BPF_PROG_LOAD dmverity_roothash=\(GateSamples.digests[2]) action=ALLOW"),
      images: [image], loaders: [loader])
    #expect(plan.outcome(ofLine: 4) == .complete)
    #expect(plan.outcome(ofLine: 5)?.reasonForLeavingOut != nil)
  }

  @Test func digestsWithoutALoaderAreOfNoUse() throws {
    let image = try GateSamples.image([("a.bpf.o", GateSamples.programs(GateSamples.xdp))])
    let plan = try plan(GateSamples.policy("op=BPF_PROG_LOAD x_path=/** action=ALLOW"), images: [image])
    #expect(plan.rows.digests.count == 1)
    #expect(plan.outcome(ofLine: 3)?.reasonForLeavingOut?.contains("--loader") == true)
  }

  // MARK: - Loaders that judge

  @Test func aLoaderThatJudgesCoversRulesAboutObjects() throws {
    let policy = GateSamples.policy(
      "op=BPF_PROG_LOAD dmverity_signature=TRUE x_requester_uid=0 action=ALLOW", "\(toolRule) action=ALLOW")
    let judged = try plan(policy, .loader, loaders: [loader])
    #expect(judged.rows.executables == [GateRows.ExecutableRow(loader, .judging)])
    #expect(judged.outcome(ofLine: 3) == .complete && judged.programs.isEmpty)
    #expect(judged.outcome(ofLine: 4)?.reasonForLeavingOut != nil)
    #expect(judged.rows.admits(GateLoad(executable: loader.identity, type: "lsm", attachType: "lsm_mac")))
    #expect(try plan(policy, .loader).outcome(ofLine: 3)?.reasonForLeavingOut?.contains("--loader") == true)
  }

  // MARK: - The policy as a whole

  @Test func aDefaultThatAllowsIsLeftOut() throws {
    let plan = try plan(GateSamples.policy(fallback: "ALLOW"))
    #expect(plan.rows.isEmpty && plan.outcome(ofLine: 2)?.reasonForLeavingOut != nil)
  }

  /// The default of all operations says nothing where BPF programs have one of their own.
  @Test func theDefaultOfOthersIsNoConcern() throws {
    let plan = try plan(GateSamples.policy("DEFAULT op=BPF_PROG_LOAD action=DENY", fallback: "ALLOW"))
    #expect(plan.rules.isEmpty && !plan.leavesOut)
  }

  @Test func aPermissivePolicyIsNotWhatTheGateDoes() throws {
    let text = "policy_name=site policy_version=1.2.0 x_enforcing=FALSE\nDEFAULT action=DENY\n"
    let plan = try plan(PolicyDocument.parse(Array(text.utf8), dialect: .verityBPF))
    #expect(plan.omissions.contains { $0.contains("x_enforcing") })
  }

  @Test func rulesOfOtherOperationsAreNoConcern() throws {
    let plan = try plan(GateSamples.policy("op=EXECUTE boot_verified=TRUE action=ALLOW"))
    #expect(plan.rules.isEmpty && !plan.leavesOut)
  }

  @Test func aPolicyWithErrorsIsRefused() {
    #expect(throws: InvalidPolicy.self) { try plan(GateSamples.policy("op=BPF_PROG_LOAD nonsense=1 action=ALLOW")) }
  }
}

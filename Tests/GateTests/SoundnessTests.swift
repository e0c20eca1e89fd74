import BPFAnalysis
import Base
import Gate
import KernelABI
import Policy
import PolicyTestSupport
import Testing

/// Whatever rows admit, the policy allows: held against the policy engine, whose answers to loads are the meaning of a
/// policy.
@Suite struct SoundnessTests {
  private static let types = ["xdp", "tracing", "cgroup_device", "socket_filter"]
  private static let attachTypes: [String?] = ["trace_fentry", "xdp", nil]
  private static let helpers = ["ktime_get_ns", "trace_printk", "map_lookup_elem", "probe_read_kernel"]
  /// What rows can say, several times, so that policies ask for it more often than for all else together.
  private static let questions: [(name: String, values: [String])] = (0..<5).flatMap { _ in
    [
      (name: "x_prog_type", values: types + ["xdp,cgroup_device", "tracing,socket_filter"]),
      (name: "x_attach_type", values: ["trace_fentry", "xdp,trace_fentry"]),
      (
        name: "x_helpers",
        values: [
          "ktime_get_ns", "ktime_get_ns,trace_printk", "map_lookup_elem,trace_printk",
          "ktime_get_ns,trace_printk,map_lookup_elem",
        ]
      ),
      (name: "x_requester_object", values: RandomPolicies.digests),
      (name: "x_requester_dmverity_roothash", values: RandomPolicies.digests),
    ]
  }

  private static let executables = [GateSamples.executable(0, on: 1), GateSamples.executable(2, on: 2, path: "/bin/b")]

  /// A load as a hook may see it.
  private static func load(_ generator: inout SeededGenerator) -> GateLoad {
    let known = executables.map { Optional($0.identity) }
    return GateLoad(
      executable: (known + [nil]).randomElement(using: &generator) ?? nil,
      type: types.randomElement(using: &generator) ?? "xdp",
      attachType: attachTypes.randomElement(using: &generator) ?? nil,
      helpers: helpers.filter { _ in generator.isOne(in: 3) }, callsKernelFunctions: generator.isOne(in: 5))
  }

  /// What the hook knows of a load.
  private static func facts(_ load: GateLoad) -> Facts {
    var facts = Facts(operation: .bpfProgLoad)
    facts.isDynamic = true
    let executable = executables.first { $0.identity == load.executable }
    facts.requesterRoothash = executable.map { DigestLiteral($0.identity.rootHash) }
    facts.requesterObject = executable.map { DigestLiteral($0.digest) }
    facts.programTypes = [load.type]
    facts.attachTypes = load.attachType.map { [$0] } ?? []
    facts.helpers = load.helpers
    return facts
  }

  /// The same load with more known about it than the hook or the plan can know.
  private static func completed(_ facts: Facts, _ generator: inout SeededGenerator) -> Facts {
    var facts = facts
    let digests = GateSamples.digests.map { DigestLiteral($0) }
    func maybe<Value>(_ current: Value?, _ values: [Value]) -> Value? {
      current ?? (generator.isOne(in: 3) ? nil : values.randomElement(using: &generator))
    }
    facts.object = maybe(facts.object, digests)
    facts.programClass = maybe(facts.programClass, ProgramClass.allCases)
    facts.reads = maybe(facts.reads, KernelReads.allCases)
    facts.lockdown = maybe(facts.lockdown, [.none, .integrity, .confidentiality])
    facts.isConfigured = maybe(nil, [true, false])
    facts.bpfKernel = maybe(nil, [true, false])
    facts.requesterUID = maybe(nil, [0, 5, 7])
    facts.requesterGID = maybe(nil, [0, 5])
    facts.requesterPath = maybe(nil, ["/usr/bin/a", "/usr/bin/c"])
    facts.requesterSignature = maybe(nil, [true, false])
    facts.bpfSignature = maybe(nil, SignatureVerdict.allCases)
    facts.bpfKeyring = maybe(nil, [.user, .kernel(.bpf), .kernel(.builtin)])
    facts.signers = generator.isOne(in: 2) ? [] : [digests[0]]
    facts.signatureSources = maybe(nil, [.kernel, .userspace, .both])
    facts.dmveritySignature = maybe(nil, [true, false])
    facts.dmverityMode = maybe(nil, [.eio, .restart])
    if facts.dmverityRoothash == nil {
      facts.dmverityRoothash = maybe(nil, digests)
      facts.witnesses = maybe(nil, [.userspace, .both])
      facts.blocksVerified = maybe(nil, [true])
      facts.path = maybe(nil, ["/a", "/b", "/d/e"])
      facts.imageName = maybe(nil, ["demo", "evil"])
      facts.imageVersion = maybe(nil, [[1, 5], [3]])
      facts.fsverityDigest = maybe(nil, digests)
      facts.fsveritySignature = maybe(nil, [true, false])
    } else {
      facts.witnesses = generator.isOne(in: 2) ? .both : .userspace
    }
    return facts
  }

  @Test func whatRowsAdmitThePolicyAllows() throws {
    var generator = SeededGenerator(seed: 22)
    var admitted = 0
    var refused = 0
    for _ in 0..<3000 {
      let (text, policy) = RandomPolicies.next(&generator, more: Self.questions)
      let plan = try GatePlan(
        GateRequest(
          policy: PolicyDocument.parse(Array(text.utf8), dialect: .verityBPF), mode: .digests,
          executables: Self.executables))
      for _ in 0..<40 {
        let load = Self.load(&generator)
        let known = Self.facts(load)
        if plan.rows.admits(load) {
          admitted += 1
          let facts = Self.completed(known, &generator)
          let decision = policy.decide(facts)
          try #require(decision.action == .allow, "\(text)\n\(load)\n\(facts): \(decision.summary)")
        } else if policy.decide(known).action == .allow {
          refused += 1
          // Never silently.
          try #require(plan.rules.contains { !$0.outcome.isComplete }, "\(text)\n\(load)")
        }
      }
    }
    // Both happen often enough for the test to mean something.
    #expect(admitted > 300, "\(admitted)")
    #expect(refused > 300, "\(refused)")
  }

  @Test func whatDigestsAdmitThePolicyAllows() throws {
    let image = try GateSamples.image([
      ("a", GateSamples.programs(GateSamples.xdp)), ("d/e", GateSamples.programs(GateSamples.socketFilter)),
    ])
    let loaders = [Self.executables[0]]
    var generator = SeededGenerator(seed: 23)
    var admitted = 0
    for _ in 0..<3000 {
      let (text, policy) = RandomPolicies.next(&generator)
      let plan = try GatePlan(
        GateRequest(
          policy: PolicyDocument.parse(Array(text.utf8), dialect: .verityBPF), mode: .digests, images: [image],
          loaders: loaders))
      for object in image.objects {
        for program in object.programs {
          let load = GateLoad(
            executable: loaders[0].identity, type: program.typeName, attachType: program.attachTypeName,
            helpers: program.helpers.compactMap(\.name), instructions: program.submitted)
          guard plan.rows.admits(load) else { continue }
          admitted += 1
          var facts = Self.facts(load)
          // What a class admits nobody has to show an object for.
          facts.isDynamic = plan.rows.classes.contains { $0.scope.admits(load) }
          facts.take(program)
          facts.object = DigestLiteral(object.digest)
          facts.path = "/" + object.path
          facts.dmverityRoothash = DigestLiteral(image.rootHash)
          facts.blocksVerified = true
          (facts.imageName, facts.imageVersion) = (image.name, image.version)
          facts.settled.insert(.fsverityDigest)
          facts.settled.insert(.fsveritySignature)
          facts = Self.completed(facts, &generator)
          let decision = policy.decide(facts)
          try #require(decision.action == .allow, "\(text)\n\(facts): \(decision.summary)")
        }
      }
    }
    #expect(admitted > 300, "\(admitted)")
  }
}

internal import BPFAnalysis
internal import BPFObject
internal import Base
internal import KernelABI
internal import Policy

/// Makes the rows of a plan, first those of programs, then those of rules.
struct PlanCompiler {
  let policy: CompiledPolicy
  let request: GateRequest
  var direct: DirectLoads
  var rows = GateRows()
  /// The facts about programs of the images that have rows.
  private(set) var admitted: [Facts] = []
  /// How many of them were held against rules that did not decide about them, and whether all were.
  var programsTried = 0
  var isEveryProgramTried = true
  /// Lines by which they are allowed.
  private(set) var linesWithDigests: Set<Int> = []
  /// The first rule that may allow an object by what is only known when it is loaded.
  private let openRule: PolicyDocument.Statement?
  /// Places in `rows.digests`.
  private var digestPlaces: [DigestKey: Int] = [:]

  private struct DigestKey: Hashable {
    let instructions: SubmittedInstructions
    let type: String
    let attachType: String?
    let attachTarget: ProgramKind.AttachTarget?
    let types: Digest?
    let afterCore: GateRows.AfterCore?
  }

  init(_ request: GateRequest) throws(InvalidPolicy) {
    self.request = request
    policy = try CompiledPolicy(request.policy)
    direct = DirectLoads(policy, request.policy)
    openRule = request.policy.statements.first { $0.kind == .rule && $0.allowsPrograms && !$0.knownAtLoad.isEmpty }
    for loader in request.loaders {
      let right: GateRows.Right =
        switch request.mode {
        case .loader: .judging
        case .digests: .listed
        }
      rows.executables.append(GateRows.ExecutableRow(loader, right))
    }
  }

  // MARK: - Programs of images

  mutating func planPrograms() -> [GatePlan.Program] {
    switch request.mode {
    case .loader: return []
    case .digests: break
    }
    var results: [GatePlan.Program] = []
    for image in request.images {
      for object in image.objects {
        for (index, program) in object.programs.enumerated() {
          let afterCore = index < object.afterCore.count ? object.afterCore[index] : nil
          results.append(
            GatePlan.Program(
              image: image.file, object: object.path, name: program.name,
              fate: plan(program, of: object, in: image, afterCore)))
        }
      }
    }
    return results
  }

  private mutating func plan(
    _ program: ProgramReport, of object: GateRequest.Object, in image: GateRequest.Image,
    _ afterCore: GateRows.AfterCore?
  ) -> GatePlan.Fate {
    let facts = Self.facts(about: program, of: object, in: image)
    // A row does not say which of the loaders may load the instructions, so all of them have to be allowed to.
    let decisions =
      request.loaders.isEmpty
      ? [policy.decide(facts)]
      : request.loaders.map { loader in
        var asked = facts
        asked.requesterRoothash = DigestLiteral(loader.identity.rootHash)
        asked.requesterObject = DigestLiteral(loader.digest)
        return policy.decide(asked)
      }
    if let denial = decisions.first(where: { $0.action == .deny }) {
      // What is missing when the plan is made may be there when the object is loaded.
      switch denial.reason {
      case .notRuledOut: return .leftOut(denial.summary)
      case .rule:
        guard let openRule, let line = denial.line, openRule.line < line else { return .denied(denial.summary) }
        return .leftOut(Self.open(openRule, denial))
      case .operationDefault, .globalDefault, .noDefault, .kernelAlone, .nothingToJudge, .otherObject, .otherDialect:
        return openRule.map { .leftOut(Self.open($0, denial)) } ?? .denied(denial.summary)
      }
    }
    let line = decisions.first?.line
    if let reason = Self.whyNoDigest(program) { return .leftOut(reason) }
    guard let instructions = program.submitted else { return .leftOut("its instructions have no digest") }
    // Without records nothing in the types changes an instruction, and tools that pack objects anew change their types.
    let types = instructions.coreRelocations == 0 ? nil : object.types
    let key = DigestKey(
      instructions: instructions, type: program.typeName, attachType: program.attachTypeName,
      attachTarget: program.kind.attachTarget, types: types, afterCore: afterCore)
    let source = GateRows.Source(image: image.file, object: object.path, program: program.name, line: line)
    if let place = digestPlaces[key] {
      rows.digests[place].sources.append(source)
    } else {
      digestPlaces[key] = rows.digests.count
      rows.digests.append(
        GateRows.DigestRow(
          instructions: instructions, type: key.type, attachType: key.attachType, attachTarget: key.attachTarget,
          types: types, afterCore: afterCore, sources: [source]))
    }
    linesWithDigests.formUnion(decisions.compactMap(\.line))
    admitted.append(facts)
    return .row(line: line)
  }

  private static func open(_ rule: PolicyDocument.Statement, _ denial: Decision) -> String {
    "\(denial.summary), unless line \(rule.line) allows it: "
      + "what that asks of \(rule.knownAtLoad.joined(separator: ", ")) is known only when an object is loaded"
  }

  /// What is known of a program when the plan is made: its bytes and the image around them. What the kernel or the
  /// loader finds out when it is loaded is not: who asks, whether the kernel checked a signature, whether options
  /// change the object.
  private static func facts(
    about program: ProgramReport, of object: GateRequest.Object, in image: GateRequest.Image
  ) -> Facts {
    var facts = Facts(operation: .bpfProgLoad)
    facts.take(program)
    facts.isDynamic = false
    facts.object = DigestLiteral(object.digest)
    facts.path = "/" + object.path
    facts.dmverityRoothash = DigestLiteral(image.rootHash)
    facts.blocksVerified = true
    facts.witnesses = .userspace
    facts.imageName = image.name
    facts.imageVersion = image.version
    // What lies under a root hash has no fs-verity beside it.
    facts.settled.insert(.fsverityDigest)
    facts.settled.insert(.fsveritySignature)
    if image.hasManifest {
      if image.name == nil { facts.settled.insert(.imageName) }
      if image.version == nil { facts.settled.insert(.imageVersionMin) }
    }
    return facts
  }

  /// Why the instructions of a program are not known beforehand, or do not say what it is; nil when they do.
  private static func whyNoDigest(_ program: ProgramReport) -> String? {
    if let error = program.linkError { return "it cannot be linked: \(error.message)" }
    switch program.kind.type {
    case .unspec: return "its section says no type"
    case .structOps: return "its attach type is the number of a member, which the running kernel says"
    case .ext: return "it replaces a function of another program, and a row does not say of which"
    case .socketFilter, .kprobe, .schedCls, .schedAct, .tracepoint, .xdp, .perfEvent, .cgroupSkb, .cgroupSock, .lwtIn,
      .lwtOut, .lwtXmit, .sockOps, .skSkb, .cgroupDevice, .skMsg, .rawTracepoint, .cgroupSockAddr, .lwtSeg6local,
      .lircMode2, .skReuseport, .flowDissector, .cgroupSysctl, .rawTracepointWritable, .cgroupSockopt, .tracing, .lsm,
      .skLookup, .syscall, .netfilter:
      break
    }
    guard program.kernelSymbols.isEmpty else {
      return "its instructions get numbers of the running kernel, for \(program.kernelSymbols.joined(separator: ", "))"
    }
    return nil
  }
}

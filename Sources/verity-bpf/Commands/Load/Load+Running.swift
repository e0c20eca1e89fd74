import KernelABI
import Admission
import BPFObject
import Loader
import Base
import ImageFormat
import Linux
import Policy
import Trust
import Provenance

/// What `load` does.
extension LoadCommand {
  func execute() throws -> Int32 {
    if all, let image = objects.image { return try executeWhole(image) }
    var request = try asked()
    request.pinsByObject = objects.count > 1
    // Before anything is opened here, which could get the number of a descriptor that was never handed over.
    let open = Result { try objects.requireOpen() }
    let attempts: LoadAttempts =
      try dryRun ? .dryRun(objects.requested, request) : .begin(objects.requested, request)
    Output.warn(of: attempts.crashedRuns, replaced: replace ? pinPath : nil)
    request = try attempts.recordingRefusal {
      try open.get()
      try requireReplaceableLog()
      return try completed(request)
    }
    let admission = try Admission(request, attempts)
    defer { Output.warnings(admission.trustProblems) }
    guard objects.count > 1 else { return try load(admission) }
    let printing = OrderedPrinting()
    try admission.admit { index, result in
      printing.add(answer(result, label: LoadLabel(attempts.objects[index])), at: index)
    }
    return try printing.finish()
  }

  /// What is asked for, before anything is read for it.
  func asked() throws -> AdmissionRequest {
    var request = AdmissionRequest(
      policy: [], policyName: try policy ?? Site.store(nil), auditDirectory: try Site.auditDirectory(auditDir))
    request.auditSync = try Site.auditSync(auditSync)
    request.rootHash = trusted.rootHash
    request.pinPath = pinPath
    request.replaces = replace
    request.freshMaps = freshMaps
    request.attaches = attach
    request.interface = interface
    request.cgroup = cgroup
    request.attachTarget = target
    request.objectOptions = objectOptions
    request.answersRecords = resolveCore == .user
    request.link = try Site.link(link)
    request.kernelKeyring = keyring
    request.verifierLogPath = verifierLog
    request.untold = { signal, stay in Output.report(Self.untold(stay, signal)) }
    return request
  }

  /// The request with what has to be read for it.
  func completed(_ request: AdmissionRequest) throws -> AdmissionRequest {
    var request = request
    if let policy { try Site.settings().requireChoiceOfPolicy(policy, by: Self.policy.parameter.name) }
    let trust = try Site.bindingTrust(trustAnchors)
    (request.policy, request.policyName) = try policyText(trust)
    if policy == nil { request.shadow = try Self.shadow(PolicyStore(directory: Site.store(nil), trust: trust)) }
    request.rootHash = try trusted.expected()
    request.trust = trust
    return request
  }

  /// The verifier's log replaces nothing that is read here.
  func requireReplaceableLog() throws {
    guard let verifierLog else { return }
    var inputs = RunInputs()
    inputs.add(objects.image, as: "the image")
    if let image = objects.image {
      for sidecars in Sidecars.all(imagePath: image) { inputs.add(sidecars.hashTree, as: "the image's tree") }
      objects.place.add(to: &inputs)
    } else {
      for path in objects.object { inputs.add(path, as: "the object") }
    }
    for number in objects.descriptors {
      guard let status = try? OwnedFD.duplicating(number).status() else { continue }
      inputs.add(KernelStatement.openFileName.place("\(number)"), status, as: "the object")
    }
    inputs.add(policy, as: "the policy")
    inputs.add(trusted.rootHashFile, as: "the root hash")
    do throws(SafeOutputError) {
      try inputs.requireReplaceable(verifierLog)
    } catch {
      throw DiagnosedFailure(error.diagnostic)
    }
  }

  /// The policy's text and name: the file that was named, or the policy that is active in the store. Without either
  /// nothing is loaded.
  private func policyText(_ trust: Trust) throws -> (text: [UInt8], name: String) {
    guard let policy else {
      let store = try Site.store(nil)
      guard try Self.exists(store) else {
        throw DiagnosedFailure(
          Diagnostic(
            "load.no-policy", .usage, "no policy decides: none is named, and this machine has no policy store",
            expected: "--policy FILE, or an active policy in `\(store)`",
            next: "name the policy with --policy, or install one: `verity-bpf policy init`, `install`, `activate`"))
      }
      let active = try PolicyStore(directory: store, trust: trust).active()
      active.warnOfExpiredSigner()
      return (active.document.text.bytes, active.document.header?.nameText ?? "active")
    }
    let file = try OwnedFD.open(policy, .readOnly)
    guard let text = try file.readToEnd(limit: PolicyDocument.sizeLimit) else {
      throw DiagnosedFailure(
        Diagnostic(
          "policy.too-large", .invalid, "policy `\(policy)` is too large",
          expected: "at most \(PolicyDocument.sizeLimit) bytes",
          found: "more"))
    }
    return (text, policy)
  }

  /// The policy that is judged beside the active one. That it cannot be used is for the record, and stops nothing.
  private static func shadow(_ store: PolicyStore) throws -> ShadowPolicy? {
    guard let named = try store.state().shadow else { return nil }
    do throws(PolicyStoreError) {
      return try store.shadow().map { .text($0.document.text.bytes) }
    } catch {
      return .unusable(name: named.name, version: named.entry.version, error.diagnostic)
    }
  }

  private static func exists(_ path: String) throws -> Bool {
    do throws(SystemError) {
      _ = try FileStatus.of(path: path)
      return true
    } catch {
      guard error.code == .enoent else { throw error }
      return false
    }
  }

  /// Whether what is loaded lives as long as this process, which then waits for a signal that ends it.
  private func stays(_ outcome: borrowing AdmissionOutcome) -> Bool {
    objects.executed != nil && outcome.isAllowed && outcome.pinPath == nil && !dryRun
  }

  private func load(_ admission: Admission) throws -> Int32 {
    let outcome = try admission.admit()
    var printout = Printout()
    describe(outcome, label: nil, &printout)
    do throws(OutputFailure) {
      try printout.print()
      outcome.announcement?.told()
    } catch {
      outcome.announcement?.told()
      if let done = Self.done(outcome) { throw DiagnosedFailure(error.untold(done)) }
      guard !outcome.loadedPrograms.isEmpty else { throw error }
      throw DiagnosedFailure(error.undone("nothing was pinned, so nothing stays loaded"))
    }
    if stays(outcome) { SignalResponse.waitForEnd() }
    // The programs are held by the outcome, up to here.
    return Self.status(of: outcome)
  }

  /// What is printed about one of several objects, and its exit code. Its failure keeps out no other.
  func answer(
    _ result: consuming Result<AdmissionOutcome, AdmissionError>, label: LoadLabel
  ) -> OrderedPrinting.Answer {
    var printout = Printout()
    if !json { printout.line("object   \(label.text)") }
    switch consume result {
    case .success(let outcome):
      describe(outcome, label: label, &printout)
      let announcement = outcome.announcement
      return OrderedPrinting.Answer(
        printout: printout, status: Self.status(of: outcome), done: Self.done(outcome),
        whenTold: { announcement?.told() })
    case .failure(let error):
      var diagnostic = error.diagnostic
      diagnostic.message = "\(label.text): \(diagnostic.message)"
      printout.report(diagnostic)
      if json {
        printout.json(
          .object([
            .init("schema", .string(Self.schema)), .init("request", label.json), .init("error", diagnostic.json),
          ]))
      }
      return OrderedPrinting.Answer(printout: printout, status: diagnostic.category.rawValue, done: nil, whenTold: {})
    }
  }

  /// What stays when the command ends: what is pinned. Nil when nothing does.
  private static func done(_ outcome: borrowing AdmissionOutcome) -> String? {
    guard let pinPath = outcome.pinPath else { return nil }
    return stays(outcome.loadedPrograms.map { ($0.name, $0.id) }, pinPath)
  }

  private static func stays(_ programs: [(name: String, id: UInt32)], _ pinPath: String) -> String {
    let names = programs.map { "`\($0.name)` (id \($0.id))" }.separated(by: ", ")
    let isOne = programs.count == 1
    return "program\(isOne ? "" : "s") \(names) \(isOne ? "is" : "are") loaded and pinned below `\(pinPath)`"
  }

  /// What a signal leaves that ends the run before its answer is out.
  private static func untold(_ stay: AdmissionRequest.Stay, _ signal: String) -> Diagnostic {
    Diagnostic(
      "output.untold", .untold,
      "\(stays(stay.programs, stay.pinPath)), and \(signal) ended the run before it could say so",
      why: "what is done stays, and is not to be repeated; what takes it away is the next step",
      next: "verity-bpf unload --pin-path \(stay.pinPath)")
  }

  private static func status(of outcome: borrowing AdmissionOutcome) -> Int32 {
    outcome.isAllowed ? 0 : Diagnostic.Category.denied.rawValue
  }

  private func describe(_ outcome: borrowing AdmissionOutcome, label: LoadLabel?, _ printout: inout Printout) {
    if !outcome.isAllowed { printout.report(denial(outcome)) }
    if !json, let line = outcome.shadow?.line(isAllowed: outcome.isAllowed) { printout.line("shadow   \(line)") }
    if json {
      printout.json(answer(outcome, label: label))
    } else if outcome.isAllowed {
      describe(outcome, &printout)
    }
  }

  private func describe(_ outcome: borrowing AdmissionOutcome, _ printout: inout Printout) {
    let decision = outcome.ruling.deciding
    let rule = decision.ruleText
    let evidence = outcome.evidence
    if let verity = evidence.verity, let object = evidence.object {
      printout.line("proven   \(object.path) under root hash \(verity.rootHash.hex)")
    }
    if let signature = evidence.rootHashSignature { printout.line("signed   the image: \(signature.line)") }
    if let signature = evidence.signature, let line = signature.line { printout.line("signed   \(line)") }
    if decision.action == .deny {
      printout.line("allowed  although line \(decision.line ?? 0) denies it and only records: \(rule)")
      if let letting = decision.lettingStatement {
        printout.line("allowed  by line \(letting.line): \(letting.canonicalText)")
      }
    } else {
      printout.line("allowed  by line \(decision.line ?? 0): \(rule)")
    }
    for line in outcome.ruling.unknownDenials.lines(limit: 10) { printout.line("unknown  \(line)") }
    if dryRun {
      printout.line(
        "dry run  nothing keeps \(outcome.programs.count) programs from being loaded as far as was looked: "
          + outcome.programs.joined(separator: ", "))
      for unknown in outcome.unknown { printout.line("unknown  \(unknown)") }
      for line in outcome.ended?.lines(isDryRun: true) ?? [] { printout.line(line) }
      return
    }
    for program in outcome.loadedPrograms { printout.line(program.line) }
    for map in outcome.loadedMaps { printout.line(map.line) }
    if let keyring = outcome.verifiedBy {
      printout.line("checked  kernel-verified: every program's signature, by the kernel's keyring `\(keyring.name)`")
    }
    printout.line(
      "linked   \(outcome.editedInstructionCount) of \(outcome.instructionCount) instructions (map indexes and distances); "
        + "\(outcome.coreRelocationCount) CO-RE records left to the kernel")
    for type in outcome.objectOptions.sectionTypes {
      printout.line("typed    section \(type.section): \(type.type), as asked for")
    }
    for size in outcome.objectOptions.mapEntries {
      printout.line("sized    map \(size.map): \(size.entries) entries, as asked for")
    }
    for variable in outcome.variables {
      printout.line("set      \(variable.place): \(variable.type) \(variable.value), as asked for")
    }
    if !outcome.kernelEdits.isEmpty {
      printout.line(
        "filled   \(outcome.kernelEdits.count) places with what only this kernel knows (--json lists them)")
    }
    if let line = outcome.typesLine { printout.line(line) }
    for attachment in outcome.attachments { printout.line(attachment.line) }
    for line in outcome.replaced?.lines ?? [] { printout.line(line) }
    for line in outcome.ended?.lines(isDryRun: false) ?? [] { printout.line(line) }
    if let pinPath = outcome.pinPath {
      printout.line("pinned   \(pinPath)")
    } else if stays(outcome) {
      printout.note("note: the programs are loaded until this process is ended (--pin-path keeps them without it)")
    } else {
      printout.note(
        "note: nothing is pinned, so the programs are unloaded when this command ends (--pin-path keeps them)")
    }
  }

  private func denial(_ outcome: borrowing AdmissionOutcome) -> Diagnostic {
    let decision = outcome.ruling.deciding
    let program = outcome.ruling.program.map { outcome.programs[$0] } ?? "the object"
    let doubt = outcome.doubted.map { Self.reason(of: $0) }
    return Diagnostic(
      "policy.denied", .denied,
      "\(policy.map { "policy `\($0)`" } ?? "the active policy") denies program `\(program)`",
      expected: "a rule of the policy that allows it", found: "\(decision.summary): \(decision.ruleText)",
      why: doubt ?? outcome.evidence.signature?.line.map { "the object's signature \($0)" },
      next: Self.advice(outcome), details: outcome.ruling.unknownDenials.lines(limit: 10))
  }

  /// Why a rule does not allow that is there.
  private static func reason(of doubted: DoubtedRule) -> String {
    let reasons = doubted.doubts.map { $0.reason }
    return "line \(doubted.line) would allow it, and no rule about the volume does while "
      + (reasons.isEmpty
        ? "its signer's certificate is not valid or made for something else"
        : "the volume is in doubt: \(reasons.separated(by: "; "))")
  }

  /// What to do: never to add a rule that is there, or one that would stand behind what denies.
  private static func advice(_ outcome: borrowing AdmissionOutcome) -> String? {
    let decision = outcome.ruling.deciding
    if let doubted = outcome.doubted {
      return doubted.doubts.isEmpty
        ? "get the object with a signature that counts today"
        : "find out who opened the volume so, or what was corrupted (`verity-bpf verify`); then mount the image anew "
          + "(`verity-bpf mount`), or load with --image"
    }
    let place = decision.reason.isOfARule ? " before line \(decision.line ?? 0)" : ""
    if let verity = outcome.evidence.verity {
      return "if you trust this image, have the policy say\(place): "
        + "op=BPF_PROG_LOAD dmverity_roothash=\(verity.rootHash) action=ALLOW"
    }
    if decision.reason.isOfARule { return "if the policy is to allow it, the rule that does has to stand\(place)" }
    if let file = outcome.evidence.file, outcome.evidence.signature?.verdict == .unsigned {
      return "sign it: verity-bpf sign file \(file.path) --certificate CERTIFICATE --private-key KEY; "
        + "or pack it into an image: verity-bpf build-image DIR --output IMAGE; "
        + "and have the policy say that this signer or this image is enough"
    }
    return "`verity-bpf provenance` shows what is known of the object; have the policy say what of it is enough"
  }
}

extension Decision.Reason {
  /// Whether it was a rule that decided, and no default.
  fileprivate var isOfARule: Bool {
    switch self {
    case .rule, .notRuledOut: true
    case .operationDefault, .globalDefault, .noDefault, .kernelAlone, .nothingToJudge, .otherObject, .otherDialect:
      false
    }
  }
}

import Admission
import Base
import Gate
import GateControl
import Image
import Linux
import Loader
import Policy
import Provenance
import Trust

/// `verity-bpf gate install`: a plan's rows and the gate's programs into the kernel.
struct GateInstallCommand: Command {
  static let gateImage: Key<String> = .optional(
    "--gate-image", takes: .image, default: "/usr/lib/verity-bpf/gate.raw",
    "The image with the gate's own object, `\(GateLayout.object)`. The policy has to allow it.")

  static let declaration = Declaration(
    "Load the gate with the rows of a policy. It watches, and refuses nothing until `gate seal`.",
    discussion: """
      The plan is made as by `gate plan`. The gate's own image is then verified, judged by the same policy, recorded and loaded \
      like any other object, its maps are sized and filled by the plan, and volumes that are open already are verified and \
      noted as such. When a step fails, everything is taken away again.

      From then on `gate watch` says what would be refused. The gate is taken away by `unload --pin-path \(GateLayout.pinPath)`.

      Exit codes: 0 installed; 2 the policy denies the gate itself; 3 rules or programs have no row, or nothing is allowed; 4 an \
      image is not what its root hash or manifest says; 5 the kernel refused; 6 it asks no BPF program or lacks a hook; 1 \
      a gate is installed already, or something could not be done; 64 usage.
      """,
    examples: [
      "verity-bpf gate install --policy site.pol --image progs.raw --loader tools.raw:/usr/bin/verity-bpf"
    ],
    options: PlanOptions.keys + [
      gateImage, CommonOptions.trustAnchors, CommonOptions.auditDirectory, CommonOptions.auditSync, CommonOptions.json,
    ])
  static let schema = "verity-bpf/gate-install/1"

  let asked: PlanOptions
  let gateImage: String
  let trustAnchors: String?
  let auditDir: String?
  let auditSync: AuditSync?
  let json: Bool

  init(_ words: Words) throws(UsageError) {
    asked = try PlanOptions(words)
    gateImage = try words[Self.gateImage]
    trustAnchors = try words[CommonOptions.trustAnchors]
    auditDir = try words[CommonOptions.auditDirectory]
    auditSync = try words[CommonOptions.auditSync]
    json = try words[CommonOptions.json]
  }

  var wantsJSON: Bool { json }
  var done: String? { "the gate is installed" }

  func execute() throws -> Int32 {
    try Site.settings().requireChoiceOfPolicy(asked.policy, by: PlanOptions.policy.parameter.name)
    let (plan, _) = try asked.plan(for: Self.forecast())
    if let refusal = plan.refusal(asked.policy, skips: asked.skip) { throw DiagnosedFailure(refusal) }
    try GateInstallation.requirePossible()
    let targets = plan.rows.digests.map(\.attachTarget)
    let numbers = try KernelTypeNumbers.find(targets.compactMap { $0 })
    var remaining = numbers.makeIterator()
    let ids = targets.map { $0 == nil ? nil : remaining.next() ?? nil }
    let tables = GateTables(plan.rows) { ids[$0] }
    guard tables.omissions.isEmpty || asked.skip else { throw GateError.unsayable(tables.omissions) }

    let outcome = try load(sizes: GateInstallation.sizes(for: tables))
    guard outcome.isAllowed else { throw denial(outcome) }
    let volumes: [VouchedVolume]
    var refused: [(device: DeviceNumber, error: ProvenanceError)] = []
    do {
      volumes = try VouchedVolume.find(Self.files(plan)) { refused.append(($0, $1)) }
    } catch {
      _ = try? Unloading.unload(pinPath: GateLayout.pinPath)
      throw error
    }
    try GateInstallation.complete(tables, volumes: volumes)
    outcome.announcement?.told()
    for (device, error) in refused {
      Output.warning(
        "gate.not-seeded", "device \(device) has a planned root hash and does not count: \(error.diagnostic.message)",
        next: "open the volume again, now that the gate is there")
    }
    try tell(plan, tables, volumes)
    return 0
  }

  /// Nil where the kernel's types cannot be read: that is refused by its own name before anything is loaded.
  private static func forecast() throws -> GateForecast? {
    let kernel: KernelBTF
    do throws(SystemError) { kernel = try KernelBTF.open() } catch { return nil }
    return try GateForecast(kernel: kernel.bytes)
  }

  /// The gate's own object, all the way of a load.
  private func load(sizes: [MapEntries]) throws -> AdmissionOutcome {
    var request = AdmissionRequest(
      policy: [], policyName: asked.policy, auditDirectory: try Site.auditDirectory(auditDir))
    request.auditSync = try Site.auditSync(auditSync)
    request.pinPath = GateLayout.pinPath
    request.attaches = true
    request.objectOptions.mapEntries = sizes
    request.untold = { signal, stay in
      Output.report(
        Diagnostic(
          "output.untold", .untold,
          "the gate's programs are loaded, and \(signal) ended the run before it had its rows",
          why: "it watches, and refuses nothing", next: "verity-bpf unload --pin-path \(stay.pinPath)"))
    }
    let attempts = try LoadAttempts.begin([.image(path: gateImage, object: GateLayout.object)], request)
    Output.warn(of: attempts.crashedRuns)
    request = try attempts.recordingRefusal {
      var completed = request
      completed.policy = try PolicyFile.read(asked.policy)
      completed.rootHash = try StoredRootHash.of(image: gateImage)?.digest
      completed.trust = try Site.bindingTrust(trustAnchors)
      return completed
    }
    let admission = try Admission(request, attempts)
    defer { Output.warnings(admission.trustProblems) }
    return try admission.admit()
  }

  private func denial(_ outcome: borrowing AdmissionOutcome) -> DiagnosedFailure {
    let decision = outcome.ruling.deciding
    let rule = outcome.evidence.verity.map { "op=BPF_PROG_LOAD dmverity_roothash=\($0.rootHash) action=ALLOW" }
    return DiagnosedFailure(
      Diagnostic(
        "policy.denied", .denied, "policy `\(asked.policy)` denies the gate itself, in `\(gateImage)`",
        expected: "a rule that allows it", found: "\(decision.summary): \(decision.ruleText)",
        next: rule.map { "if you trust this image, have the policy say: \($0)" },
        details: outcome.ruling.unknownDenials.lines(limit: 10)))
  }

  /// The planned executables by their volumes.
  private static func files(_ plan: GatePlan) -> [Digest: [VouchedVolume.File]] {
    var files: [Digest: [VouchedVolume.File]] = [:]
    for row in plan.rows.executables {
      let executable = row.executable
      files[executable.identity.rootHash, default: []].append(
        VouchedVolume.File(
          path: executable.path, inode: executable.identity.inode, digest: executable.digest))
    }
    return files
  }

  private func tell(_ plan: GatePlan, _ tables: GateTables, _ volumes: [VouchedVolume]) throws {
    if json {
      try Output.json([
        "schema": .string(Self.schema), "pin_path": .string(GateLayout.pinPath), "mode": .string(asked.mode.rawValue),
        "standing": .string(GateStanding.watching.rawValue),
        "executables": .integer(Int64(tables.executables.count - plan.rows.modules.count)),
        "digests": .integer(Int64(tables.digests.count)), "scopes": .integer(Int64(tables.scopes.count)),
        "relocated": .integer(Int64(tables.relocatedDigests)), "predicted": .integer(Int64(tables.predictedDigests)),
        "left_out": .array((plan.omissions + tables.omissions).map { .string($0) }),
        "seeded": .array(
          volumes.map { ["device": .string($0.device.description), "root_hash": .string($0.rootHash.description)] }),
      ])
      return
    }
    var lines = [
      "gate     installed below \(GateLayout.pinPath), mode \(asked.mode.rawValue); it watches and refuses nothing",
      "rows     \(tables.executables.count - plan.rows.modules.count) executables, \(tables.digests.count) digests, \(tables.scopes.count) kinds of "
        + "programs",
    ]
    if tables.relocatedDigests > tables.predictedDigests {
      lines.append(
        "CO-RE    of \(tables.relocatedDigests - tables.predictedDigests) programs the result is not known beforehand: the number "
          + "of records and the types are compared")
    }
    for volume in volumes {
      lines.append("seeded   device \(volume.device) (\(volume.name)), verified here: \(volume.rootHash)")
    }
    for omission in plan.omissions + tables.omissions { lines.append("left out \(omission)") }
    lines.append("next     verity-bpf gate watch")
    lines.append("         verity-bpf gate seal --mode \(asked.mode.rawValue)")
    for line in lines { try Output.line(line) }
  }
}

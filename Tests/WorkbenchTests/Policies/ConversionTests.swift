import Policy
import Workbench
import Testing

@Suite struct ConversionTests {
  @Test func theResultIsAKernelPolicy() throws {
    let document = parse(
      """
      # Ours.
      DEFAULT op=BPF_PROG_LOAD action=DENY
      op=EXECUTE boot_verified=TRUE action=ALLOW # stays
      op=EXECUTE x_path=/bin/* dmverity_signature=TRUE action=ALLOW
      op=EXECUTE x_object=sha256:\(String(repeating: "aa", count: 32)) action=DENY
      op=BPF_PROG_LOAD bpf_signature=OK action=ALLOW
      """, header: "policy_name=t policy_version=1.0.0 x_enforcing=FALSE # who")
    #expect(document.isValid)
    let conversion = DialectConversion(document)
    #expect(conversion.error == nil)
    #expect(
      String(decoding: conversion.bytes, as: UTF8.self)
        == "policy_name=t policy_version=1.0.0 # who\nDEFAULT action=DENY\n# Ours.\nop=EXECUTE boot_verified=TRUE action=ALLOW # stays\n"
    )
    #expect(conversion.losses.map { $0.line } == [1, 4, 6, 7, 8])
    #expect(conversion.losses.filter { $0.widens }.map { $0.line } == [7])
  }

  @Test func whatNeedsOurDefaultCannotBeConverted() {
    let text = "policy_name=a/b policy_version=1.0.0\nDEFAULT action=DENY\n"
    #expect(DialectConversion(PolicyDocument.parse(Array(text.utf8), dialect: .kernel)).error == .access)
  }

  @Test func generatedPoliciesAreValidAndDoWhatTheySay() throws {
    let digest = try #require(DigestLiteral("sha256:" + String(repeating: "0c", count: 32)))
    let text = PolicyGenerator(
      name: "tools", version: PolicyVersion(1, 0, 0),
      anchors: [
        (.rootHash(digest), "tools.raw\nop=BPF_PROG_LOAD action=ALLOW"), (.kernelSignature, "signed"),
        (.signer(digest), "x"),
      ],
      conditions: ["x_witness=USERSPACE"]
    ).text
    let document = PolicyDocument.parse(Array(text.utf8), dialect: .verityBPF)
    #expect(document.isValid && document.formatted == Array(text.utf8) && document.statements.count == 4)
    #expect(PolicyLint.findings(document, fileName: "tools.pol").isEmpty)
    var facts = Facts(operation: .bpfProgLoad)
    let policy = try CompiledPolicy(document)
    #expect(policy.decide(facts).action == .deny)
    facts.dmverityRoothash = digest
    facts.witnesses = .both
    #expect(policy.decide(facts).action == .allow)
  }

  /// For each operation of the kernel: a policy that its parser takes, of which `policy check` has nothing to say, which
  /// denies what it is about and is not trusted, and leaves other operations alone.
  @Test(arguments: Dialect.kernel.operations) func policiesForTheKernel(operation: Operation) throws {
    let digest = try #require(DigestLiteral("sha256:" + String(repeating: "0c", count: 32)))
    let other: Operation = operation == .policy ? .firmware : .policy
    let generator = PolicyGenerator(
      name: "site", version: PolicyVersion(1, 2, 3), operations: [operation, other],
      anchors: [
        (.bootVerified, "boot"), (.rootHash(digest), "usr.raw"), (.kernelSignature, "signed"),
        (.fileDigest(digest), "a file"), (.fileSignature, "files"),
      ])
    #expect(generator.dialect == .kernel)
    let report = CheckReport(file: "site.pol", bytes: Array(generator.text.utf8), dialect: .kernel)
    #expect(report.isValid && report.answer.word == "ok" && report.diagnostics.isEmpty, "\(report.diagnostics)")
    #expect(report.document.formatted == report.document.text.bytes && report.document.statements.count == 13)
    let policy = try CompiledPolicy(report.document)
    let trusted: [(inout Facts) -> Void] = [
      { $0.bootVerified = true }, { $0.dmverityRoothash = digest }, { $0.dmveritySignature = true },
      { $0.fsverityDigest = digest }, { $0.fsveritySignature = true },
    ]
    for asked in Dialect.kernel.operations {
      let isAbout = asked == operation || asked == other
      #expect(policy.decide(Facts(operation: asked)).action == (isAbout ? .deny : .allow))
      for trust in trusted {
        var facts = Facts(operation: asked)
        trust(&facts)
        #expect(policy.decide(facts).action == .allow)
      }
    }
  }

  /// What only this program knows is no part of a policy for the kernel.
  @Test func conditionsThatNoKernelKnows() throws {
    let generator = PolicyGenerator(
      name: "site", version: PolicyVersion(1, 0, 0), operations: [.execute], anchors: [(.kernelSignature, "")],
      conditions: ["x_witness=BOTH"])
    #expect(!CheckReport(file: "site.pol", bytes: Array(generator.text.utf8), dialect: .kernel).isValid)
  }

  @Test func loadPinLists() throws {
    let hex = String(repeating: "0c", count: 32)
    let list = try LoadPinList("# LOADPIN_TRUSTED_VERITY_ROOT_DIGESTS\n\(hex)\n\(hex)\(hex)\n")
    #expect(list.digests.map { $0.description } == ["sha256:\(hex)", "sha512:\(hex)\(hex)"])
    for (text, line) in [
      (hex, 1), ("", 1), ("# LOADPIN_TRUSTED_VERITY_ROOT_DIGESTS\n\(hex)0\n", 2),
      ("# LOADPIN_TRUSTED_VERITY_ROOT_DIGESTS\n\n# x\n", 3),
    ] {
      #expect(throws: LoadPinList.Failure.self) { try LoadPinList(text) }
      do { _ = try LoadPinList(text) } catch { #expect(error.line == line) }
    }
  }
}

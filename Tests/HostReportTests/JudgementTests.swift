import Base
import HostReport
import KernelABI
import Testing

/// One fact changed on a good host, and what that does to the judgement.
struct JudgementTests {
  struct Change: Sendable, CustomTestStringConvertible {
    let testDescription: String
    let id: String
    let state: Finding.State
    let word: String
    let make: @Sendable (inout HostFacts) -> Void

    init(
      _ description: String, _ id: String, _ state: Finding.State, _ word: String,
      _ make: @escaping @Sendable (inout HostFacts) -> Void
    ) {
      testDescription = description
      self.id = id
      self.state = state
      self.word = word
      self.make = make
    }
  }

  static let changes: [Change] = [
    Change("a list that cannot be relied on", "trust", .gap, "trust.list-missing") {
      $0.installed = InstalledTrust()
      $0.installed?.refusal = "the list is gone [trust.list-missing]"
    },
    Change("a shadow that cannot be used", "trust", .weak, "the shadow policy cannot be used") {
      $0.installed = InstalledTrust()
      $0.installed?.shadow = "site 1.1.0"
      $0.installed?.shadowRefusal = "damaged [store.damaged]"
    },
    Change("a list in force", "trust", .good, "can be relied on") {
      $0.installed = InstalledTrust()
      $0.installed?.lists = ["fleet 1.0.0  2 entries"]
    },
    Change("no lockdown", "lockdown", .gap, "off") {
      $0[.lockdown] = .text("[none] integrity confidentiality")
    },
    Change("confidentiality", "lockdown", .good, "confidentiality") {
      $0[.lockdown] = .text("none integrity [confidentiality]")
    },
    Change("garbled lockdown", "lockdown", .unknown, "names no mode") { $0[.lockdown] = .text("]x[") },
    Change("lockdown is no module", "lockdown", .gap, "not active") {
      $0[.lockdown] = .absent
      $0[.securityModules] = .text("capability,bpf")
    },
    Change("probed confidentiality", "lockdown", .good, "confidentiality") {
      $0[.lockdown] = .absent
      $0.probes[.tracing] = .taken
      $0.probes[.kernelRead] = .refused("EINVAL")
    },
    Change("probed none", "lockdown", .gap, "off") {
      $0[.lockdown] = .absent
      for probe in [Probe.tracing, .kernelRead, .userWrite] { $0.probes[probe] = .taken }
    },
    Change("a probe whose control failed proves nothing", "lockdown", .unknown, "securityfs") {
      $0[.lockdown] = .absent
      $0.probes[.tracing] = .refused("EPERM")
      $0.probes[.kernelRead] = .refused("EINVAL")
      $0.probes[.userWrite] = .refused("EINVAL")
    },
    Change("the list by system call", "security-modules", .good, "lockdown, bpf, module 999") {
      $0[.securityModules] = .absent
      $0.securityModuleIDs = [108, 109, 999]
    },
    Change("no BPF LSM", "security-modules", .gap, "no BPF LSM") {
      $0[.securityModules] = .text("lockdown,ipe")
    },
    Change("IPE permissive", "ipe", .gap, "not enforced") { $0[.integrityPolicyEnforced] = .text("0") },
    Change("IPE without policy", "ipe", .gap, "everything may run") { $0[.integrityPolicies] = .text("") },
    Change("IPE seen by a user", "ipe", .unknown, "root only") {
      $0[.integrityPolicyActive, "signed-only"] = .refused("EACCES")
    },
    Change("modules unsigned", "module-signatures", .gap, "not enforced") {
      $0[.moduleSignatures] = .text("N")
      $0[.lockdown] = .text("[none] integrity confidentiality")
    },
    Change("modules signed", "module-signatures", .good, "enforced") {
      $0[.lockdown] = .text("[none] integrity confidentiality")
      $0[.moduleSignatures] = .text("Y")
    },
    Change("Secure Boot off", "secure-boot", .weak, "off") { $0[.secureBoot] = .text("0600000000") },
    Change("UEFI without its variables", "secure-boot", .unknown, "not mounted") {
      $0[.secureBoot] = .absent
      $0[.firmware] = .text("")
    },
    Change("no trusted key", "keyrings", .gap, "no key") {
      $0.keyrings = [KeyringFacts(name: ".builtin_trusted_keys", keys: [])]
    },
    Change("a ring that cannot be read", "keyrings", .unknown, "cannot be read") {
      $0.keyrings = [KeyringFacts(name: ".platform", keys: nil, refusal: "EACCES")]
    },
    Change("unsealed ring", "dm-verity-keyring", .gap, "unsealed") { $0[.keyringUnsealed] = .text("Y") },
    Change("sealed ring", "dm-verity-keyring", .good, "sealed") {
      $0[.keyringUnsealed] = .text("N")
      $0[.taint] = .text("512")
    },
    Change("a ring that was sealed by another module", "dm-verity-keyring", .unknown, "removed by force") {
      $0[.keyringUnsealed] = .text("N")
      $0[.taint] = .text("520")
    },
    Change("a module without a ring, removed by force", "dm-verity-keyring", .unknown, "removed by force") {
      $0[.keyringUnsealed] = .absent
      $0[.prefetchCluster] = .text("262144")
      $0[.taint] = .text("8")
    },
    Change("a ring that is hidden", "dm-verity-keyring", .unknown, "EXDEV") {
      $0[.keyringUnsealed] = .refused("EXDEV")
    },
    Change("a taint that is hidden", "dm-verity-keyring", .unknown, "EXDEV") {
      $0[.keyringUnsealed] = .text("N")
      $0[.taint] = .refused("EXDEV")
    },
    Change("hidden require_signatures", "require-signatures", .unknown, "EXDEV") {
      $0[.requireSignatures] = .refused("EXDEV")
    },
    Change("hidden modules", "module-signatures", .gap, "not enforced") {
      $0[.lockdown] = .text("[none] integrity confidentiality")
      $0[.modules] = .refused("EXDEV")
      $0[.moduleSignatures] = .absent
    },
    Change("device-mapper seen by a user", "dm-verity", .unknown, "EACCES") {
      $0[.mapperControl] = .refused("EACCES")
    },
    Change("dm-verity not loaded", "dm-verity", .weak, "not loaded") { $0[.verityModule] = .absent },
    Change("signatures required", "require-signatures", .good, "on") { $0[.requireSignatures] = .text("Y") },
    Change("anybody may load", "bpf", .gap, "every user") { $0[.unprivilegedBPF] = .text("0") },
    Change("no BPF file system", "bpf-file-system", .weak, "mounted nowhere") { $0.bpfFileSystems = [] },
    Change("a BPF file system", "bpf-file-system", .good, "/sys/fs/bpf") { $0.bpfFileSystems = ["/sys/fs/bpf"] },
    Change("no gate", "gate", .weak, "none is installed") { $0.gate = GatePresence.none },
    Change("a gate that watches", "gate", .weak, "refuses nothing") { $0.gate = .watching },
    Change("a gate that root can take away", "gate", .weak, "without a row") { $0.gate = .enforcing },
    Change("half a gate", "gate", .weak, "did not come to its end") { $0.gate = .incomplete },
    Change("a sealed gate", "gate", .good, "sealed") { $0.gate = .sealed },
    Change("no BTF", "btf", .gap, "vmlinux") { $0[.kernelTypes] = .absent },
    Change("signatures of 6.18", "bpf-signatures", .good, "checked") {
      $0.probes[.garbageSignature] = .refused("EBADMSG")
      $0.probes[.emptySignature] = .refused("EBADMSG")
    },
    Change("a kernel that takes garbage for a signature", "bpf-signatures", .gap, "not refused") {
      $0.probes[.garbageSignature] = .taken
    },
    Change("no fs-verity", "fs-verity", .weak, "not in this kernel") { $0.options?["CONFIG_FS_VERITY"] = nil },
  ]

  @Test(arguments: changes)
  func judge(_ change: Change) throws {
    var facts = try RecordedHostTests.facts("secure-boot-6.12")
    change.make(&facts)
    let finding = try #require(HostReport(facts).findings.first { $0.id == change.id })
    #expect(finding.state == change.state)
    #expect(finding.found.contains(change.word), "\(finding.found)")
  }

  @Test("The two generations of signatures are told apart by a signature of no bytes")
  func generations() throws {
    for (empty, word) in [("EBADMSG", "6.18 to 7.2"), ("EINVAL", "7.3 and later")] {
      var facts = try RecordedHostTests.facts("secure-boot-6.12")
      facts.probes[.garbageSignature] = .refused("EBADMSG")
      facts.probes[.emptySignature] = .refused(empty)
      let finding = try #require(HostReport(facts).findings.first { $0.id == "bpf-signatures" })
      #expect(finding.details.first?.contains(word) == true)
    }
  }

  @Test("A good host has exit code 0, one with something unread 1, one with a gap 6")
  func categories() throws {
    var facts = try RecordedHostTests.facts("secure-boot-6.12")
    facts.probes[.garbageSignature] = .refused("EBADMSG")
    #expect(HostReport(facts).category == nil)
    facts[.secureBoot] = .refused("EACCES")
    #expect(HostReport(facts).category?.rawValue == 1)
    facts[.kernelTypes] = .absent
    #expect(HostReport(facts).category?.rawValue == 6)
  }

  @Test("Keyrings are found in /proc/keys by type and dot")
  func keyTable() {
    let table = """
      0ac8c78b I--Q---     1 perm 0c030000     0 65534 keyring   .user_reg: 2
      0fa96186 I--Q---     1 perm 1f3f0000     0 65534 keyring   _uid_ses.0: 1
      ff5726bd I------     1 perm 0f0b0000     0     0 keyring   .blacklist: empty
      1f003a2c I------     1 perm 1f030000     0     0 asymmetri .hidden: Key 1: X509.rsa ab []
      short line

      """
    let rings = KeyTableEntry.systemKeyrings(in: table)
    #expect(rings.map(\.name) == [".user_reg", ".blacklist"])
    #expect(rings.last?.serial == Int32(bitPattern: 0xff57_26bd))
  }
}

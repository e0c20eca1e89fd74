import Base
import HostReport
import TestSupport
import Testing

/// Hosts as they were recorded (`verity-bpf doctor --record`), judged: the test machine under Secure Boot, with an IPE
/// policy in force and efivarfs mounted besides; a machine whose kernel forces lockdown; and, put together by hand, what
/// a container without privileges sees.
struct RecordedHostTests {
  static func facts(_ host: String) throws -> HostFacts {
    let bytes = try TemporaryDirectory().read("\(Tools.repository)/Tests/Fixtures/hosts/\(host).json")
    return try HostFacts(JSONValue.parse(bytes))
  }

  private func states(_ report: HostReport) -> [String: String] {
    Dictionary(uniqueKeysWithValues: report.findings.map { ($0.id, $0.state.rawValue) })
  }

  private func answers(_ report: HostReport) -> [String: String] {
    Dictionary(uniqueKeysWithValues: report.abilities.map { ($0.id, $0.answer.rawValue) })
  }

  @Test("A locked-down host with Secure Boot and IPE lacks only signed BPF")
  func lockedDown() throws {
    let report = HostReport(try Self.facts("secure-boot-6.12"))
    #expect(
      states(report) == [
        "lockdown": "good", "secure-boot": "good", "module-signatures": "good", "security-modules": "good",
        "ipe": "good", "keyrings": "good", "dm-verity": "good", "dm-verity-signatures": "good",
        "require-signatures": "weak", "loop": "good", "bpf": "good", "btf": "good", "bpf-signatures": "gap",
        "fs-verity": "good",
      ])
    #expect(report.category == .unsupported)
    #expect(
      answers(report) == [
        "prove": "yes", "load": "yes", "witness": "yes", "root-hash-signature": "yes", "program-signature": "no",
        "execution": "yes", "gate": "yes",
      ])
    let ipe = report.findings.first { $0.id == "ipe" }
    #expect(ipe?.found == "policy `signed-only` 1.0.0 is active and enforced")
    // The ring that is linked into another one is no key.
    #expect(report.findings.first { $0.id == "keyrings" }?.found == "2 keys the kernel trusts")
  }

  @Test("In a container without securityfs and privileges, what cannot be read is unknown, not missing")
  func container() throws {
    let report = HostReport(try Self.facts("container"))
    let unknown = report.findings.filter { $0.state == .unknown }.map(\.id)
    #expect(
      Set(unknown) == [
        "lockdown", "secure-boot", "module-signatures", "security-modules", "ipe", "keyrings", "bpf-signatures",
      ])
    #expect(states(report)["dm-verity"] == "gap")
    #expect(answers(report)["load"] == "no")
    // Every errno is a refusal here: the control says that no conclusion can be drawn.
    #expect(report.findings.first { $0.id == "bpf-signatures" }?.found.contains("EPERM") == true)
  }

  @Test("A kernel that forces lockdown, with securityfs out of reach, is found out by probes")
  func probed() throws {
    let report = HostReport(try Self.facts("forced-lockdown-6.18"))
    let lockdown = report.findings.first { $0.id == "lockdown" }
    #expect(lockdown?.state == .good)
    #expect(lockdown?.found == "integrity")
    let signatures = report.findings.first { $0.id == "bpf-signatures" }
    #expect(signatures?.state == .gap)
    #expect(signatures?.found.contains("EOPNOTSUPP") == true)
  }

  @Test(
    "Every gap says what it costs and how to close it",
    arguments: ["secure-boot-6.12", "container", "forced-lockdown-6.18"])
  func remedies(host: String) throws {
    for finding in HostReport(try Self.facts(host)).findings where finding.state != .good {
      #expect(finding.loses != nil && finding.close != nil, "\(finding.id)")
    }
  }

  @Test("Recorded facts come back as they were", arguments: ["secure-boot-6.12", "container", "forced-lockdown-6.18"])
  func roundTrip(host: String) throws {
    let facts = try Self.facts(host)
    #expect(try HostFacts(JSONValue.parse(facts.json.prettyUTF8)) == facts)
  }
}

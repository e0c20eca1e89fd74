import BPFObject
import Diagnostics
import Glibc
import LinuxSys
import Testing

@testable import BPFLoad

/// Which capabilities a load needs, and what is said when they are missing.
@Suite struct PrivilegeTests {
  struct Case: Sendable {
    let type: UInt32
    let held: Set<Capability>
    let missing: [Capability]
  }

  private static let cases = [
    Case(type: 1, held: [], missing: [.bpf]),  // a socket filter
    Case(type: 6, held: [], missing: [.bpf, .netAdmin]),  // XDP
    Case(type: 6, held: [.bpf], missing: [.netAdmin]),
    Case(type: 6, held: [.bpf, .netAdmin], missing: []),
    Case(type: 6, held: [.sysAdmin], missing: []),
    Case(type: 26, held: [.bpf, .netAdmin], missing: [.perfmon]),  // tracing
    Case(type: 28, held: [], missing: [.bpf, .perfmon, .netAdmin]),  // freplace
  ]

  @Test(arguments: cases) func namesWhatIsMissing(example: Case) {
    let privilege = RequiredPrivilege(kinds: [ProgramKind(type: example.type)], held: example.held)
    #expect(privilege.missing == example.missing)
  }

  @Test(.enabled(if: Machine.loads))
  func tellsAUserWithoutPrivileges() async {
    // In a process of its own, because users and capabilities belong to the whole process.
    await #expect(processExitsWith: .success) {
      let linked = try Objects.linked(Objects.demo("xdp_counter"))
      Objects.removeBuilt()  // while it may
      try #require(setgroups(0, nil) == 0 && setgid(65534) == 0 && setuid(65534) == 0)
      let told = try Objects.refusal(linked).diagnostic
      #expect(told.code == "load.capability" && told.category == .kernelRefused)
      #expect(told.message.contains("CAP_BPF, CAP_NET_ADMIN"), "\(told)")
      #expect(told.found?.contains("EPERM") == true)
    }
  }

  @Test func explainsARefusalDespiteAllCapabilities() {
    let refusal = Refusal.Permission(
      subject: "program `x`", error: SystemError("bpf BPF_PROG_LOAD", errno: EPERM), needed: [.bpf, .perfmon],
      missing: [], lockdown: .integrity, unprivilegedDisabled: 2, isInUserNamespace: false)
    let told = BPFLoadError.notPermitted(refusal).diagnostic
    #expect(told.code == "load.not-permitted" && told.category == .kernelRefused)
    #expect(told.details == ["lockdown mode: integrity"])
    #expect(told.why?.contains("every capability") == true)
  }

  @Test func explainsThatAUserNamespaceDoesNotCount() {
    let refusal = Refusal.Permission(
      subject: "the object", error: SystemError("bpf BPF_BTF_LOAD", errno: EPERM), needed: [.bpf], missing: [],
      lockdown: nil, unprivilegedDisabled: 2, isInUserNamespace: true)
    #expect(BPFLoadError.notPermitted(refusal).diagnostic.code == "load.user-namespace")
  }

  @Test func aKernelWithoutBPFIsUnsupported() {
    #expect(BPFLoadError.noBPF.diagnostic.category == .unsupported)
  }
}

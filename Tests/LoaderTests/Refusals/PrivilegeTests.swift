import BPFObject
import Base
import Glibc
import KernelABI
import Linux
import Testing

@testable import Loader

/// Which capabilities a load needs, and what is said when they are missing.
@Suite struct PrivilegeTests {
  struct Case: Sendable {
    let type: ProgramType
    let held: Set<Capability>
    let missing: [Capability]
  }

  private static let cases = [
    Case(type: .socketFilter, held: [], missing: [.bpf]),
    Case(type: .xdp, held: [], missing: [.bpf, .netAdmin]),
    Case(type: .xdp, held: [.bpf], missing: [.netAdmin]),
    Case(type: .xdp, held: [.bpf, .netAdmin], missing: []),
    Case(type: .xdp, held: [.sysAdmin], missing: []),
    Case(type: .tracing, held: [.bpf, .netAdmin], missing: [.perfmon]),
    Case(type: .ext, held: [], missing: [.bpf, .perfmon, .netAdmin]),  // freplace
  ]

  @Test(arguments: cases) func namesWhatIsMissing(example: Case) {
    var inquiry = PermissionInquiry()
    inquiry.held = example.held
    let needed = RequiredPrivilege(kinds: [ProgramKind(type: example.type)]).capabilities
    let judgement = inquiry.judge(needed: needed)
    if example.missing.isEmpty {
      #expect(judgement.cause == .unknown)
    } else {
      #expect(judgement.cause == .capability(example.missing))
      #expect(judgement.found.joined().contains("CapEff"))
    }
  }

  /// What the analysis finds counts beside the type.
  @Test func whatTheAnalysisFinds() {
    let needed = RequiredPrivilege(kinds: [ProgramKind(type: .socketFilter)], found: [.bpf, .perfmon])
    #expect(needed.capabilities == [.bpf, .perfmon] && !needed.isUnprivilegedKind)
    #expect(RequiredPrivilege(kinds: [ProgramKind(type: .socketFilter)], found: [.bpf]).isUnprivilegedKind)
  }

  /// The verifier names no capability where it restricts what instructions may do.
  @Test(arguments: [
    ("R6 pointer -= pointer prohibited", Capability.perfmon), ("R0 leaks addr as return value", .perfmon),
    ("R1 pointer comparison prohibited", .perfmon),
    ("back-edge from insn 4 to 1; loops are allowed for !root", .perfmon),
    ("function calls to other bpf functions are allowed for CAP_BPF and CAP_SYS_ADMIN", .bpf),
  ])
  func whatTheVerifiersWordsAskFor(words: String, needed: Capability) {
    let log = VerifierLog("0: (bf) r6 = r1\n\(words)\nprocessed 1 insns (limit 1000000)")
    let all: Set<Capability> = [.bpf, .perfmon, .netAdmin]
    #expect(log.neededCapabilities(held: all.subtracting([needed])).contains(needed))
    #expect(log.neededCapabilities(held: all) == [] && log.neededCapabilities(held: [.sysAdmin]) == [])
    #expect(log.neededCapabilities(held: nil) == [])
    let other = VerifierLog("0: (bf) r6 = r1\ninvalid access to packet, off=0 size=1, R1(id=0,off=0,r=0)")
    #expect(other.neededCapabilities(held: []) == [])
  }

  /// The same words for a read outside of the stack, which no capability allows.
  @Test func whatTheAnalysisTellsApart() {
    let log = VerifierLog("0: (71) r0 = *(u8 *)(r10 -5)\ninvalid read from stack R10 off=-5 size=1\nprocessed 1 insns")
    #expect(log.neededCapabilities(held: [.bpf]) == [])
    #expect(log.neededCapabilities(held: [.bpf], analysis: [.bpf, .perfmon]) == [.perfmon])
  }

  /// What no capability allows.
  @Test(arguments: [
    "R1 pointer arithmetic with <<= operator prohibited", "R1 32-bit pointer arithmetic prohibited",
    "R1 pointer arithmetic on map_value_or_null prohibited, null-check it first",
  ])
  func whatIsProhibitedToAll(words: String) {
    #expect(VerifierLog("0: (bf) r6 = r1\n\(words)\nprocessed 1 insns").neededCapabilities(held: []) == [])
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

  /// What somebody with every capability sees, changed in one point, and who is then named.
  struct Father: Sendable, CustomTestStringConvertible {
    let code: String
    let seen: String
    let change: @Sendable (inout PermissionInquiry) -> Void
    var testDescription: String { "\(code): \(seen)" }
  }

  private static let fathers = [
    Father(code: "load.user-namespace", seen: "/proc/self/uid_map") { $0.isInUserNamespace = true },
    Father(code: "load.lockdown", seen: "Lockdown: verity-bpf: use of kprobes is restricted") {
      $0.lockdown = .confidentiality
      $0.lockdownMessage = "Lockdown: verity-bpf: use of kprobes is restricted; see man kernel_lockdown.7"
    },
    Father(code: "load.seccomp", seen: "Seccomp in /proc/thread-self/status is 2") {
      $0.refusesEverything = true
      $0.hasSystemCallFilter = true
    },
    Father(code: "load.security-module", seen: "a command that does not exist") { $0.refusesEverything = true },
    Father(code: "load.security-module", seen: "even a program of two instructions") {
      $0.takesTrivialProgram = false
    },
    Father(code: "load.not-permitted", seen: "a program of two instructions is taken") {
      $0.takesTrivialProgram = true
    },
    // A BPF LSM program may judge one program and not another; that cannot be told from a build without the kind.
    Father(code: "load.not-permitted", seen: "BPF LSM programs: gate") {
      $0.takesTrivialProgram = true
      $0.loadedGuards = ["gate"]
    },
    Father(code: "load.capability", seen: "CapEff in /proc/thread-self/status lacks CAP_PERFMON") {
      $0.held = [.bpf, .netAdmin]
      $0.unprivilegedDisabled = 2
    },
  ]

  @Test(arguments: fathers) func namesTheFather(father: Father) {
    var inquiry = PermissionInquiry()
    inquiry.held = [.sysAdmin]
    inquiry.isInUserNamespace = false
    inquiry.lockdown = .integrity
    inquiry.hasSystemCallFilter = false
    inquiry.securityModules = ["lockdown", "capability", "bpf"]
    inquiry.refusesEverything = false
    father.change(&inquiry)
    let judgement = inquiry.judge(needed: [.bpf, .perfmon])
    let told = BPFLoadError.notPermitted(
      Refusal.Permission(
        action: "load program `x`", error: SystemError("bpf BPF_PROG_LOAD", errno: EPERM), needed: [.bpf, .perfmon],
        cause: judgement.cause, found: judgement.found)
    ).diagnostic
    #expect(told.code == father.code && told.category == .kernelRefused)
    #expect(told.details.contains { $0.contains(father.seen) }, "\(told.details)")
  }

  @Test func namesTheSettingThatKeepsOutTheHarmless() {
    var inquiry = PermissionInquiry()
    inquiry.held = []
    inquiry.unprivilegedDisabled = 2
    let needed = RequiredPrivilege(kinds: [ProgramKind(type: .socketFilter)])
    let judgement = inquiry.judge(needed: needed.capabilities, isUnprivilegedKind: needed.isUnprivilegedKind)
    #expect(judgement.cause == .sysctl(name: "kernel.unprivileged_bpf_disabled", value: 2))
    // With the setting off, and for other kinds in any case, it is the capability.
    inquiry.unprivilegedDisabled = 0
    #expect(inquiry.judge(needed: needed.capabilities, isUnprivilegedKind: true).cause == .capability([.bpf]))
  }

  /// A process that the container's filter keeps from bpf(2): the filter is real, its answer EPERM.
  @Test(.enabled(if: Machine.loads)) func recognisesASystemCallFilter() async {
    await #expect(processExitsWith: .success) {
      let linked = try Objects.linked(Objects.demo("xdp_counter"))
      Objects.removeBuilt()
      try forbidSystemCall(321)  // bpf, x86_64
      let told = try Objects.refusal(linked).diagnostic
      #expect(told.code == "load.seccomp", "\(told)")
      #expect(told.details.contains { $0.contains("command that does not exist") })
    }
  }

  @Test func aKernelWithoutBPFIsUnsupported() {
    #expect(BPFLoadError.noBPF.diagnostic.category == .unsupported)
  }
}

/// From now on the system call answers EPERM in this process (seccomp(2), a filter of four instructions).
private func forbidSystemCall(_ number: UInt32) throws {
  // struct sock_filter: load the number; equal goes on, else skips one; EPERM; allow.
  let filter: [UInt64] = [
    0x20, 0x15 | 1 << 24 | UInt64(number) << 32, 0x06 | UInt64(0x0005_0001) << 32, 0x06 | UInt64(0x7fff_0000) << 32,
  ]
  struct Program {
    var count: UInt64
    var filter: UnsafePointer<UInt64>?
  }
  typealias Control = @convention(c) (CInt, CUnsignedLong, UnsafeRawPointer?, CUnsignedLong, CUnsignedLong) -> CInt
  let symbol = try #require(dlsym(nil, "prctl"))
  let prctl = unsafeBitCast(symbol, to: Control.self)
  try filter.withUnsafeBufferPointer { buffer in
    var program = Program(count: 4, filter: buffer.baseAddress)
    // PR_SET_NO_NEW_PRIVS, PR_SET_SECCOMP with SECCOMP_MODE_FILTER.
    try #require(prctl(38, 1, nil, 0, 0) == 0 && prctl(22, 2, &program, 0, 0) == 0)
  }
}

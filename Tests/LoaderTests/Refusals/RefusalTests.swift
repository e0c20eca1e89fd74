import KernelABI
import BPFObject
import Base
import Linux
import Testing

@testable import Loader

/// What a user is told when the kernel refuses.
@Suite(.enabled(if: Machine.loads)) struct RefusalTests {
  private func refusal(_ path: String, options: LoadOptions = LoadOptions()) throws -> Diagnostic {
    try Objects.refusal(Objects.linked(path), options: options).diagnostic
  }

  @Test func explainsTheVerifier() throws {
    let directory = try TemporaryDirectory()
    var options = LoadOptions()
    options.verifierLog = "\(directory.path)/log"
    let told = try refusal(Objects.fixture("refused_access"), options: options)

    #expect(told.code == "load.verifier" && told.category == .kernelRefused)
    #expect(told.message.contains("`refused_access`") && told.message.contains("`xdp`"))
    #expect(told.found?.hasPrefix("invalid access to packet") == true)
    let text = told.details.joined(separator: "\n")
    #expect(text.contains("instruction  1: (71) r1 = *(u8 *)(r1 +0)"), "\(text)")
    #expect(text.contains("source       refused_access.bpf.c:7: return *first == 1"), "\(text)")
    #expect(text.contains("whole log    \(directory.path)/log"))

    #expect(try FileStatus.of(path: "\(directory.path)/log").mode == 0o600)
    let log = String(decoding: try Objects.bytes("\(directory.path)/log"), as: UTF8.self)
    #expect(log.contains("invalid access to packet") && log.contains("processed "))
  }

  @Test func namesTheFieldThatDoesNotExist() throws {
    let directory = try TemporaryDirectory()
    var options = LoadOptions()
    options.logDirectory = "\(directory.path)/logs"
    let told = try refusal(Objects.fixture("unresolved_core"), options: options)
    #expect(told.code == "load.core-no-match")
    #expect(told.expected?.contains("field `mm_struct.no_such_field`") == true, "\(told)")
    #expect(told.found?.contains("195896080") == true)
    // The structure is there, with other members; the kernel is named, and where its types come from.
    #expect(told.details.contains { $0.hasPrefix("kernel ") && $0.contains("/sys/kernel/btf/vmlinux") }, "\(told)")
    #expect(told.details.contains { $0.hasPrefix("comes near ") })
    #expect(told.details.contains { $0.contains("unresolved_core.bpf.c:17: return mm ? mm->no_such_field : 0;") })
    #expect(try Directory.names("\(directory.path)/logs").filter { $0.hasSuffix(".verifier.log") }.count == 1)
  }

  /// One errno for two causes: the log tells them apart.
  @Test func aProgramThatTheVerifierFollowsForTooLong() throws {
    let told = try refusal(Objects.fixture("too_complex"))
    #expect(told.code == "load.verifier" && told.category == .kernelRefused)
    #expect(told.found?.contains("too large") == true, "\(told)")
  }

  @Test func namesTheFunctionThatIsCalledAndAbsent() throws {
    let told = try refusal(Objects.fixture("absent_function"))
    #expect(told.code == "load.absent-function" && told.category == .kernelRefused)
    #expect(told.found?.contains("this kernel has no `function_of_no_kernel`") == true, "\(told)")
    #expect(told.next?.contains("bpf_ksym_exists(function_of_no_kernel)") == true)
    #expect(told.details.contains { $0.contains("absent_function.bpf.c:7") })
  }

  /// The kernel takes no sizes for a ring buffer; the type of its records is for who reads it.
  @Test func aRingBufferMayNameItsRecords() throws {
    let linked = try Objects.linked(Objects.fixture("ring_records"))
    #expect(linked.maps.map(\.keySize) == [0] && linked.maps.map(\.valueSize) == [0])
    _ = try ObjectLoader.load(linked, options: LoadOptions())
  }

  @Test func saysWhatTheKernelLacks() throws {
    let told = try refusal(Objects.fixture("no_target"))
    #expect(told.code == "load.no-attach-target" && told.category == .unsupported)
    #expect(told.expected?.contains("btf_trace_no_such_tracepoint") == true)
  }

  @Test func namesAnUnknownProgram() throws {
    let path = try Objects.demo("xdp_counter")
    let error = try #require(throws: BPFLoadError.self) { _ = try Objects.linked(path, only: ["absent"]) }
    #expect(error.diagnostic.code == "load.no-such-program" && error.diagnostic.found == "xdp_counter")
  }

  @Test func refusesProgramsWithoutFunctionInformation() throws {
    var linked = try Objects.linked(Objects.demo("runq_latency"))
    var programs = linked.programs
    #expect(!programs[0].coreRelocations.isEmpty)
    programs[0].funcInfo = []
    linked = .init(license: linked.license, btf: linked.btf, maps: linked.maps, programs: programs)
    #expect(try Objects.refusal(linked).diagnostic.code == "load.no-func-info")
  }

  /// A small object whose one map and one program a test changes.
  private func changed(
    map: (inout LinkedMap) -> Void = { _ in }, program: (inout LinkedProgram) -> Void = { _ in }
  ) throws -> LinkedObject {
    let linked = try Objects.linked(Objects.demo("tcx_classifier"))
    var (maps, programs) = (linked.maps, linked.programs)
    map(&maps[0])
    program(&programs[0])
    return LinkedObject(license: linked.license, btf: linked.btf, maps: maps, programs: programs)
  }

  @Test func saysWhatAMapAskedFor() throws {
    let told = try Objects.refusal(changed(map: { $0.keySize = 0 })).diagnostic
    #expect(told.code == "load.map" && told.category == .kernelRefused)
    #expect(told.details == ["asked for type 6, key 0B, value 8B, max_entries 4, flags 0x0"])
  }

  /// What the kernel refuses without a word of the verifier, as it does an attach type that it does not know.
  @Test func whatTheKernelDoesNotKnowIsUnsupported() throws {
    let told = try Objects.refusal(changed(program: { $0.kind.type = .netfilter })).diagnostic
    #expect(told.code == "load.unknown-to-kernel" && told.category == .unsupported)
    #expect(told.message.contains("tcx/ingress"))
  }

  @Test func aMapPinnedByNameNeedsAPlace() throws {
    let told = try Objects.refusal(changed(map: { $0.pinsByName = true })).diagnostic
    #expect(told.code == "load.pin-by-name" && told.next?.contains("--pin-path") == true)
  }

  @Test func reportsTypeInformationTheKernelRefuses() throws {
    // Types that nothing needs would be left out.
    let linked = try Objects.linked(Objects.demo("runq_latency"))
    var btf = linked.btf
    btf[0] = 0
    let broken = LinkedObject(license: linked.license, btf: btf, maps: linked.maps, programs: linked.programs)
    let told = try Objects.refusal(broken).diagnostic
    #expect(told.code == "load.btf" && told.details.contains { $0.contains("magic") }, "\(told)")
  }

  @Test func namesLockdown() {
    let refusal = Refusal.Program(
      name: "x", section: "kprobe/y", error: SystemError("bpf BPF_PROG_LOAD", errno: 22),
      reason: "program of this type cannot use helper bpf_probe_read_kernel#113", instruction: nil, source: nil,
      absentFunction: nil, unresolvedRelocation: nil, lockdown: .confidentiality, logTail: [], logPath: nil)
    let told = BPFLoadError.programRefused(refusal).diagnostic
    #expect(told.code == "load.lockdown" && told.why?.contains("(confidentiality)") == true)
    #expect(told.found?.contains("#113") == true)
  }
}

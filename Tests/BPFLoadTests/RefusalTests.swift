import BPFObject
import Diagnostics
import LinuxSys
import Testing

@testable import BPFLoad

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
    options.logDirectory = directory.path
    let told = try refusal(Objects.fixture("unresolved_core"), options: options)
    #expect(told.code == "load.core-no-match")
    #expect(told.expected?.contains("field `mm_struct.no_such_field`") == true, "\(told)")
    #expect(told.found == "invalid func unknown#195896080")
    #expect(told.details.contains { $0.contains("unresolved_core.bpf.c:17: return mm ? mm->no_such_field : 0;") })
    #expect(try Directory.names(directory.path).filter { $0.hasSuffix(".verifier.log") }.count == 1)
  }

  @Test func saysWhatTheKernelLacks() throws {
    let told = try refusal(Objects.fixture("no_target"))
    #expect(told.code == "load.no-attach-target" && told.category == .unsupported)
    #expect(told.expected?.contains("btf_trace_no_such_tracepoint") == true)
  }

  @Test func namesAnUnknownProgram() throws {
    var options = LoadOptions()
    options.programs = ["nobody"]
    let told = try refusal(Objects.demo("xdp_counter"), options: options)
    #expect(told.code == "load.no-such-program" && told.found == "xdp_counter")
  }

  @Test func refusesProgramsWithoutFunctionInformation() throws {
    var linked = try Objects.linked(Objects.demo("runq_latency"))
    var programs = linked.programs
    programs[0].funcInfo = []
    linked = .init(license: linked.license, btf: linked.btf, maps: linked.maps, programs: programs)
    #expect(try Objects.refusal(linked).diagnostic.code == "load.no-func-info")
  }
}

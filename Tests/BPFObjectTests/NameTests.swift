import KernelABI
import Base
import Linux
import TestSupport
import Testing

@testable import BPFObject

/// The tables of names and numbers against the enumerations in the running kernel's own BTF.
@Suite struct NameTests {
  /// The enumerators of `enum name`, by number.
  private static func kernelEnumeration(_ name: String) throws -> [UInt32: [String]] {
    let result = try Subprocess.run(
      ["bpftool", "btf", "dump", "file", "/sys/kernel/btf/vmlinux", "format", "c"], limit: 16 << 20)
    try #require(result.status == 0)
    let text = result.text
    let start = try #require(text.firstRange(of: "\nenum \(name) {")?.upperBound)
    let end = try #require(text[start...].firstRange(of: "};")?.lowerBound)
    var names: [UInt32: [String]] = [:]
    for row in text[start..<end].split(separator: "\n") {
      let parts = row.split(separator: "=").map { $0.filter { !$0.isWhitespace && $0 != "," } }
      guard parts.count == 2, let value = UInt32(parts[1]), !parts[0].hasPrefix("__") else { continue }
      names[value, default: []].append(parts[0])
    }
    return names
  }

  /// Tables may know more than this kernel, and must know all that it knows, by the same name.
  @Test func attachTargetsMayNameAModule() throws {
    #expect(
      try ProgramKind(section: "fentry/nf_conntrack:nf_confirm").attachTarget
        == ProgramKind.AttachTarget(name: "nf_confirm", kind: .function, module: "nf_conntrack"))
    #expect(
      try ProgramKind(section: "tp_btf/bpf_testmod:bpf_testmod_test_read").attachTarget
        == ProgramKind.AttachTarget(name: "btf_trace_bpf_testmod_test_read", kind: .typedef, module: "bpf_testmod"))
  }

  @Test(arguments: [
    ("bpf_map_type", "BPF_MAP_TYPE_", TypeNames.maps), ("bpf_prog_type", "BPF_PROG_TYPE_", TypeNames.programs),
    ("bpf_attach_type", "BPF_", TypeNames.attachTypes), ("bpf_func_id", "BPF_FUNC_", Helper.allCases.map(\.name)),
  ])
  func tablesAreTheKernels(_ enumeration: String, _ prefix: String, _ table: [String]) throws {
    let kernel = try Self.kernelEnumeration(enumeration)
    #expect(kernel.count > 20)
    for (number, names) in kernel {
      guard Int(number) < table.count else {
        // A newer kernel than the tables; the oldest names must still be there.
        continue
      }
      let known = names.map { $0.dropFirst(prefix.count).lowercased() }
      #expect(known.contains(table[Int(number)]), "\(number) is \(names) and not \(table[Int(number)])")
    }
  }

  /// Every section name says what libbpf says, by the numbers bpftool loads with.
  @Test func everySectionNameIsReadable() throws {
    for rule in SectionRule.all {
      let name = rule.isNamed ? "\(rule.prefix)/some_target" : rule.prefix
      let kind = try ProgramKind(section: name)
      #expect(kind.type == rule.type && kind.expectedAttachType == rule.attachType, "\(name)")
      #expect(kind.target == (rule.isNamed ? "some_target" : ""))
      #expect(try ProgramKind(section: "?" + name).isOptional)
      #expect(rule.attachType == .unspecified || rule.attachType.programType == rule.type, "\(name)")
      // What is fixed when the program is loaded is named by its section; nothing else is.
      let isFixed = rule.attachType.site == .kernelTarget || rule.attachType.site == .iterator
      #expect(rule.options.contains(.attachesByBTF) == (isFixed || rule.type == .ext || rule.attachType == .lsmCgroup))
    }
    #expect(Set(SectionRule.all.map(\.prefix)).count == SectionRule.all.count)
  }

  @Test(arguments: [
    ("tp_btf/sched_switch", "btf_trace_sched_switch", BTFKind.typedef), ("fentry/do_exit", "do_exit", BTFKind.function),
    ("tp_btf.s/sys_enter", "btf_trace_sys_enter", BTFKind.typedef),
    ("lsm/file_open", "bpf_lsm_file_open", BTFKind.function),
    ("lsm_cgroup/socket_create", "bpf_lsm_socket_create", BTFKind.function),
    ("iter.s/task", "bpf_iter_task", BTFKind.function), ("freplace/handler", "handler", BTFKind.function),
    ("fsession/do_exit", "do_exit", BTFKind.function),
  ])
  func attachTargetsAreNamedAsInTheKernel(_ section: String, _ name: String, _ kind: BTFKind) throws {
    #expect(try ProgramKind(section: section).attachTarget == ProgramKind.AttachTarget(name: name, kind: kind))
  }

  /// Programs at tracepoints may sleep where the tracepoint lets them (BPF_F_SLEEPABLE).
  @Test(arguments: [
    ("tracepoint.s/syscalls/sys_enter_open", ProgramType.tracepoint), ("tp.s/syscalls/sys_enter_open", .tracepoint),
    ("raw_tracepoint.s/sys_enter", .rawTracepoint), ("raw_tp.s/sys_enter", .rawTracepoint),
    ("tp_btf.s/sys_enter", .tracing),
  ])
  func programsAtTracepointsMaySleep(_ section: String, _ type: ProgramType) throws {
    let kind = try ProgramKind(section: section)
    #expect(
      kind.type == type && kind.flags == 0x10 && kind.target == String(section.split(separator: "/", maxSplits: 1)[1]))
  }

  /// A link chooses the functions of a `.multi` program, so it is loaded without one.
  @Test(arguments: [
    ("fentry.multi/tcp_*", AttachType.traceFentryMulti, UInt32(0)), ("fexit.multi/tcp_*", .traceFexitMulti, 0),
    ("fsession.multi/tcp_*", .traceFsessionMulti, 0), ("fentry.multi.s/tcp_*", .traceFentryMulti, 0x10),
    ("fexit.multi.s/tcp_*", .traceFexitMulti, 0x10), ("fsession.multi.s/tcp_*", .traceFsessionMulti, 0x10),
  ])
  func severalFunctionsAreNoTarget(_ section: String, _ type: AttachType, _ flags: UInt32) throws {
    let kind = try ProgramKind(section: section)
    #expect(kind.type == .tracing && kind.expectedAttachType == type && kind.flags == flags)
    #expect(kind.attachTarget == nil && kind.target == "tcp_*" && type.site == .kernelTargets)
  }

  @Test(arguments: [
    ("xpd", "xdp"), ("kporbe/do_exit", "kprobe/…"), ("tracepont/sched/sched_switch", "tracepoint/…"),
    ("cgroup_skb/ingres", "cgroup_skb/ingress"), ("raw_tracepoints/x", "raw_tracepoint/…"), ("iter.s", "iter.s/…"),
  ])
  func nearNamesAreSuggested(_ wrong: String, _ right: String) {
    #expect(ProgramKind.candidates(for: wrong).contains(right), "\(ProgramKind.candidates(for: wrong))")
  }

  /// The table of what is known of helpers is in the order of their numbers.
  @Test func helpersStandInOrder() {
    #expect(KnownHelper.all.map(\.helper) == Helper.allCases)
    #expect(KnownHelper[0] == nil && KnownHelper[212] == nil && KnownHelper[.max] == nil)
    #expect(KnownHelper[113]?.helper == .probeReadKernel)
  }
}

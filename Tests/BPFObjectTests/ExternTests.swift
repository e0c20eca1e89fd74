import BPFTestSupport
import KernelABI
import BPFAnalysis
import BPFObject
import Base
import Linux
import Testing

/// What an object needs from the running kernel is listed, and resolving it gives a program that loads and runs.
@Suite struct ExternTests {
  private static func link(_ macro: String, _ more: [String] = []) throws -> LinkedObject {
    let bytes = try TestObject.bytes("externs", flags: ["-D\(macro)"] + more)
    return try BPFObject.link(bytes: bytes.rawSpan, objectName: "externs", allowsExterns: true)
  }

  /// Ids of functions in the running kernel's BTF.
  private static func kernelIDs(_ names: [String]) throws -> [UInt32] {
    let bytes = try TestObject.read("/sys/kernel/btf/vmlinux")
    let btf = try BTF(bytes.rawSpan)
    return try names.map { try #require(btf.typeID(named: $0, kind: .function), "no \($0) in this kernel") }
  }

  @Test func kernelFunctionsAreListed() throws {
    let object = try Self.link("KFUNC")
    #expect(object.needsResolving)
    #expect(object.externs.map(\.name).sorted() == ["bpf_task_from_pid", "bpf_task_release"])
    #expect(object.externs.allSatisfy { !$0.isWeak })
    let program = try #require(object.programs.first)
    #expect(program.externUses.count == 2)
    for use in program.externUses { #expect(program.instructions[use.instruction * 8] == 0x85) }
    let report = try #require(BPFObject.reports(of: object).first)
    #expect(report.kernelSymbols.sorted() == ["bpf_task_from_pid", "bpf_task_release"])
    // A call of the kernel is no subprogram, and no helper.
    #expect(report.subprograms.isEmpty && report.helpers.isEmpty)
  }

  @Test(.enabled(if: KernelOracle.isAvailable, "bpf(2) is not allowed here"))
  func resolvedKernelFunctionsRun() throws {
    let object = try Self.link("KFUNC")
    let kernel = try TestObject.read("/sys/kernel/btf/vmlinux")
    let resolutions = try object.lookUpExterns(in: BTF(kernel.rawSpan))
    #expect(try resolutions == Self.kernelIDs(object.externs.map(\.name)).map { .btf(id: $0, module: 0) })
    let resolved = try object.resolving(resolutions)
    #expect(!resolved.needsResolving)
    #expect(resolved.programs[0].edits.contains { $0.reason == .kernelSymbol(name: "bpf_task_from_pid") })
    let oracle = try KernelOracle(resolved)
    _ = try oracle.load(resolved.programs[0])
  }

  @Test func whatDoesNotFitIsRefused() throws {
    let object = try Self.link("KFUNC")
    #expect(throws: BPFObjectError.self) { try object.resolving([]) }
    #expect(throws: BPFObjectError.self) { try object.resolving([.absent, .absent]) }
    #expect(throws: BPFObjectError.self) { try object.resolving([.address(1), .address(2)]) }
    #expect(throws: BPFObjectError.self) {
      try object.resolving([.btf(id: 1, module: 1 << 16), .btf(id: 2, module: 0)])
    }
  }

  @Test(.enabled(if: KernelOracle.isAvailable, "bpf(2) is not allowed here"))
  func absentWeakFunctionsArePoisoned() throws {
    let source = """
      extern int no_such_kernel_function(int x) __attribute__((weak)) SEC(".ksyms");
      SEC("syscall") int f(void *ctx) {
        if (&no_such_kernel_function) return no_such_kernel_function(1);
        return 7;
      }
      char LICENSE[] SEC("license") = "GPL";
      """
    let bytes = try TestObject.compile(source: source)
    let object = try BPFObject.link(bytes: bytes.rawSpan, allowsExterns: true)
    #expect(object.externs.map(\.isWeak) == [true])
    // Its address is asked for, then it is called: two uses.
    #expect(object.programs[0].externUses.count == 2)
    let resolved = try object.resolving([.absent])
    let oracle = try KernelOracle(resolved)
    // The verifier sees that the call cannot be reached.
    _ = try oracle.load(resolved.programs[0])
  }

  @Test func addressesAreWrittenWhole() throws {
    let object = try Self.link("KSYM")
    #expect(object.externs == [KernelExtern(name: "jiffies_64", kind: .address, isWeak: false)])
    let resolved = try object.resolving([.address(0xffff_ffff_8123_4567)])
    let use = try #require(object.programs[0].externUses.first)
    let instructions = resolved.programs[0].instructions
    let low = try instructions.rawSpan.u32(at: use.instruction * 8 + 4)
    let high = try instructions.rawSpan.u32(at: use.instruction * 8 + 12)
    #expect(low == 0x8123_4567 && high == 0xffff_ffff)
  }

  @Test(.enabled(if: KernelOracle.isAvailable, "bpf(2) is not allowed here"))
  func configurationIsAMap() throws {
    let source = """
      enum libbpf_tristate { TRI_NO = 0, TRI_YES = 1, TRI_MODULE = 2 };
      extern int LINUX_KERNEL_VERSION SEC(".kconfig");
      extern enum libbpf_tristate CONFIG_BPF SEC(".kconfig");
      extern _Bool CONFIG_BPF_SYSCALL SEC(".kconfig") __attribute__((weak));
      extern char CONFIG_DEFAULT_HOSTNAME[16] SEC(".kconfig") __attribute__((weak));
      extern unsigned long CONFIG_HZ SEC(".kconfig");
      SEC("xdp") int f(void *ctx) {
        return LINUX_KERNEL_VERSION + CONFIG_BPF + CONFIG_BPF_SYSCALL + CONFIG_DEFAULT_HOSTNAME[3] + CONFIG_HZ;
      }
      char LICENSE[] SEC("license") = "GPL";
      """
    let bytes = try TestObject.compile(source: source)
    let object = try BPFObject.link(bytes: bytes.rawSpan, objectName: "conf.bpf.o", allowsExterns: true)
    let index = try #require(object.configurationMap)
    let map = object.maps[index]
    #expect(map.name == "conf.kconfig" && map.isFrozen && map.flags == 128 | 1024)
    // By alignment, then by size, then by name: no holes.
    #expect(
      object.configuration.map(\.name) == [
        "CONFIG_HZ", "CONFIG_BPF", "LINUX_KERNEL_VERSION", "CONFIG_BPF_SYSCALL", "CONFIG_DEFAULT_HOSTNAME",
      ])
    #expect(object.configuration.map(\.offset) == [0, 8, 12, 16, 17])
    #expect(
      object.configuration.map(\.kind) == [
        .integer(isSigned: false), .tristate, .integer(isSigned: true), .bool, .text,
      ])
    #expect(object.configuration.map(\.isWeak) == [false, false, false, true, true])
    var value = map.initialValue
    value.storeLittleEndian(UInt64(250), at: 0)
    value.storeLittleEndian(UInt32(1), at: 8)
    value.storeLittleEndian(UInt32(6), at: 12)
    value[16] = 1
    value[20] = 2
    let resolved = try object.resolving([], configuration: value)
    let oracle = try KernelOracle(resolved)
    let program = try oracle.load(resolved.programs[0])
    #expect(try BPF.testRun(program, packet: [UInt8](repeating: 0, count: 64)).returned == 250 + 1 + 6 + 1 + 2)
    #expect(throws: BPFObjectError.self) { try object.resolving([], configuration: [1]) }
  }

  @Test func whatTheKernelDoesNotHaveIsNamed() throws {
    let object = try Self.link("KSYM")
    let empty = try BTF(object.btf.rawSpan)
    #expect { try object.lookUpExterns(in: empty) } throws: { error in
      (error as? BPFObjectError)?.message == "the kernel has no symbol `jiffies_64`"
    }
    #expect(try object.lookUpExterns(in: empty) { $0 == "jiffies_64" ? 77 : nil } == [.address(77)])
  }

  @Test func symbolsWithoutADeclarationAreRefused() throws {
    let bytes = try TestObject.compile(source: "int other(int x); SEC(\"xdp\") int f(void *ctx) { return other(1); }")
    #expect(throws: BPFObjectError.self) {
      try BPFObject.link(bytes: bytes.rawSpan, allowsExterns: true)
    }
  }

  /// No instruction calls an exception callback; a declaration tag names it, and it comes after everything else.
  @Test(.enabled(if: KernelOracle.isAvailable, "bpf(2) is not allowed here"))
  func exceptionCallbacksComeAlong() throws {
    let source = """
      extern void bpf_throw(__u64 cookie) __attribute__((noreturn)) SEC(".ksyms");
      __noinline __u64 helper(__u64 x) { return x + 1; }
      __noinline int handler(__u64 cookie) { return helper(cookie) & 1; }
      SEC("tc") __attribute__((btf_decl_tag("exception_callback:handler"))) int f(struct __sk_buff *skb) {
        if (skb->len > 100000) bpf_throw(32);
        return 0;
      }
      char LICENSE[] SEC("license") = "GPL";
      """
    let bytes = try TestObject.compile(source: source)
    let object = try BPFObject.link(bytes: bytes.rawSpan, allowsExterns: true)
    #expect(BPFObject.reports(of: object).first?.subprograms == ["handler", "helper"])
    let resolved = try object.resolving([.btf(id: try #require(try Self.kernelIDs(["bpf_throw"]).first), module: 0)])
    _ = try KernelOracle(resolved).load(resolved.programs[0])
  }
}

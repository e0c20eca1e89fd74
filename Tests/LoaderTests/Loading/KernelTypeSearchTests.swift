import KernelABI
import BPFObject
import Base
import Linux
import TestSupport
import Testing

@testable import Loader

@Suite struct KernelTypeSearchTests {
  private static let targets: [ProgramKind.AttachTarget] = [
    .init(name: "btf_trace_sched_switch", kind: .typedef), .init(name: "bpf_iter_task", kind: .function),
    .init(name: "no_such_function_anywhere", kind: .function), .init(name: "bpf_iter_task", kind: .typedef),
    .init(name: "bpf_lsm_file_open", kind: .function),
  ]
  static var hasKernelTypes: Bool {
    let present = (try? KernelBTF.open()) != nil
    if !present { print("skipped: this kernel has no \(KernelBTF.path)") }
    return present
  }

  @Test(.enabled(if: hasKernelTypes)) func findsWhatBpftoolFinds() throws {
    let kernel = try KernelBTF.open()
    let ids = try KernelTypeSearch.ids(of: Self.targets, in: kernel.bytes)
    let dump = try Subprocess.run(
      [
        "sh", "-c",
        "bpftool btf dump file \(KernelBTF.path) | grep -E \"^.[0-9]+. (TYPEDEF|FUNC) '(btf_trace_sched_switch|bpf_iter_task|bpf_lsm_file_open)'\"",
      ])
    func id(_ kind: String, _ name: String) -> UInt32? {
      let line = dump.text.split(separator: "\n").first { $0.contains(" \(kind) '\(name)'") }
      return line.flatMap { UInt32($0.dropFirst().prefix { $0 != "]" }) }
    }
    #expect(ids[0] != nil && ids[0] == id("TYPEDEF", "btf_trace_sched_switch"))
    #expect(ids[1] != nil && ids[1] == id("FUNC", "bpf_iter_task"))
    #expect(ids[2] == nil && ids[3] == nil)
    #expect(ids[4] == id("FUNC", "bpf_lsm_file_open"))
  }

  /// A BTF section with one function of type id 1.
  private func small() -> [UInt8] {
    var btf: [UInt8] = [0x9f, 0xeb, 1, 0]
    for number in [UInt32(24), 0, 12, 12, 6] { btf.appendLittleEndian(number) }
    for number in [UInt32(1), 12 << 24, 0] { btf.appendLittleEndian(number) }
    return btf + Array("\0open\0".utf8)
  }

  @Test func endsOnAnyBytes() throws {
    let whole = small()
    let target = [ProgramKind.AttachTarget(name: "open", kind: .function)]
    #expect(try KernelTypeSearch.ids(of: target, in: whole.rawSpan) == [1])
    for count in whole.indices {
      let cut = Array(whole[..<count])
      #expect(throws: KernelTypeSearch.Malformed.self, "\(count) bytes") {
        try KernelTypeSearch.ids(of: target, in: cut.rawSpan)
      }
    }
    for index in whole.indices {
      for value: UInt8 in [0, 0x7f, 0xff] {
        var changed = whole
        changed[index] = value
        // Found, not found or malformed: all are answers.
        _ = try? KernelTypeSearch.ids(of: target, in: changed.rawSpan)
      }
    }
  }

  /// A module's BTF continues the kernel's: its types are numbered on, its names are the kernel's or its own.
  @Test func readsSplitTypes() throws {
    let kernel = small()  // 1: FUNC open
    let base = try KernelTypeSearch.base(of: kernel.rawSpan)
    #expect(base.nextID == 2 && base.strings.count == 6)
    let strings = Array("\0shut\0".utf8)
    var module: [UInt8] = [0x9f, 0xeb, 1, 0]
    for number in [UInt32(24), 0, 24, 24, UInt32(strings.count)] { module.appendLittleEndian(number) }
    // 2: FUNC with the kernel's string at 1, "open"; 3: VAR with the module's own at 6 + 1, "shut".
    for number in [UInt32(1), 12 << 24, 0, 7, 12 << 24, 0] { module.appendLittleEndian(number) }
    module += strings
    let targets = ["open", "shut", "pen", "none"].map { ProgramKind.AttachTarget(name: $0, kind: .function) }
    #expect(
      try KernelTypeSearch.ids(of: targets, in: module.rawSpan, continuing: kernel.rawSpan, base) == [2, 3, nil, nil])
    for index in module.indices {
      for value: UInt8 in [0, 0x7f, 0xff] {
        var changed = module
        changed[index] = value
        _ = try? KernelTypeSearch.ids(of: targets, in: changed.rawSpan, continuing: kernel.rawSpan, base)
      }
    }
    for count in kernel.indices {
      let cut = Array(kernel[..<count])
      #expect(throws: KernelTypeSearch.Malformed.self) { try KernelTypeSearch.base(of: cut.rawSpan) }
    }
  }

  @Test(.enabled(if: hasKernelTypes)) func countsTheKernelsTypes() throws {
    let kernel = try KernelBTF.open()
    let last = try Subprocess.run(["sh", "-c", "bpftool btf dump file \(KernelBTF.path) | grep '^\\[' | tail -n 1"])
    let id = last.text.dropFirst().prefix { $0 != "]" }
    #expect(try KernelTypeSearch.base(of: kernel.bytes).nextID == (try #require(UInt32(id))) + 1)
  }

  /// `MODULE:NAME` asks that module alone; `vmlinux` is the kernel.
  @Test(.enabled(if: hasKernelTypes)) func keepsToTheModuleThatIsNamed() throws {
    let types = KernelTypes()
    let found = try types.find([
      .init(name: "bpf_iter_task", kind: .function, module: "vmlinux"),
      .init(name: "bpf_iter_task", kind: .function, module: "none"),
      .init(name: "bpf_iter_task", kind: .function),
    ])
    #expect(found[0]?.id == found[2]?.id && found[0] != nil && found[0]?.module == nil)
    #expect(found[1] == nil)
  }
}

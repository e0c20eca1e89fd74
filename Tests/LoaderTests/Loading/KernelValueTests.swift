import BPFObject
import Base
import Linux
import Testing

@testable import Loader

/// What only the running kernel can say: filled in when an object is loaded, and listed.
@Suite(.enabled(if: Machine.loads)) struct KernelValueTests {
  /// The kernel's own answers, as the machine's tools read them.
  private func shell(_ script: String) throws -> String {
    String(try run("sh", "-c", script).split(separator: "\n").first ?? "")
  }

  @Test func fillsInConfigurationAndAddresses() throws {
    let linked = try Objects.linked(Objects.fixture("kernel_values"))
    let object = try ObjectLoader.load(linked, options: LoadOptions())
    let packet = Packet.ethernet(0x0800, Packet.ipv4(6, to: 80))
    #expect(try BPF.testRun(object.program("kernel_values"), packet: packet).returned == 2)
    let seen = try BPF.lookup(object.map(".bss"), key: bytes(UInt32(0)), valueSize: 64)

    let release = try shell("uname -r").split(separator: ".").map { UInt64($0.prefix { $0.isNumber }) ?? 0 }
    #expect(try number(seen) == release[0] << 16 | release[1] << 8 | min(255, release[2]))
    #expect(try number(seen, at: 8) == 1)
    let source = "(zcat /proc/config.gz || cat /boot/config-$(uname -r)) 2>/dev/null | grep ^CONFIG_"
    #expect(try String(number(seen, at: 16)) == shell("\(source)HZ= | cut -d= -f2"))
    #expect(try number(seen, at: 24) == 1)
    // The first two letters, and the end of a text that was too long or not long enough: zero both ways.
    let host = Array(try shell("\(source)DEFAULT_HOSTNAME= | cut -d'\"' -f2").utf8) + [0, 0]
    #expect(try number(seen, at: 32) == UInt64(host[0]) | UInt64(host[1]) << 8)
    #expect(try number(seen, at: 40) == 0, "a weak option that is missing")
    let address = try shell("grep ' do_exit$' /proc/kallsyms | cut -d' ' -f1")
    #expect(try number(seen, at: 48) == UInt64(address, radix: 16))
    #expect(try number(seen, at: 56) == 0, "a weak symbol that is missing")
  }

  @Test func listsWhatTheKernelFillsIn() throws {
    let linked = try Objects.linked(Objects.fixture("kernel_values"))
    let edits = linked.kernelEdits
    #expect(edits.filter { $0.value == .configuration }.count == 6)
    let addresses = edits.filter { $0.value == .address }
    #expect(addresses.map(\.name).sorted() == ["do_exit", "no_such_symbol"])
    #expect(addresses.map(\.isWeak).sorted { !$0 && $1 } == [false, true])

    // What is resolved differs from what was linked in the listed instructions, both halves, and in no other.
    let resolved = try ObjectLoader.resolvingSymbols(of: linked, kernelTypes: KernelTypes()).object
    let before = linked.programs[0].instructions
    let after = resolved.programs[0].instructions
    var listed: Set<Int> = []
    for edit in addresses {
      guard case .instruction(_, let index) = edit.place else { continue }
      listed.formUnion([index, index + 1])
    }
    let changed = Set((0..<before.count).filter { before[$0] != after[$0] }.map { $0 / 8 })
    #expect(before.count == after.count && !changed.isEmpty && changed.isSubset(of: listed))
  }

  @Test(arguments: [
    ("missing_option", "load.kconfig", "CONFIG_NO_KERNEL_HAS_THIS"),
    ("missing_symbol", "load.no-kernel-symbol", "no_such_symbol"),
  ])
  func namesWhatIsMissing(fixture: String, code: String, name: String) throws {
    let told = try Objects.refusal(Objects.linked(Objects.fixture(fixture))).diagnostic
    #expect(told.code == code && told.category == .unsupported && told.message.contains("`\(name)`"), "\(told)")
  }

  @Test func listsAttachTargets() throws {
    let edits = try Objects.linked(Objects.demo("task_list")).kernelEdits
    #expect(
      edits.contains {
        $0.place == .attribute(program: "task_list", name: "attach_btf_id") && $0.name == "bpf_iter_task"
          && $0.value == .typeID
      })
  }

  @Test func readsTheSymbolTable() {
    let text = Array(
      """
      ffffffff81000000 T _stext
      ffffffff81000010 t twice
      ffffffff81000020 t twice
      ffffffff81000030 t again
      ffffffff81000030 t again
      ffffffffa0000000 t in_module\t[module]
      0000000000001000 A per_cpu
      garbage
      ffffffff81000040 t last
      """.utf8)
    let names: Set<String> = ["_stext", "twice", "again", "in_module", "per_cpu", "last", "_stex", "las", "nowhere"]
    let search = KernelAddressSearch(for: names, in: text.rawSpan)
    #expect(
      search.found == [
        "_stext": .address(0xffff_ffff_8100_0000), "twice": .ambiguous, "again": .address(0xffff_ffff_8100_0030),
        "in_module": .address(0xffff_ffff_a000_0000), "per_cpu": .address(0x1000),
        "last": .address(0xffff_ffff_8100_0040),
      ])
    #expect(!search.isHidden)
    let hidden = Array("0000000000000000 T _stext\n0000000000000000 t b\n".utf8)
    #expect(KernelAddressSearch(for: ["b"], in: hidden.rawSpan).isHidden)
    #expect(KernelAddressSearch(for: ["b"], in: [UInt8]().rawSpan).found.isEmpty)
  }
}

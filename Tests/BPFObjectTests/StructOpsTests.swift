import BPFTestSupport
import KernelABI
import BPFObject
import Base
@_spi(ProgramLoading) import Linux
import Testing

/// Structures of functions are read, and laid out as the running kernel has them.
@Suite struct StructOpsTests {
  private static func link() throws -> LinkedObject {
    let bytes = try TestObject.bytes("struct_ops")
    return try BPFObject.link(bytes: bytes.rawSpan, allowsExterns: true)
  }

  @Test func structuresAreRead() throws {
    let object = try Self.link()
    #expect(object.needsResolving && object.maps.isEmpty)
    let map = try #require(object.structOps.first)
    #expect(map.name == "vbpf_tcp" && map.typeName == "tcp_congestion_ops" && map.flags == 0)
    #expect(map.programs.map(\.program) == ["vbpf_ssthresh", "vbpf_cong_avoid", "vbpf_undo_cwnd"])
    #expect(map.programs.map(\.offset) == [0, 24, 40])
    #expect(map.value.count == 48 && map.value[8..<17] == ArraySlice("vbpf_test".utf8))
    #expect(object.programs.allSatisfy { $0.kind.type == .structOps })
  }

  @Test(.enabled(if: KernelOracle.isAvailable, "bpf(2) is not allowed here"))
  func theKernelTakesTheLayout() throws {
    let object = try Self.link()
    let map = try #require(object.structOps.first)
    let kernelBytes = try TestObject.read("/sys/kernel/btf/vmlinux")
    let layout = try map.layout(object: BTF(object.btf.rawSpan), kernel: BTF(kernelBytes.rawSpan))
    #expect(layout.attachments.count == 3 && layout.programs.count == 3)
    var value = layout.value
    let btf = try BPF.loadBTF(object.btf)
    var programs: [KernelObject] = []
    for (slot, attachment) in zip(layout.programs, layout.attachments) {
      let program = try #require(object.programs.first { $0.name == attachment.program })
      var attributes = BPF.ProgramAttributes(type: program.kind.type)
      attributes.expectedAttachType = attachment.member
      attributes.attachBTFID = attachment.typeID
      attributes.license = object.license
      attributes.instructions = program.instructions
      attributes.funcInfo = program.funcInfo
      let loaded = try BPF.loadProgram(attributes, btf: btf, maps: [])
      loaded.descriptor.withRaw { raw in value.storeLittleEndian(UInt64(raw), at: slot.offset) }
      programs.append(loaded)
    }
    var attributes = BPF.MapAttributes(type: .structOps, keySize: 4, valueSize: layout.valueSize, maxEntries: 1)
    attributes.kernelValueTypeID = layout.valueTypeID
    attributes.name = map.name
    let made = try BPF.createMap(attributes, btf: btf)
    // Registering makes it a congestion control that sockets may ask for; deleting takes it away again.
    try BPF.update(made, key: [0, 0, 0, 0], value: value)
    let available = String(
      decoding: try TestObject.read("/proc/sys/net/ipv4/tcp_available_congestion_control"), as: UTF8.self)
    try BPF.delete(made, key: [0, 0, 0, 0])
    #expect(available.contains("vbpf_test"), "\(available)")
  }

  @Test func whatDoesNotFitTheKernelIsRefused() throws {
    let source = """
      struct no_such_ops { int (*f)(void *); };
      SEC("struct_ops/f") int f(void *ctx) { return 0; }
      SEC(".struct_ops.link") struct no_such_ops o = { .f = f };
      """
    let bytes = try TestObject.compile(source: source)
    let object = try BPFObject.link(bytes: bytes.rawSpan, allowsExterns: true)
    let map = try #require(object.structOps.first)
    #expect(map.flags == 1 << 13)
    let btf = try BTF(object.btf.rawSpan)
    #expect(throws: BPFObjectError.self) { try map.layout(object: btf, kernel: btf) }
  }
}

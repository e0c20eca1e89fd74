import BPFTestSupport
import BPFAnalysis
import BPFObject
import Base
import KernelABI
import Testing

/// What the verifier allows only to a process with CAP_PERFMON, by the instructions. (CommandTests/CapabilityTests holds the
/// same against the kernel.)
@Suite struct PointerUseTests {
  static let cases: [(body: String, section: String, needs: Bool)] = [
    ("return XDP_PASS;", "xdp", false),
    // Bounds of a packet are compared, and moved by constants, by every program.
    ("if (data + 14 > end) return XDP_DROP; return data[12];", "xdp", false),
    ("return end - data > 100;", "xdp", true),
    ("__u64 n = frame->rx_queue_index & 7; if (data + n + 1 > end) return 0; return data[n];", "xdp", true),
    ("__u64 *value = lookup(&notes, &zero); if (!value) return 0; *value += 1; return 0;", "xdp", false),
    ("__u64 *value = lookup(&notes, &zero); if (!value) return 0; *value = (__u64)data; return 0;", "xdp", true),
    ("__u64 *value = lookup(&notes, &zero); return (__u64)value > 0x1000;", "xdp", true),
    ("char text[16] = {}; text[frame->rx_queue_index & 15] = 1; return text[3];", "xdp", true),
    ("char text[8]; asm volatile(\"\" : : \"r\"(text)); return text[3];", "xdp", true),
    ("__u8 *at = lookup(&notes, &zero); if (!at) return 0; return at[frame->rx_queue_index & 7];", "xdp", false),
  ]

  static func source(_ body: String, _ section: String) -> String {
    """
    struct { int (*type)[2]; int (*max_entries)[1]; __u32 *key; __u64 *value; } notes SEC(".maps");
    static void *(*const lookup)(void *map, const void *key) = (void *)1;
    struct frame { __u32 data, data_end, data_meta, ingress_ifindex, rx_queue_index; };
    SEC("\(section)") int f(struct frame *frame) {
      __u8 *data = (__u8 *)(long)frame->data, *end = (__u8 *)(long)frame->data_end;
      __u32 zero = 0;
      \(body)
    }
    char LICENSE[] SEC("license") = "GPL";
    """
  }

  @Test(arguments: cases)
  func isFound(example: (body: String, section: String, needs: Bool)) throws {
    let bytes = try TestObject.compile(source: Self.source(example.body, example.section))
    let report = try #require(try BPFObject.report(bytes: bytes.rawSpan).programs.first)
    #expect(report.capabilities.contains(.perfmon) == example.needs, "\(example.body)")
  }

  /// Maps that redirect packets and sockets are made by who administers the network.
  @Test func mapsAskToo() throws {
    let bytes = try TestObject.compile(
      source: """
        struct { int (*type)[14]; int (*max_entries)[1]; __u32 *key; __u32 *value; } ports SEC(".maps");
        SEC("socket") int f(void *ctx) { return 0; }
        SEC("syscall") int g(void *ctx) { return !!&ports; }
        char LICENSE[] SEC("license") = "GPL";
        """)
    let programs = try BPFObject.report(bytes: bytes.rawSpan).programs
    #expect(programs.map(\.capabilities) == [[.bpf, .netAdmin], [.bpf, .netAdmin]])
  }
}

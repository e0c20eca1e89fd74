import LinuxSys
import PolicySyntax
import Testing

@Suite struct ProgramNamesTests {
  /// The names' order is that of the kernel's enums, as far as the installed header goes.
  @Test(arguments: [("bpf_prog_type", "BPF_PROG_TYPE_"), ("bpf_attach_type", "BPF_")])
  func namesFollowTheHeader(name: String, prefix: String) throws {
    let header = try OwnedFD.open("/usr/include/linux/bpf.h", .readOnly).readToEnd(limit: 1 << 22) ?? []
    let text = String(decoding: header, as: UTF8.self)
    let start = try #require(text.firstRange(of: "enum \(name) {"))
    let body = text[start.upperBound...].prefix { $0 != "}" }
    let constants = body.split(separator: "\n").compactMap { line -> String? in
      let word = line.split(whereSeparator: { " \t,".contains($0) }).first.map { String($0) }
      return word?.hasPrefix(prefix) == true ? word.map { String($0.dropFirst(prefix.count)).lowercased() } : nil
    }
    #expect(constants.count >= 30)
    let table = name == "bpf_prog_type" ? ProgramNames.types : ProgramNames.attachTypes
    // libbpf shortens a few of the header's words; the rest must be equal, place by place.
    let aliases = [
      "cgroup_inet_sock_create": "cgroup_inet_sock_create", "sk_skb_stream_parser": "sk_skb_stream_parser",
      "xdp_devmap": "xdp_devmap", "xdp_cpumap": "xdp_cpumap", "trace_kprobe_multi": "trace_kprobe_multi",
    ]
    for (index, constant) in constants.enumerated() where index < table.count {
      #expect(table[index] == aliases[constant] ?? constant, "number \(index)")
    }
  }
}

import KernelABI
import Testing

@Suite struct KernelFunctionTests {
  @Test(arguments: [
    ("tcp_slow_start", "5.13"), ("bpf_skb_ct_lookup", "5.18"), ("bpf_rcu_read_lock", "6.2"), ("bpf_throw", "6.7"),
    ("bpf_dynptr_is_rdonly", "6.5"), ("bpf_get_fsverity_digest", "6.8"), ("bpf_real_data_inode", "7.2"),
  ])
  func functionsCameWith(_ name: String, _ release: String) {
    #expect(KernelFunctions.since(name)?.description == release)
  }

  @Test func unknownFunctionsHaveNoRelease() {
    for name in ["", "bpf_of_tomorrow", "BPF_THROW", "printk"] { #expect(KernelFunctions.since(name) == nil) }
  }

  @Test func everyFunctionIsThereOnce() {
    let names = KernelFunctions.names
    #expect(names.count > 200 && Set(names).count == names.count)
    #expect(names.allSatisfy { (KernelFunctions.since($0) ?? KernelRelease(0, 0)) >= KernelRelease(5, 13) })
  }
}

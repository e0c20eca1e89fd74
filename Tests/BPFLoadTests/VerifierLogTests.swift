import Testing

@testable import BPFLoad

/// Logs of different kernels, as recorded.
@Suite struct VerifierLogTests {
  @Test func readsTheLayoutWithSourcePlaces() {
    let log = VerifierLog(
      """
      0: R1=ctx() R10=fp0
      ; __u8 *first = (void *)(long)frame->data; @ refused_access.bpf.c:6
      0: (61) r1 = *(u32 *)(r1 +0)          ; R1=pkt(r=0)
      ; return *first == 1 ? XDP_DROP : XDP_PASS; @ refused_access.bpf.c:7
      1: (71) r1 = *(u8 *)(r1 +0)
      invalid access to packet, off=0 size=1, R1(id=0,off=0,r=0)
      R1 offset is outside of the packet
      processed 2 insns (limit 1000000) max_states_per_insn 0 total_states 0 peak_states 0 mark_read 0
      """)
    #expect(
      log.reason == "invalid access to packet, off=0 size=1, R1(id=0,off=0,r=0); R1 offset is outside of the packet")
    #expect(log.instruction == .init(index: 1, text: "(71) r1 = *(u8 *)(r1 +0)"))
    #expect(
      log.source == .init(code: "return *first == 1 ? XDP_DROP : XDP_PASS;", file: "refused_access.bpf.c", line: 7))
    #expect(log.tail.count == 8)
  }

  @Test func readsTheLayoutWithoutThem() {
    let log = VerifierLog(
      """
      func#0 @0
      0: R1=ctx(id=0,off=0,imm=0) R10=fp0
      ; __u8 *first = (void *)(long)frame->data;
      0: (61) r1 = *(u32 *)(r1 +0)
      1: R1_w=pkt(id=0,off=0,r=0,imm=0) R10=fp0
      ; return *first == 1 ? XDP_DROP : XDP_PASS;
      1: (71) r1 = *(u8 *)(r1 +0)
      invalid access to packet, off=0 size=1, R1(id=0,off=0,r=0)
      R1 offset is outside of the packet
      processed 2 insns (limit 1000000) max_states_per_insn 0 total_states 0 peak_states 0 mark_read 0
      """)
    #expect(log.reason?.hasPrefix("invalid access to packet") == true)
    #expect(log.instruction?.index == 1)
    #expect(log.source == .init(code: "return *first == 1 ? XDP_DROP : XDP_PASS;", file: nil, line: nil))
  }

  @Test func findsTheInstructionThatASentenceNames() {
    let log = VerifierLog("unreachable insn 4\nprocessed 0 insns (limit 1000000) max_states_per_insn 0\n")
    #expect(log.reason == "unreachable insn 4")
    #expect(log.instruction == .init(index: 4, text: nil))
  }

  @Test(arguments: [
    ("invalid func unknown#195896080", UInt32(195_896_080), true),
    ("program of this type cannot use helper bpf_probe_write_user#36", 36, false),
    ("unknown func bpf_probe_read#4", 4, false),
  ])
  func recognisesRefusedHelpers(sentence: String, helper: UInt32, isPoisoned: Bool) {
    let log = VerifierLog("5: (85) call x#1\n\(sentence)\nprocessed 6 insns (limit 1000000)\n")
    #expect(log.refusedHelper == helper)
    #expect(log.isPoisonedRelocation == isPoisoned)
  }

  @Test func aLaterInstructionMakesAnEarlierSentenceHistory() {
    let log = VerifierLog(
      "arg#0 reference type('UNKNOWN ') size cannot be determined: -22\n0: (95) exit\nR0 !read_ok\n")
    #expect(log.reason == "R0 !read_ok")
  }

  @Test(arguments: [
    "", "\n\n", ":", "; ", "; @ :", ";  @ file:7", "18446744073709551616: (95) x", "9: (", "from : \u{fffd}",
  ])
  func takesAnyText(text: String) {
    let log = VerifierLog(text)
    #expect(log.tail.count <= 1)
  }
}

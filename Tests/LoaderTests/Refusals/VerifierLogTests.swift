import Testing

@testable import Loader

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

  /// Nothing was processed: the steps before the verifier's say what they do, and in the last line what is wrong.
  @Test func theLastWordBeforeTheFirstInstruction() {
    let log = VerifierLog(
      """
      prog '': relo #0: kind <type_matches> (12), spec is [6] struct rw_semaphore___mine
      prog '': relo #0: error matching candidate #0 [107] struct rw_semaphore: -22
      processed 0 insns (limit 1000000) max_states_per_insn 0 total_states 0 peak_states 0 mark_read 0
      """)
    #expect(log.reason == "prog '': relo #0: error matching candidate #0 [107] struct rw_semaphore: -22")
    #expect(log.instruction == nil)
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

  /// The layout since Linux 7.3, as that kernel prints it for a program of one `exit`.
  @Test func readsTheReportOfNewKernels() {
    let log = VerifierLog(
      """
      0: R1=ctx() R10=fp0
      0: (95) exit
      R0 !read_ok

      Verification failed: Register Type Safety: Unreadable register

      Reason:
        R0 has never been initialized on this path, so the verifier cannot use it as an input.

      At:
        insn 0
              | ^-- error: R0 is not readable
        Instruction context:
        >>> 0 | (95) exit

      Causal path:
        no retained diagnostic events on this path

      Suggestion:
        Initialize R0 on every path before this instruction.

      processed 1 insns (limit 1000000) max_states_per_insn 0 total_states 0 peak_states 0 mark_read 0
      """)
    #expect(log.reason == "R0 !read_ok")
    #expect(log.instruction == .init(index: 0, text: "(95) exit"))
    #expect(log.report?.title == "Register Type Safety: Unreadable register")
    #expect(
      log.report?.reason == [
        "R0 has never been initialized on this path, so the verifier cannot use it as an input."
      ])
    #expect(log.report?.suggestion == ["Initialize R0 on every path before this instruction."])
    #expect(log.report?.instruction == 0)
  }

  /// As Linux 7.3.4 printed it for a program with line information.
  @Test func readsTheReportWithSource() {
    let log = VerifierLog(
      """
      0: R1=ctx() R10=fp0
      ; __u8 *first = (void *)(long)frame->data; @ refused.bpf.c:6
      0: (61) r1 = *(u32 *)(r1 +0)          ; R1=pkt(r=0)
      ; return *first == 1 ? XDP_DROP : XDP_PASS; @ refused.bpf.c:7
      1: (71) r1 = *(u8 *)(r1 +0)
      invalid access to packet, off=0 size=1, R1(id=0,off=0,r=0)
      R1 min value is outside of the allowed memory range

      Verification failed: Memory Safety: Access outside bounds

      Reason:
        The verifier cannot prove offset + access_size <= object_size. Here, the minimal bound for a
        memory access is 0 and is outside of the object of size 0. R1 is pkt; offset is constant 0;
        access_size is 1; object_size is 0.

      At:
        refused @ refused.bpf.c:7:10
        Source context:
            5 | ...
            6 |   __u8 *first = (void *)(long)frame->data;
        >>> 7 |   return *first == 1 ? XDP_DROP : XDP_PASS;
              |   ^-- error: access may be outside object bounds
            8 | ...
            9 | ...
        Instruction context:
            0 | (61) r1 = *(u32 *)(r1 +0)
        >>> 1 | (71) r1 = *(u8 *)(r1 +0)
            2 | (b4) w0 = 1
            3 | (16) if w1 == 0x1 goto pc+1

      Causal path:
        refused @ refused.bpf.c:6:38
        Source context:
            4 | ...
            5 | ...
        >>> 6 |   __u8 *first = (void *)(long)frame->data;
              |   ^-- update: R1 changed from context pointer at offset 0 to pkt at offset 0
            7 |   return *first == 1 ? XDP_DROP : XDP_PASS;
            8 | ...
        Instruction context:
        >>> 0 | (61) r1 = *(u32 *)(r1 +0)
            1 | (71) r1 = *(u8 *)(r1 +0)
            2 | (b4) w0 = 1

      Suggestion:
        Add or adjust a bounds check that proves offset + access_size stays within the object.

      processed 2 insns (limit 1000000) max_states_per_insn 0 total_states 0 peak_states 0 mark_read 0
      """)
    #expect(log.reason?.hasPrefix("invalid access to packet") == true)
    #expect(log.instruction == .init(index: 1, text: "(71) r1 = *(u8 *)(r1 +0)"))
    #expect(log.source == .init(code: "return *first == 1 ? XDP_DROP : XDP_PASS;", file: "refused.bpf.c", line: 7))
    #expect(log.report?.title == "Memory Safety: Access outside bounds" && log.report?.instruction == 1)
    #expect(log.report?.reason.count == 3 && log.report?.suggestion.count == 1)
  }

  /// Where the kernel says nothing but its report, the report is the reason.
  @Test func takesTheReportForTheReason() {
    let log = VerifierLog("Verification failed: A: B\n\nReason:\n  because\n\nAt:\n  insn 7 (x)\n\nprocessed 1 insns\n")
    #expect(log.reason == "A: B; because")
    #expect(log.instruction?.index == 7)
  }

  @Test(arguments: ["Verification failed: ", "Verification failed: x\nReason:", "Verification failed: x\nAt:\n insn "])
  func takesAnyReport(text: String) {
    #expect(VerifierLog(text).report != nil)
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

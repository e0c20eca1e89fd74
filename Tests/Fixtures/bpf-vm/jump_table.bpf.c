// A program that jumps by a table, as compilers for newer instruction sets make it of a switch statement. The table is written
// by hand here, so that any clang takes it: its entries are offsets in the section of the jump.
#include "vbpf.h"

SEC("xdp")
int stands_before(struct xdp_md *frame) {
  return frame->rx_queue_index > 1000 ? XDP_DROP : XDP_PASS;
}

SEC("xdp")
__attribute__((naked)) int jumps(struct xdp_md *frame __attribute__((unused))) {
  asm volatile(".pushsection .jumptables,\"\",@progbits;"
               "table: .quad aborted - xdp; .quad dropped - xdp; .size table, 16; .global table;"
               ".popsection;"
               "r0 = table ll;"
               "r0 += 8;"
               "r0 = *(u64 *)(r0 + 0);"
               ".8byte 0x0d;"  // goto *r0
               "aborted: r0 = 0; exit;"
               "dropped: r0 = 1; exit;" ::
                   : "r0", "memory");
}

char LICENSE[] SEC("license") = "GPL";

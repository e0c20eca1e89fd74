// Programs whose sections say what kind of place they are attached to, but not which.
#include "vbpf.h"

SEC("xdp")
int on_interface(struct xdp_md *context) {
  (void)context;
  return XDP_PASS;
}

SEC("tcx/ingress")
int on_ingress(struct __sk_buff *packet) {
  (void)packet;
  return TCX_NEXT;
}

SEC("tc")
int either_way(struct __sk_buff *packet) {
  (void)packet;
  return TCX_NEXT;
}

SEC("cgroup/skb")
int either_packet(struct __sk_buff *packet) {
  (void)packet;
  return 1;
}

SEC("cgroup/connect4")
int on_connect(void *address) {
  (void)address;
  return 1;
}

SEC("sockops")
int on_socket(void *operation) {
  (void)operation;
  return 1;
}

SEC("sk_lookup")
int on_lookup(void *lookup) {
  (void)lookup;
  return 1;
}

SEC("raw_tp")
int on_tracepoint(void *context) {
  (void)context;
  return 0;
}

char LICENSE[] SEC("license") = "GPL";

// Calls functions of a module (nf_conntrack), one that no kernel has only where there is one, and watches the module.
#include "vbpf.h"

#define __ksym __attribute__((section(".ksyms")))
#define __weak __attribute__((weak))

struct nf_conn;

// struct bpf_ct_opts as every kernel since 5.18 takes it (net/netfilter/nf_conntrack_bpf.c).
struct lookup {
  __s32 network_namespace;
  __s32 error;
  __u8 protocol;
  __u8 direction;
  __u8 reserved[2];
};

struct addresses {
  __be32 source, destination;
  __be16 source_port, destination_port;
};

extern struct nf_conn *bpf_xdp_ct_lookup(struct xdp_md *frame, struct addresses *tuple, __u32 tuple_size,
                                         struct lookup *options, __u32 options_size) __ksym;
extern void bpf_ct_release(struct nf_conn *connection) __ksym;
extern void no_such_function(void) __ksym __weak;

__s64 error;
__u64 lookups;

SEC("xdp")
int find_connection(struct xdp_md *frame) {
  struct addresses tuple = {.source = 1, .destination = 2, .source_port = 3, .destination_port = 4};
  struct lookup options = {.network_namespace = -1, .protocol = IPPROTO_TCP};
  if (no_such_function) no_such_function();
  struct nf_conn *connection = bpf_xdp_ct_lookup(frame, &tuple, sizeof tuple, &options, sizeof options);
  error = options.error;
  __sync_fetch_and_add(&lookups, 1);
  if (connection) bpf_ct_release(connection);
  return XDP_PASS;
}

char LICENSE[] SEC("license") = "GPL";

// Is attached to marked places of a library (USDT). The maps are those of libbpf's usdt.bpf.h.
#include "vbpf.h"

struct __bpf_usdt_arg_spec {
  __u64 val_off;
  __u32 arg_type;
  short reg_off;
  bool arg_signed;
  char arg_bitshift;
};

struct __bpf_usdt_spec {
  struct __bpf_usdt_arg_spec args[12];
  __u64 usdt_cookie;
  short arg_cnt;
};

struct {
  __uint(type, BPF_MAP_TYPE_ARRAY);
  __uint(max_entries, 16);
  __type(key, int);
  __type(value, struct __bpf_usdt_spec);
} __bpf_usdt_specs SEC(".maps");

struct {
  __uint(type, BPF_MAP_TYPE_HASH);
  __uint(max_entries, 1);
  __type(key, long);
  __type(value, __u32);
} __bpf_usdt_ip_to_spec_id SEC(".maps");

static __u64 (*const bpf_get_attach_cookie)(void *context) = (void *)174;

__u64 hits;
__u64 arguments;

#define COUNTING(section, name) \
  SEC(section) int name(void *context) { \
    int key = bpf_get_attach_cookie(context); \
    struct __bpf_usdt_spec *spec = bpf_map_lookup_elem(&__bpf_usdt_specs, &key); \
    __sync_fetch_and_add(&hits, 1); \
    if (spec) arguments = spec->arg_cnt; \
    (void)&__bpf_usdt_ip_to_spec_id; \
    return 0; \
  }

COUNTING("usdt/libstdc++.so.6:libstdcxx:throw", on_throw)
COUNTING("usdt/libstdc++.so.6:libstdcxx:catch", on_catch)
COUNTING("?usdt", on_any)

char LICENSE[] SEC("license") = "GPL";

// What a BPF program needs, and nothing else.
//
// The demo does not include the machine's kernel headers or a dumped vmlinux.h: the types that land in an object's
// BTF would then depend on the machine it was built on, and so would the root hash of the image. Everything here is
// stable kernel ABI from include/uapi/linux/bpf.h; the numbers and layouts never change.
#ifndef VBPF_H
#define VBPF_H

typedef unsigned char __u8;
typedef unsigned short __u16;
typedef unsigned int __u32;
typedef unsigned long long __u64;
typedef signed char __s8;
typedef short __s16;
typedef int __s32;
typedef long long __s64;
typedef __u16 __be16;
typedef __u32 __be32;
typedef _Bool bool;
#define true 1
#define false 0
#define NULL ((void *)0)

// ---- Sections and attributes -------------------------------------------------------------------------------------

// The section's name is what a loader reads the program's type and attach point from.
#define SEC(name) __attribute__((section(name), used))
#define __always_inline inline __attribute__((always_inline))
#define __noinline __attribute__((noinline))
// A type whose field offsets, sizes and existence are taken from the running kernel (CO-RE). Declare only the fields
// that are used, in any order; `name___flavour` stands for a kernel type `name` of another shape.
#define CORE __attribute__((preserve_access_index))

// ---- CO-RE questions (enum bpf_core_relo_kind) -------------------------------------------------------------------

#define core_field_exists(field) __builtin_preserve_field_info(field, 2)
#define core_field_size(field) __builtin_preserve_field_info(field, 1)

// ---- Maps: BTF-defined, as in libbpf's <bpf/bpf_helpers.h> ---------------------------------------------------------

#define __uint(name, value) int (*name)[value]
#define __type(name, value) typeof(value) *name

enum bpf_map_type {
  BPF_MAP_TYPE_HASH = 1,
  BPF_MAP_TYPE_ARRAY = 2,
  BPF_MAP_TYPE_PERCPU_ARRAY = 6,
  BPF_MAP_TYPE_LRU_HASH = 9,
  BPF_MAP_TYPE_LPM_TRIE = 11,
  BPF_MAP_TYPE_RINGBUF = 27,
};

#define BPF_ANY 0
#define BPF_NOEXIST 1
#define BPF_F_NO_PREALLOC 1

// ---- Contexts ------------------------------------------------------------------------------------------------------

struct xdp_md {
  __u32 data;
  __u32 data_end;
  __u32 data_meta;
  __u32 ingress_ifindex;
  __u32 rx_queue_index;
  __u32 egress_ifindex;
};

enum xdp_action { XDP_ABORTED, XDP_DROP, XDP_PASS, XDP_TX, XDP_REDIRECT };

// The part of struct __sk_buff that these programs use; the rest follows it.
struct __sk_buff {
  __u32 len;
  __u32 pkt_type;
  __u32 mark;
  __u32 queue_mapping;
  __u32 protocol;
  __u32 vlan_present;
  __u32 vlan_tci;
  __u32 vlan_proto;
  __u32 priority;
  __u32 ingress_ifindex;
  __u32 ifindex;
  __u32 tc_index;
  __u32 cb[5];
  __u32 hash;
  __u32 tc_classid;
  __u32 data;
  __u32 data_end;
};

// "No verdict": the next program or the stack goes on (TCX_NEXT; TC_ACT_UNSPEC for a clsact filter).
#define TCX_NEXT -1

// For bpf_skb_load_bytes_relative: offsets count from the network header.
#define BPF_HDR_START_NET 1

struct bpf_raw_tracepoint_args {
  __u64 args[0];
};

// ---- Packets -------------------------------------------------------------------------------------------------------

#define ETH_P_IP 0x0800
#define ETH_P_IPV6 0x86dd
#define ETH_P_8021Q 0x8100
#define ETH_P_8021AD 0x88a8
#define IPPROTO_TCP 6
#define IPPROTO_UDP 17

struct ethhdr {
  __u8 destination[6];
  __u8 source[6];
  __be16 protocol;
};

struct vlanhdr {
  __be16 tag;
  __be16 protocol;
};

struct iphdr {
  __u8 version_and_length;
  __u8 tos;
  __be16 total_length;
  __be16 id;
  __be16 fragment_offset;
  __u8 ttl;
  __u8 protocol;
  __u16 checksum;
  __be32 source;
  __be32 destination;
};

struct ipv6hdr {
  __u8 version_and_class[4];
  __be16 payload_length;
  __u8 next_header;
  __u8 hop_limit;
  __u8 source[16];
  __u8 destination[16];
};

// The ports stand first in both TCP and UDP headers.
struct ports {
  __be16 source;
  __be16 destination;
};

#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
#define from_be16(value) __builtin_bswap16(value)
#define from_be32(value) __builtin_bswap32(value)
#else
#define from_be16(value) (value)
#define from_be32(value) (value)
#endif
#define to_be16(value) from_be16(value)

// ---- Helpers (enum bpf_func_id) --------------------------------------------------------------------------------------

static void *(*const bpf_map_lookup_elem)(void *map, const void *key) = (void *)1;
static long (*const bpf_map_update_elem)(void *map, const void *key, const void *value, __u64 flags) = (void *)2;
static long (*const bpf_map_delete_elem)(void *map, const void *key) = (void *)3;
static __u64 (*const bpf_ktime_get_ns)(void) = (void *)5;
static __u64 (*const bpf_get_current_uid_gid)(void) = (void *)15;
static long (*const bpf_get_current_comm)(void *buffer, __u32 size) = (void *)16;
static long (*const bpf_skb_load_bytes)(const void *skb, __u32 offset, void *to, __u32 size) = (void *)26;
static long (*const bpf_skb_load_bytes_relative)(const void *skb, __u32 offset, void *to, __u32 size,
                                                 __u32 start) = (void *)68;
static long (*const bpf_probe_read_user)(void *to, __u32 size, const void *from) = (void *)112;
static long (*const bpf_seq_printf)(void *seq, const char *format, __u32 format_size, const void *data,
                                    __u32 data_size) = (void *)126;
static void *(*const bpf_ringbuf_reserve)(void *ringbuf, __u64 size, __u64 flags) = (void *)131;
static void (*const bpf_ringbuf_submit)(void *data, __u64 flags) = (void *)132;
static void *(*const bpf_get_current_task_btf)(void) = (void *)158;

#endif

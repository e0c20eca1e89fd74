// A map of every type that can be declared, with the fields that matter to it.
#include "vbpf.h"

#define MAP(name, number, fields) \
  struct { \
    __uint(type, number); \
    fields \
  } name SEC(".maps")
#define KEY(size) __uint(key_size, size);
#define VALUE(size) __uint(value_size, size);
#define ENTRIES(count) __uint(max_entries, count);
#define FLAGS(bits) __uint(map_flags, bits);
#define WORDS __type(key, __u32); __type(value, __u64);

struct prefix {
  __u32 length;
  __u8 address[4];
};
struct inner {
  __uint(type, 2);
  __type(key, __u32);
  __type(value, __u64);
  __uint(max_entries, 1);
};

MAP(m_hash, 1, WORDS ENTRIES(3));
MAP(m_hash_no_prealloc, 1, WORDS ENTRIES(3) FLAGS(1));
MAP(m_hash_numa, 1, WORDS ENTRIES(3) FLAGS(4) __uint(numa_node, 0););
MAP(m_array, 2, WORDS ENTRIES(3));
MAP(m_array_mmap, 2, WORDS ENTRIES(3) FLAGS(1024));
MAP(m_programs, 3, KEY(4) VALUE(4) ENTRIES(3));
MAP(m_perf, 4, KEY(4) VALUE(4));
MAP(m_percpu_hash, 5, WORDS ENTRIES(3));
MAP(m_percpu_array, 6, WORDS ENTRIES(3));
MAP(m_stacks, 7, KEY(4) VALUE(64) ENTRIES(3));
MAP(m_cgroups, 8, KEY(4) VALUE(4) ENTRIES(3));
MAP(m_lru, 9, WORDS ENTRIES(3));
MAP(m_lru_percpu, 10, WORDS ENTRIES(3));
MAP(m_lpm, 11, __type(key, struct prefix); __type(value, __u64); ENTRIES(3) FLAGS(1));
MAP(m_lpm_bytes, 11, KEY(8) VALUE(8) ENTRIES(3) FLAGS(1));
MAP(m_devices, 14, KEY(4) VALUE(8) ENTRIES(3));
MAP(m_sockets, 15, KEY(4) VALUE(8) ENTRIES(3));
MAP(m_cpus, 16, KEY(4) VALUE(8) ENTRIES(1));
MAP(m_xsks, 17, KEY(4) VALUE(4) ENTRIES(3));
MAP(m_socket_hash, 18, KEY(4) VALUE(8) ENTRIES(3));
MAP(m_reuseport, 20, KEY(4) VALUE(8) ENTRIES(3));
MAP(m_queue, 22, VALUE(8) ENTRIES(3));
MAP(m_stack, 23, VALUE(8) ENTRIES(3));
MAP(m_sk_storage, 24, __type(key, int); __type(value, __u64); FLAGS(1));
MAP(m_device_hash, 25, KEY(4) VALUE(8) ENTRIES(3));
MAP(m_ring, 27, ENTRIES(5000));
MAP(m_inodes, 28, __type(key, int); __type(value, __u64); FLAGS(1));
MAP(m_tasks, 29, __type(key, int); __type(value, __u64); FLAGS(1));
MAP(m_bloom, 30, __type(value, __u64); ENTRIES(3) __uint(map_extra, 2););
MAP(m_user_ring, 31, ENTRIES(4096));
MAP(m_cgroup_data, 32, __type(key, int); __type(value, __u64); FLAGS(1));

struct inner inside SEC(".maps");
struct {
  __uint(type, 12);
  __uint(max_entries, 3);
  __type(key, __u32);
  struct inner *values[];
} m_array_of_maps SEC(".maps") = {.values = {[2] = &inside}};
struct {
  __uint(type, 13);
  __uint(max_entries, 3);
  __type(key, __u32);
  struct inner *values[];
} m_hash_of_maps SEC(".maps") = {.values = {&inside}};

SEC("xdp")
int nothing(struct xdp_md *context) {
  (void)context;
  return XDP_PASS;
}

char LICENSE[] SEC("license") = "GPL";

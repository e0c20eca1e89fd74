// The gate's SHA-256 over a message that user space gives: what it computes and how long it takes can be seen on any kernel,
// without a gate.
#include "../../../images/gate/include/sha256.h"

#define MESSAGE_SIZE 131072

struct message {
  __u8 bytes[MESSAGE_SIZE];
};

struct {
  __uint(type, BPF_MAP_TYPE_ARRAY);
  __uint(max_entries, 1);
  __type(key, __u32);
  __type(value, struct message);
} messages SEC(".maps");

struct {
  __uint(type, BPF_MAP_TYPE_ARRAY);
  __uint(max_entries, 1);
  __type(key, __u32);
  __type(value, struct gate_hash);
} hashes SEC(".maps");

// Takes the size of the message, and answers with what hashing it that often in a row took, in nanoseconds.
struct request {
  __u64 size;
  __u64 times;
  __u64 nanoseconds;
};

SEC("syscall")
int hash_message(struct request *request) {
  __u32 zero = 0;
  struct message *message = bpf_map_lookup_elem(&messages, &zero);
  struct gate_hash *hash = bpf_map_lookup_elem(&hashes, &zero);
  __u64 size = request->size;
  __u64 times = request->times;
  if (!message || !hash || size > MESSAGE_SIZE || times > 1000) return 1;
  *(volatile __u64 *)&hash->address = (__u64)message;
  __u64 address = *(volatile __u64 *)&hash->address;
  __u64 start = bpf_ktime_get_boot_ns();
  struct bpf_iter_num iterator;
  bpf_iter_num_new(&iterator, 0, times);
  while (bpf_iter_num_next(&iterator)) sha256(hash, address, size);
  bpf_iter_num_destroy(&iterator);
  request->nanoseconds = bpf_ktime_get_boot_ns() - start;
  return 0;
}

char LICENSE[] SEC("license") = "GPL";

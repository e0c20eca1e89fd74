// A ring buffer that names the type of its records, as generators of Go and Rust code want it.
#include "vbpf.h"

struct record {
  int value;
};

struct {
  __uint(type, BPF_MAP_TYPE_RINGBUF);
  __uint(max_entries, 4096);
  __type(value, struct record);
} records SEC(".maps");

SEC("xdp") int ring_records(void *ctx __attribute__((unused))) {
  struct record record = {1};
  long (*output)(void *, void *, __u64, __u64) = (void *)130;
  output(&records, &record, sizeof(record), 0);
  return 2;
}

char LICENSE[] SEC("license") = "GPL";

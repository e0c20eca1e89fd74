// The gate's maps, and what all of its programs do with them. Maps of rows have no size here: a load is told how much they are
// to hold (`--map-entries`).
#ifndef GATE_MAPS_H
#define GATE_MAPS_H

#include "gate.h"
#include "kernel.h"
#include "sha256.h"

// What a task's load needs from one hook to the next, and what has no place on a stack of 512 bytes.
struct gate_task {
  struct gate_hash hash;
  struct gate_digest digest;
  struct gate_scope scope;
  __u64 judged;  // the address of the program's bpf_prog_aux whose load is to be decided; 0 for none
};

struct {
  __uint(type, BPF_MAP_TYPE_ARRAY);
  __uint(max_entries, 1);
  __type(key, __u32);
  __type(value, struct gate_state);
} gate_state SEC(".maps");

struct {
  __uint(type, BPF_MAP_TYPE_HASH);
  __type(key, __u32);
  __type(value, struct gate_device);
} gate_devices SEC(".maps");

struct {
  __uint(type, BPF_MAP_TYPE_HASH);
  __type(key, struct gate_executable);
  __type(value, struct gate_right);
} gate_executables SEC(".maps");

struct {
  __uint(type, BPF_MAP_TYPE_HASH);
  __type(key, struct gate_digest);
  __type(value, struct gate_relocated);
} gate_digests SEC(".maps");

struct {
  __uint(type, BPF_MAP_TYPE_HASH);
  __type(key, struct gate_scope);
  __type(value, struct gate_calls);
} gate_scopes SEC(".maps");

struct {
  __uint(type, BPF_MAP_TYPE_HASH);
  __uint(max_entries, 256);
  __type(key, struct gate_part);
  __type(value, __u32);
} gate_own SEC(".maps");

struct {
  __uint(type, BPF_MAP_TYPE_ARRAY);
  __uint(max_entries, GATE_COUNTERS);
  __type(key, __u32);
  __type(value, __u64);
} gate_counters SEC(".maps");

struct {
  __uint(type, BPF_MAP_TYPE_RINGBUF);
  __uint(max_entries, 262144);
} gate_events SEC(".maps");

struct {
  __uint(type, BPF_MAP_TYPE_TASK_STORAGE);
  __uint(map_flags, BPF_F_NO_PREALLOC);
  __type(key, int);
  __type(value, struct gate_task);
} gate_tasks SEC(".maps");

// Programs that are being loaded and get no descriptor before their load is decided: the address of bpf_prog_aux, which
// stays the same while the verifier rewrites the program -> 1.
struct {
  __uint(type, BPF_MAP_TYPE_HASH);
  __uint(max_entries, 1024);
  __type(key, __u64);
  __type(value, __u32);
} gate_pending SEC(".maps");

// ---- Common to the programs ------------------------------------------------------------------------------------------

static __always_inline struct gate_state *gate_settings(void) {
  __u32 zero = 0;
  return bpf_map_lookup_elem(&gate_state, &zero);
}

// Whether the gate's own parts are protected.
static __always_inline bool gate_is_sealed(void) {
  struct gate_state *state = gate_settings();
  return state && state->sealed;
}

static __always_inline void gate_count(__u32 counter) {
  __u64 *value = bpf_map_lookup_elem(&gate_counters, &counter);
  if (value) __sync_fetch_and_add(value, 1);
}

// As a 64-bit register: the verifier takes what the compiler makes of `return -EPERM` for a number without a sign.
static __always_inline long gate_refusal(void) {
  long refusal;
  asm volatile("%0 = %1" : "=r"(refusal) : "i"(-EPERM));
  return refusal;
}

static __always_inline bool gate_is_own(__u32 kind, __u32 id) {
  struct gate_part part = {.kind = kind, .id = id};
  return bpf_map_lookup_elem(&gate_own, &part) != NULL;
}

// Which file it is: the number of its file system's device and its inode.
struct gate_file {
  __u32 device;
  __u64 inode;
};

static __always_inline struct gate_file gate_file_of(struct inode *inode) {
  struct gate_file file = {};
  if (inode) {
    file.device = inode->i_sb->s_dev;
    file.inode = inode->i_ino;
  }
  return file;
}

// The file that a task runs; zeros when it runs none. bpf_get_task_exe_file takes the task's lock, which ptrace holds.
static __always_inline struct gate_file gate_executable_of(const struct task_struct *task) {
  struct task_struct *read = kernel_struct(struct task_struct, task);
  struct mm_struct *memory = read->mm;
  if (!memory) return (struct gate_file){};
  struct file *file = memory->exe_file;
  if (!file) return (struct gate_file){};
  return gate_file_of(file->f_inode);
}

static __always_inline void gate_copy_hash(__u8 *to, const __u8 *from) {
  for (int i = 0; i < GATE_HASH_SIZE / 8; i++) ((__u64 *)to)[i] = ((const __u64 *)from)[i];
}

// What is known of a device, when a volume on it is what its root hash says; otherwise NULL, and why not.
static __always_inline struct gate_device *gate_volume(__u32 number, __u32 *reason) {
  struct gate_device *device = bpf_map_lookup_elem(&gate_devices, &number);
  if (!device || device->hash_size == 0) {
    *reason = GATE_UNKNOWN_DEVICE;
    return NULL;
  }
  if (device->flags & GATE_DEVICE_TAINTED) {
    *reason = GATE_TAINTED_DEVICE;
    return NULL;
  }
  if (device->flags & GATE_DEVICE_LENIENT) {
    *reason = GATE_LENIENT_DEVICE;
    return NULL;
  }
  return device;
}

// The row of a file, or NULL and why there is none.
static __always_inline struct gate_right *gate_right_of(struct gate_file file, __u32 *reason) {
  if (!file.inode) {
    *reason = GATE_NO_EXECUTABLE;
    return NULL;
  }
  struct gate_device *device = gate_volume(file.device, reason);
  if (!device) return NULL;
  struct gate_executable key;
  gate_copy_hash(key.root_hash, device->root_hash);
  key.inode = file.inode;
  struct gate_right *right = bpf_map_lookup_elem(&gate_executables, &key);
  if (!right) *reason = GATE_UNKNOWN_EXECUTABLE;
  return right;
}

// Whether a file has a row as an executable.
static __always_inline bool gate_is_listed(struct gate_file file) {
  __u32 reason;
  struct gate_right *right = gate_right_of(file, &reason);
  return right && right->rights & (GATE_JUDGING | GATE_LISTED | GATE_SCOPE | GATE_READER);
}

// ---- Events -------------------------------------------------------------------------------------------------------------

// A record with what is known of every event; NULL when it has no place, which is counted.
static __always_inline struct gate_event *gate_event_of(__u32 hook, __u32 reason, __u32 verdict) {
  gate_count(verdict == GATE_PASSED_LOAD ? GATE_PASSED : GATE_REFUSED);
  struct gate_event *event = bpf_ringbuf_reserve(&gate_events, sizeof(*event), 0);
  if (!event) {
    gate_count(GATE_LOST);
    return NULL;
  }
  const struct task_struct *current = bpf_get_current_task_btf();
  struct task_struct *task = kernel_struct(struct task_struct, current);
  struct gate_file file = gate_executable_of(current);
  event->time = bpf_ktime_get_boot_ns();
  event->process = task->tgid;
  event->thread = task->pid;
  event->user = (__u32)bpf_get_current_uid_gid();
  event->hook = hook;
  event->reason = reason;
  event->verdict = verdict;
  bpf_get_current_comm(event->command, sizeof(event->command));
  event->device = file.device;
  event->inode = file.inode;
  event->type = 0;
  event->attach_type = 0;
  event->attach_btf_id = 0;
  event->core_relos = 0;
  event->instructions = 0;
  event->row = ~0U;
  event->reserved = 0;
  for (int i = 0; i < 4; i++) ((__u64 *)event->sha256)[i] = 0;
  struct gate_device *device = bpf_map_lookup_elem(&gate_devices, &file.device);
  for (int i = 0; i < GATE_HASH_SIZE / 8; i++)
    ((__u64 *)event->root_hash)[i] = device ? ((const __u64 *)device->root_hash)[i] : 0;
  return event;
}

// Refuses something that is no load, and says so.
static __always_inline long gate_refuse(__u32 hook, __u32 reason, __u32 about) {
  struct gate_event *event = gate_event_of(hook, reason, GATE_REFUSED_LOAD);
  if (event) {
    event->instructions = about;
    bpf_ringbuf_submit(event, 0);
  }
  return gate_refusal();
}

#endif

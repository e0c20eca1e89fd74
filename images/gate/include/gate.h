// What the gate's programs and user space share: the layouts of the maps, and the numbers in them.
//
// Integers are in native order. User space sizes the maps, fills them while the gate only watches, and freezes them when
// it is sealed; what the programs themselves write (devices, events, counters) they may write afterwards too.
#ifndef GATE_H
#define GATE_H

#include "vbpf.h"

#define GATE_VERSION 1
#define GATE_HASH_SIZE 64
// Rows that differ in nothing that their keys can say are tried by this number, from 0 on and without gaps.
#define GATE_ALTERNATIVES 4
// In the key of a scope: every program type, or every attach type.
#define GATE_ANY 0xffffffffU

enum gate_mode {
  GATE_WATCH = 0,    // say in events what would be refused, and refuse nothing
  GATE_ENFORCE = 1,  // refuse loads that no row admits
};

// ---- gate_state: an array of one ---------------------------------------------------------------------------------

enum gate_closes {
  GATE_CLOSES_MODULES = 1,  // kernel modules, except of volumes with GATE_MODULES, and kexec
};

struct gate_state {
  __u32 version;          // GATE_VERSION; with any other every load counts as one that no row admits
  __u32 mode;             // enum gate_mode
  __u32 sealed;           // whether the gate's own parts are protected
  __u32 closes;           // enum gate_closes, when sealed
  __u64 mount_namespace;  // the inode number of the initial mount namespace
  __u32 pin_device;       // the device number of the BPF file system with the gate's pins, as the kernel has it
  __u32 reserved;
  __u64 reserved_too;
};
_Static_assert(sizeof(struct gate_state) == 40, "user space writes it");

// ---- gate_devices: dev_t as the kernel has it (20 bits of minor number) -> what is known of the device ------------

enum gate_device_flag {
  GATE_DEVICE_SEEDED = 1,   // user space verified it: the device was there before the gate
  GATE_DEVICE_TAINTED = 2,  // it was announced more than once, so that pages of another table may be cached
  GATE_DEVICE_LENIENT = 4,  // its table does not fail on every read of a damaged block, or that is not known
};

struct gate_device {
  __u8 root_hash[GATE_HASH_SIZE];  // zeros behind the hash
  __u32 hash_size;                 // bytes
  __u32 events;                    // how often a root hash was announced
  __u32 flags;                     // enum gate_device_flag
  __u32 reserved;
  __u64 owner;  // the kernel's address of the block device; 0 in a row from user space
};
_Static_assert(sizeof(struct gate_device) == 88, "user space writes it");

// ---- gate_executables: which file a process runs -> what it may do -----------------------------------------------

struct gate_executable {
  __u8 root_hash[GATE_HASH_SIZE];
  __u64 inode;  // GATE_WHOLE_VOLUME in rows for GATE_MODULES
};
_Static_assert(sizeof(struct gate_executable) == 72, "user space writes it");

#define GATE_WHOLE_VOLUME (~0ULL)

enum gate_rights {
  GATE_JUDGING = 1,  // it loads what it allows itself
  GATE_LISTED = 2,   // it loads what gate_digests lists
  GATE_SCOPE = 4,    // it loads what gate_scopes admits under its scope
  GATE_READER = 8,   // it may open the gate's maps: the events with all rights, the others for reading
  GATE_MODULES = 16, // kernel modules of the volume may be inserted
};

struct gate_right {
  __u32 rights;  // enum gate_rights
  __u32 scope;
};

// ---- gate_digests: instructions as they are submitted -> what the kernel makes of them ---------------------------

struct gate_digest {
  __u8 sha256[32];
  __u32 type;
  __u32 attach_type;
  __u32 core_relos;     // number of CO-RE records
  __u32 attach_btf_id;  // in the BTF of vmlinux; 0 for none
  __u32 alternative;
};
_Static_assert(sizeof(struct gate_digest) == 52, "user space writes it");

enum gate_relocated_flag {
  GATE_AFTER_CORE = 1,  // after_core is compared
  GATE_BTF = 2,         // btf is compared
  GATE_TAG = 4,         // of after_core the first 8 bytes only: the kernel has a tag and no digest
};

struct gate_relocated {
  __u8 after_core[32];
  __u8 btf[32];  // SHA-256 of the BTF that the program brings
  __u32 flags;   // enum gate_relocated_flag
  __u32 row;
};
_Static_assert(sizeof(struct gate_relocated) == 72, "user space writes it");

// ---- gate_scopes: kinds of programs -> what they may call --------------------------------------------------------

// Scope 0 is every process's.
struct gate_scope {
  __u32 scope;
  __u32 type;         // GATE_ANY
  __u32 attach_type;  // GATE_ANY
  __u32 alternative;
};
_Static_assert(sizeof(struct gate_scope) == 16, "user space writes it");

enum gate_calls_flag {
  GATE_EVERY_CALL = 1,  // helpers of any number, and the kernel's own functions
};

struct gate_calls {
  __u32 helpers[8];  // bit N % 32 of word N / 32: helper N
  __u32 flags;       // enum gate_calls_flag
  __u32 row;
};
_Static_assert(sizeof(struct gate_calls) == 40, "user space writes it");

// ---- gate_own: the gate's parts ------------------------------------------------------------------------------------

enum gate_part_kind {
  GATE_PART_MAP = 1,
  GATE_PART_PROGRAM = 2,
  GATE_PART_LINK = 3,
  GATE_PART_PIN = 4,
};

struct gate_part {
  __u32 kind;  // enum gate_part_kind
  __u32 id;    // of a pin the inode number
};

// The value: what executables with GATE_READER may do with a map.
enum gate_part_access {
  GATE_PART_READ = 0,
  GATE_PART_WRITE = 1,  // the ring buffer, whose readers say how far they are
};

// ---- gate_counters: an array of u64 ---------------------------------------------------------------------------------

enum gate_counter {
  GATE_LOST = 0,  // events that found no place in gate_events
  GATE_REFUSED = 1,
  GATE_PASSED = 2,
  GATE_COUNTERS = 3,
};

// ---- gate_events: a ring buffer --------------------------------------------------------------------------------------

enum gate_hook {
  GATE_HOOK_LOAD = 1,        // bpf_prog_load
  GATE_HOOK_PROGRAM = 2,     // bpf_prog: a descriptor of a program
  GATE_HOOK_MAP = 3,         // bpf_map: a descriptor of a map
  GATE_HOOK_COMMAND = 4,     // bpf
  GATE_HOOK_UNLINK = 5,      // inode_unlink
  GATE_HOOK_RENAME = 6,      // inode_rename
  GATE_HOOK_UNMOUNT = 7,     // sb_umount
  GATE_HOOK_PTRACE = 8,      // ptrace_access_check
  GATE_HOOK_MMAP = 9,        // mmap_file
  GATE_HOOK_MPROTECT = 10,   // file_mprotect
  GATE_HOOK_PRCTL = 11,      // task_prctl
  GATE_HOOK_LOAD_DATA = 12,  // kernel_load_data
  GATE_HOOK_READ_FILE = 13,  // kernel_read_file
  GATE_HOOK_EXECUTE = 14,    // bprm_check_security
};

enum gate_reason {
  GATE_BY_CLASS = 1,                // a row of scope 0 admits it
  GATE_BY_JUDGE = 2,                // the executable judges itself
  GATE_BY_DIGEST = 3,               // its instructions are listed
  GATE_BY_SCOPE = 4,                // a row of the executable's scope admits it
  GATE_NO_EXECUTABLE = 16,          // the process runs no file
  GATE_UNKNOWN_DEVICE = 17,         // its file is on no dm-verity device that was announced
  GATE_TAINTED_DEVICE = 18,
  GATE_LENIENT_DEVICE = 19,
  GATE_UNKNOWN_EXECUTABLE = 20,     // no row for its file
  GATE_TRACED = 21,                 // another process traces it
  GATE_UNKNOWN_INSTRUCTIONS = 22,   // no row for its instructions
  GATE_OUTSIDE_SCOPE = 23,          // its type or a call is in no row of the scope
  GATE_RETURN_MODIFIER = 24,        // a program that changes what functions of the kernel return
  GATE_OWN_PROGRAM = 25,            // it attaches to a program of the gate
  GATE_OTHER_RELOCATION = 26,       // other instructions after CO-RE than the row has
  GATE_OTHER_TYPES = 27,            // other BTF than the row has
  GATE_STILL_JUDGED = 28,           // a program whose load is not decided
  GATE_NO_MEMORY = 29,              // no place to keep what the decision needs
  GATE_STATE_UNKNOWN = 30,          // gate_state is not of this version
  GATE_OWN_PART = 31,               // a part of the gate
  GATE_LSM_CGROUP = 32,             // it would run after the gate and can undo its answer
  GATE_LISTED_PROCESS = 33,         // a process whose executable has a row
  GATE_FOREIGN_CODE = 34,           // code that is not of the executable's volume
  GATE_WRITABLE_CODE = 35,          // code that was or is writable
  GATE_EXECUTABLE_CHANGED = 36,     // prctl would name another executable
  GATE_UNKNOWN_MODULE = 37,         // a kernel module of no volume that may bring them
  GATE_KEXEC = 38,
};

enum gate_verdict {
  GATE_PASSED_LOAD = 0,
  GATE_REFUSED_LOAD = 1,
  GATE_WOULD_REFUSE = 2,  // the gate only watches
};

struct gate_event {
  __u64 time;  // nanoseconds since the boot, with suspended time
  __u32 process;
  __u32 thread;
  __u32 user;
  __u32 hook;     // enum gate_hook
  __u32 reason;   // enum gate_reason
  __u32 verdict;  // enum gate_verdict
  char command[16];
  __u32 device;  // of the executable, as the kernel has it; 0 for none
  __u32 type;
  __u64 inode;  // of the executable
  __u32 attach_type;
  __u32 attach_btf_id;
  __u32 core_relos;
  __u32 instructions;  // their number; of other hooks what the case is about: an id, an option, a command
  __u32 row;           // of the row that admits, or ~0
  __u32 reserved;
  __u8 sha256[32];  // of the instructions as submitted; zeros where nothing asked for it
  __u8 root_hash[GATE_HASH_SIZE];
};
_Static_assert(sizeof(struct gate_event) == 184, "user space reads it");

#endif

// The kernel's types, as far as the gate reads them: CO-RE takes offsets and existence from the running kernel, and for the
// device-mapper's types from its modules.
#ifndef GATE_KERNEL_H
#define GATE_KERNEL_H

#include "vbpf.h"

#define BPF_MAP_TYPE_TASK_STORAGE 29
#define BPF_LOCAL_STORAGE_GET_F_CREATE 1

#define FMODE_WRITE 2
#define PROT_WRITE 2
#define PROT_EXEC 4
#define VM_EXEC 4
#define PTRACE_MODE_ATTACH 2
#define MNT_DETACH 2
#define PR_SET_MM 35
#define PR_SET_MM_EXE_FILE 13
#define PR_SET_MM_MAP 14
#define EPERM 1
#define ENOSYS 38

enum bpf_cmd_numbers {
  BPF_PROG_ATTACH = 8,
  BPF_PROG_DETACH = 9,
  BPF_LINK_CREATE = 28,
  BPF_LINK_UPDATE = 29,
  BPF_LINK_DETACH = 34,
};
#define BPF_PROG_TYPE_TRACING 26
#define BPF_MODIFY_RETURN 26
#define BPF_LSM_CGROUP 43

typedef __u32 dev_t;

struct super_block {
  dev_t s_dev;
} CORE;

struct inode {
  struct super_block *i_sb;
  unsigned long i_ino;
} CORE;

struct dentry {
  struct inode *d_inode;
} CORE;

struct file {
  struct inode *f_inode;
  void *private_data;
} CORE;

struct linux_binprm {
  struct file *file;
} CORE;

struct mm_struct {
  struct file *exe_file;
} CORE;

struct fdtable {
  unsigned int max_fds;
  struct file **fd;
} CORE;

struct files_struct {
  struct fdtable *fdt;
} CORE;

struct task_struct {
  int pid;
  int tgid;
  unsigned int ptrace;
  struct mm_struct *mm;
  struct files_struct *files;
} CORE;

struct vm_area_struct {
  unsigned long vm_flags;
  struct file *vm_file;
} CORE;

struct list_head {
  struct list_head *next;
  struct list_head *prev;
} CORE;

struct vfsmount {
  struct super_block *mnt_sb;
} CORE;

struct ns_common {
  unsigned int inum;
} CORE;

struct mnt_namespace {
  struct ns_common ns;
} CORE;

struct mount {
  struct mount *mnt_parent;
  struct vfsmount mnt;
  struct list_head mnt_mounts;
  struct list_head mnt_child;
  struct mnt_namespace *mnt_ns;
  int mnt_group_id;
} CORE;

// ---- BPF ---------------------------------------------------------------------------------------------------------------

struct btf {
  void *data;
  __u32 data_size;
  bool kernel_btf;
  struct btf *base_btf;
} CORE;

struct bpf_prog;

struct bpf_prog_aux {
  __u32 id;
  __u32 attach_btf_id;
  struct btf *attach_btf;
  struct bpf_prog *dst_prog;
  struct btf *btf;
} CORE;

// Their values are numbers of the stable ABI; CO-RE takes a field of another kind for a missing one.
enum bpf_prog_type { BPF_PROG_TYPE_UNSPEC = 0 };
enum bpf_attach_type { BPF_CGROUP_INET_INGRESS = 0 };

struct bpf_prog {
  enum bpf_prog_type type;
  enum bpf_attach_type expected_attach_type;
  __u32 len;
  __u8 tag[8];
  struct bpf_prog_aux *aux;
} CORE;

// 6.18 and later.
struct bpf_prog___digest {
  __u8 digest[32];
} CORE;

// The instructions follow the structure in a union without a name.
struct bpf_insn {
  __u8 code;
  __u8 registers;
  __s16 offset;
  __s32 immediate;
};

struct bpf_prog___instructions {
  struct bpf_insn insnsi[0];
} CORE;

struct bpf_map {
  __u32 id;
} CORE;

struct bpf_link {
  __u32 id;
} CORE;

union bpf_attr {
  __u32 core_relo_cnt;  // BPF_PROG_LOAD
  __u32 attach_type;    // BPF_PROG_ATTACH, BPF_PROG_DETACH
  struct {
    __u32 attach_type;
  } CORE link_create;
  struct {
    __u32 link_fd;
  } CORE link_update;
  struct {
    __u32 link_fd;
  } CORE link_detach;
} CORE;

// ---- dm-verity -----------------------------------------------------------------------------------------------------------

#define LSM_INT_DMVERITY_ROOTHASH 1

struct gendisk {
  void *private_data;
} CORE;

struct block_device {
  dev_t bd_dev;
  struct gendisk *bd_disk;
} CORE;

struct dm_verity_digest {
  const char *alg;
  const __u8 *digest;
  unsigned long digest_len;
} CORE;

struct dm_target {
  void *private;
} CORE;

struct dm_table {
  unsigned int num_targets;
  struct dm_target *targets;
} CORE;

struct mapped_device {
  void *map;
} CORE;

#define DM_VERITY_MODE_EIO 0
enum verity_mode { GATE_VERITY_MODE = 0 };

struct dm_verity {
  enum verity_mode mode;
  unsigned long *validated_blocks;
} CORE;

// ---- Kernel functions ------------------------------------------------------------------------------------------------------

#define __ksym __attribute__((section(".ksyms")))

// Sixteen bytes of kernel memory. A load from it that faults gives 0, so any address may be read.
struct in6_addr {
  __u64 low;
  __u64 high;
};
struct bytes16 {
  __u64 low;
  __u64 high;
};

struct bpf_iter_num {
  __u64 opaque[1];
} __attribute__((aligned(8)));

extern void *bpf_rdonly_cast(const void *address, __u32 type) __ksym;
extern int bpf_iter_num_new(struct bpf_iter_num *iterator, int start, int end) __ksym;
extern int *bpf_iter_num_next(struct bpf_iter_num *iterator) __ksym;
extern void bpf_iter_num_destroy(struct bpf_iter_num *iterator) __ksym;

#define kernel_type_id(type) __builtin_btf_type_id(*(type *)0, 1)
// Where a field is, for places that are reached by address.
#define core_field_offset(field) __builtin_preserve_field_info(field, 0)

static long (*const bpf_get_func_arg)(void *context, __u32 number, __u64 *value) = (void *)183;
static void *(*const bpf_task_storage_get)(void *map, struct task_struct *task, void *value, __u64 flags) = (void *)156;
static __u64 (*const bpf_ktime_get_boot_ns)(void) = (void *)125;

// Makes the compiler forget what it knows of a value.
#define opaque(value) asm volatile("" : "+r"(value))

static __always_inline const struct bytes16 *kernel_bytes(__u64 address) {
  return bpf_rdonly_cast((const void *)address, kernel_type_id(struct in6_addr));
}

// A structure of the kernel at an address, whatever is there. Pointers that hooks are given are read like this too: what the
// verifier trusts it reads without a net, and it trusts some that may be null (`file` of mmap_file, `d_inode` of a name that
// is not there yet).
#define kernel_struct(type, address) ((type *)bpf_rdonly_cast((const void *)(address), kernel_type_id(type)))

static __always_inline __u64 kernel_u64(__u64 address) { return kernel_bytes(address)->low; }

// A field that holds an address, as a number. Of a pointer to void the verifier makes a number in one release and memory in the
// next, and of others pointers that it does not let a program count with.
#define kernel_address(field) (((const struct bytes16 *)bpf_rdonly_cast(&(field), kernel_type_id(struct in6_addr)))->low)

static __always_inline __u32 kernel_u32(__u64 address) { return *(const __u32 *)kernel_bytes(address); }

#endif

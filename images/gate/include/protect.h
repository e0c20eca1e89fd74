// What a sealed gate protects: its own parts, and the processes that rows name.
#ifndef GATE_PROTECT_H
#define GATE_PROTECT_H

#include "maps.h"

// ---- The gate's maps, links and pins ---------------------------------------------------------------------------------

SEC("lsm/bpf_map")
long gate_map(__u64 *context) {
  __u64 address = 0, mode = 0;
  bpf_get_func_arg(context, 0, &address);
  bpf_get_func_arg(context, 1, &mode);
  if (!gate_is_sealed()) return 0;
  struct gate_part part = {.kind = GATE_PART_MAP, .id = kernel_struct(struct bpf_map, address)->id};
  __u32 *access = bpf_map_lookup_elem(&gate_own, &part);
  if (!access) return 0;
  __u32 reason;
  struct gate_right *right = gate_right_of(gate_executable_of(bpf_get_current_task_btf()), &reason);
  if (right && right->rights & GATE_READER && (*access == GATE_PART_WRITE || !((__u32)mode & FMODE_WRITE))) return 0;
  return gate_refuse(GATE_HOOK_MAP, GATE_OWN_PART, part.id);
}

// The identifier of the link behind one of the task's descriptors. For a descriptor of something else any number.
static __always_inline __u32 gate_link_behind(__u32 descriptor) {
  struct task_struct *task = kernel_struct(struct task_struct, bpf_get_current_task_btf());
  struct fdtable *table = task->files->fdt;
  if (descriptor >= table->max_fds) return 0;
  __u64 file = kernel_u64(kernel_address(table->fd) + 8 * (__u64)descriptor);
  return kernel_struct(struct bpf_link, kernel_struct(struct file, file)->private_data)->id;
}

SEC("lsm/bpf")
long gate_command(__u64 *context) {
  __u64 command = 0, attributes = 0;
  bpf_get_func_arg(context, 0, &command);
  if (!gate_is_sealed()) return 0;
  bpf_get_func_arg(context, 1, &attributes);
  union bpf_attr *asked = bpf_rdonly_cast((const void *)attributes, kernel_type_id(union bpf_attr));
  __u32 attach_type = 0, link = 0;
  switch ((__u32)command) {
    case BPF_PROG_ATTACH:
    case BPF_PROG_DETACH: attach_type = asked->attach_type; break;
    case BPF_LINK_CREATE: attach_type = asked->link_create.attach_type; break;
    case BPF_LINK_UPDATE: link = gate_link_behind(asked->link_update.link_fd); break;
    case BPF_LINK_DETACH: link = gate_link_behind(asked->link_detach.link_fd); break;
    default: return 0;
  }
  // These run after the gate's programs, and one that sets the return value undoes what was refused.
  if (attach_type == BPF_LSM_CGROUP) return gate_refuse(GATE_HOOK_COMMAND, GATE_LSM_CGROUP, command);
  if (link && gate_is_own(GATE_PART_LINK, link)) return gate_refuse(GATE_HOOK_COMMAND, GATE_OWN_PART, command);
  return 0;
}

// Whether a name leads to one of the gate's pins.
static __always_inline bool gate_is_pin(const struct gate_state *state, __u64 name) {
  struct inode *inode = kernel_struct(struct dentry, name)->d_inode;
  struct gate_file file = gate_file_of(inode);
  return file.inode && file.device == state->pin_device && gate_is_own(GATE_PART_PIN, file.inode);
}

SEC("lsm/inode_unlink")
long gate_unlink(__u64 *context) {
  __u64 name = 0;
  struct gate_state *state = gate_settings();
  if (!state || !state->sealed) return 0;
  bpf_get_func_arg(context, 1, &name);
  return gate_is_pin(state, name) ? gate_refuse(GATE_HOOK_UNLINK, GATE_OWN_PART, 0) : 0;
}

SEC("lsm/inode_rename")
long gate_rename(__u64 *context) {
  __u64 old = 0, new = 0;
  struct gate_state *state = gate_settings();
  if (!state || !state->sealed) return 0;
  bpf_get_func_arg(context, 1, &old);
  bpf_get_func_arg(context, 3, &new);
  if (!gate_is_pin(state, old) && !gate_is_pin(state, new)) return 0;
  return gate_refuse(GATE_HOOK_RENAME, GATE_OWN_PART, 0);
}

// ---- The mount that holds the pins -----------------------------------------------------------------------------------

// A tree with more mounts is taken for one that holds the pins.
#define GATE_MOUNT_LIMIT 100000

// Whether unmounting `mount` takes the gate's pins from the initial mount namespace: there itself, or because the event goes
// on to the mounts that share with its parent.
static __always_inline bool gate_mount_matters(const struct gate_state *state, struct mount *mount) {
  if (mount->mnt.mnt_sb->s_dev != state->pin_device) return false;
  if (mount->mnt_ns->ns.inum == state->mount_namespace) return true;
  return mount->mnt_parent->mnt_group_id != 0;
}

// Whether such a mount is in the tree below an address of a struct mount. The tree is walked without a lock: whoever moves mounts in it
// meanwhile may mislead the walk.
__noinline int gate_tree_matters(struct gate_state *state, __u64 root) {
  if (!state) return 1;
  __u64 children = core_field_offset(((struct mount *)0)->mnt_mounts);
  __u64 sibling = core_field_offset(((struct mount *)0)->mnt_child);
  __u64 cursor = root;
  bool descending = true;
  int result = 1;
  struct bpf_iter_num iterator;
  bpf_iter_num_new(&iterator, 0, GATE_MOUNT_LIMIT);
  while (bpf_iter_num_next(&iterator)) {
    struct mount *mount = kernel_struct(struct mount, cursor);
    if (descending) {
      if (gate_mount_matters(state, mount)) break;
      __u64 first = kernel_address(mount->mnt_mounts.next);
      if (first != cursor + children)
        cursor = first - sibling;
      else
        descending = false;
    } else {
      if (cursor == root) {
        result = 0;
        break;
      }
      __u64 next = kernel_address(mount->mnt_child.next);
      __u64 parent = kernel_address(mount->mnt_parent);
      if (next == parent + children) {
        cursor = parent;
      } else {
        cursor = next - sibling;
        descending = true;
      }
    }
  }
  bpf_iter_num_destroy(&iterator);
  return result;
}

SEC("lsm/sb_umount")
long gate_unmount(__u64 *context) {
  __u64 address = 0, flags = 0;
  struct gate_state *state = gate_settings();
  if (!state || !state->sealed) return 0;
  bpf_get_func_arg(context, 0, &address);
  bpf_get_func_arg(context, 1, &flags);
  __u64 mount = address - core_field_offset(((struct mount *)0)->mnt);
  // Without MNT_DETACH a mount that has others on it is busy.
  bool matters = (__u32)flags & MNT_DETACH ? gate_tree_matters(state, mount) != 0
                                           : gate_mount_matters(state, kernel_struct(struct mount, mount));
  return matters ? gate_refuse(GATE_HOOK_UNMOUNT, GATE_OWN_PART, flags) : 0;
}

// ---- Processes that rows name -----------------------------------------------------------------------------------------

SEC("lsm/ptrace_access_check")
long gate_ptrace(__u64 *context) {
  __u64 child = 0, mode = 0;
  bpf_get_func_arg(context, 1, &mode);
  if (!gate_is_sealed() || !((__u32)mode & PTRACE_MODE_ATTACH)) return 0;
  bpf_get_func_arg(context, 0, &child);
  if (!gate_is_listed(gate_executable_of((const struct task_struct *)child))) return 0;
  return gate_refuse(GATE_HOOK_PTRACE, GATE_LISTED_PROCESS, kernel_struct(struct task_struct, child)->tgid);
}

// A traced process that executes a listed file: its tracer could change it and let go before it loads anything.
SEC("lsm/bprm_check_security")
long gate_execute(__u64 *context) {
  __u64 address = 0;
  if (!gate_is_sealed()) return 0;
  if (!kernel_struct(struct task_struct, bpf_get_current_task_btf())->ptrace) return 0;
  bpf_get_func_arg(context, 0, &address);
  struct file *file = kernel_struct(struct linux_binprm, address)->file;
  if (!file || !gate_is_listed(gate_file_of(file->f_inode))) return 0;
  return gate_refuse(GATE_HOOK_EXECUTE, GATE_TRACED, 0);
}

// Code of a listed process comes from its own volume and cannot be written.
SEC("lsm/mmap_file")
long gate_map_memory(__u64 *context) {
  __u64 address = 0, protection = 0;
  bpf_get_func_arg(context, 2, &protection);
  if (!(protection & PROT_EXEC) || !gate_is_sealed()) return 0;
  struct gate_file executable = gate_executable_of(bpf_get_current_task_btf());
  if (!gate_is_listed(executable)) return 0;
  // Null for memory without a file. As a number: 6.12 takes the argument for a pointer that is never null.
  bpf_get_func_arg(context, 0, &address);
  if (!address) return gate_refuse(GATE_HOOK_MMAP, GATE_FOREIGN_CODE, protection);
  struct gate_file mapped = gate_file_of(kernel_struct(struct file, address)->f_inode);
  if (mapped.device != executable.device) return gate_refuse(GATE_HOOK_MMAP, GATE_FOREIGN_CODE, protection);
  return protection & PROT_WRITE ? gate_refuse(GATE_HOOK_MMAP, GATE_WRITABLE_CODE, protection) : 0;
}

SEC("lsm/file_mprotect")
long gate_protect_memory(__u64 *context) {
  __u64 area = 0, protection = 0;
  bpf_get_func_arg(context, 2, &protection);
  if (!(protection & PROT_EXEC) || !gate_is_sealed()) return 0;
  if (!gate_is_listed(gate_executable_of(bpf_get_current_task_btf()))) return 0;
  bpf_get_func_arg(context, 0, &area);
  // What is code already may stay code; what was data may have been written.
  if (kernel_struct(struct vm_area_struct, area)->vm_flags & VM_EXEC && !(protection & PROT_WRITE)) return 0;
  return gate_refuse(GATE_HOOK_MPROTECT, GATE_WRITABLE_CODE, protection);
}

SEC("lsm/task_prctl")
long gate_prctl(__u64 *context) {
  __u64 option = 0, what = 0;
  bpf_get_func_arg(context, 0, &option);
  // 0 would end every prctl here, as if this program had done it.
  long pass;
  asm volatile("%0 = %1" : "=r"(pass) : "i"(-ENOSYS));
  if ((__u32)option != PR_SET_MM) return pass;
  bpf_get_func_arg(context, 1, &what);
  // The second may name an executable in memory that can still change.
  if (what != PR_SET_MM_EXE_FILE && what != PR_SET_MM_MAP) return pass;
  return gate_is_sealed() ? gate_refuse(GATE_HOOK_PRCTL, GATE_EXECUTABLE_CHANGED, what) : pass;
}

// ---- Ways to replace the kernel --------------------------------------------------------------------------------------

// The same numbers for data and for files (enum kernel_load_data_id, enum kernel_read_file_id).
enum gate_loading {
  GATE_LOADING_MODULE = 2,
  GATE_LOADING_KEXEC_IMAGE = 3,
  GATE_LOADING_KEXEC_INITRAMFS = 4,
  GATE_LOADING_COMPRESSED_MODULE = 7,
};

static __always_inline bool gate_closes_modules(void) {
  struct gate_state *state = gate_settings();
  return state && state->sealed && state->closes & GATE_CLOSES_MODULES;
}

static __always_inline bool gate_is_module(__u32 what) {
  return what == GATE_LOADING_MODULE || what == GATE_LOADING_COMPRESSED_MODULE;
}

static __always_inline bool gate_is_kexec(__u32 what) {
  return what == GATE_LOADING_KEXEC_IMAGE || what == GATE_LOADING_KEXEC_INITRAMFS;
}

SEC("lsm/kernel_load_data")
long gate_load_data(__u64 *context) {
  __u64 what = 0;
  bpf_get_func_arg(context, 0, &what);
  if (!gate_closes_modules()) return 0;
  if (gate_is_module(what)) return gate_refuse(GATE_HOOK_LOAD_DATA, GATE_UNKNOWN_MODULE, what);
  return gate_is_kexec(what) ? gate_refuse(GATE_HOOK_LOAD_DATA, GATE_KEXEC, what) : 0;
}

SEC("lsm/kernel_read_file")
long gate_read_file(__u64 *context) {
  __u64 address = 0, what = 0;
  bpf_get_func_arg(context, 1, &what);
  if (!gate_closes_modules()) return 0;
  if (gate_is_kexec(what)) return gate_refuse(GATE_HOOK_READ_FILE, GATE_KEXEC, what);
  if (!gate_is_module(what)) return 0;
  bpf_get_func_arg(context, 0, &address);
  if (address) {
    struct gate_file file = gate_file_of(kernel_struct(struct file, address)->f_inode);
    __u32 reason;
    file.inode = GATE_WHOLE_VOLUME;
    struct gate_right *right = gate_right_of(file, &reason);
    if (right && right->rights & GATE_MODULES) return 0;
  }
  return gate_refuse(GATE_HOOK_READ_FILE, GATE_UNKNOWN_MODULE, what);
}

#endif

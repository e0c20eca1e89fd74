// What only the first process of a test machine does.
#ifndef VERITY_BPF_CVMSUPPORT_H
#define VERITY_BPF_CVMSUPPORT_H

/// finit_module(2). Returns 0, or -1 with errno.
int vm_insert_module(int fd, const char *parameters);
/// delete_module(2). Returns 0, or -1 with errno.
int vm_delete_module(const char *name);
/// The same although it is in use (O_TRUNC), which taints the kernel.
int vm_force_module_out(const char *name);
/// Begins a process that is a character device /dev/NAME: it answers as the device-mapper's control device does, and adds
/// words to the table of each verity device. Returns its pid, or -1 with errno.
int vm_serve_control(const char *name, const char *addition);
/// Begins a process that executes a file with two words, its output in another file (NULL for nowhere). Returns its pid, or
/// -1 with errno.
int vm_start(const char *path, const char *word, const char *other, const char *output);
/// Waits for the end of a process that was begun here; its status, or 128 plus the signal that ended it.
int vm_wait(int process);
/// Takes every record out of a ring buffer of `size` bytes (BPF_MAP_TYPE_RINGBUF) and copies the newest, of at most `limit`
/// bytes. Returns how many there were, or -1 with errno.
int vm_take_records(int map, unsigned long size, void *newest, unsigned long limit);
/// umount2(2). Returns 0, or -1 with errno.
int vm_unmount(const char *path, int flags);
/// kexec_load(2) of nothing, which is allowed or not like one of a kernel. Returns 0, or -1 with errno.
int vm_load_no_kernel(void);
/// unlink(2). Returns 0, or -1 with errno.
int vm_unlink(const char *path);
/// Ends a process that was begun here.
void vm_stop(int process);
/// DM_DEV_RENAME: names of any bytes. Returns 0, or -1 with errno.
int vm_rename_mapped(const char *name, const char *other);
/// add_key(2) of type "asymmetric" to a keyring; the key's serial, or -1 with errno.
int vm_add_certificate(const void *der, unsigned long size, int keyring);
/// KEYCTL_RESTRICT_KEYRING: nothing can be added any more. Returns 0, or -1 with errno.
int vm_close_keyring(int keyring);
/// FS_IOC_ENABLE_VERITY with SHA-256 and blocks of 4096 bytes; no signature when `size` is 0. Returns 0, or -1 with errno.
int vm_enable_verity(int fd, const void *signature, unsigned size);
/// dup2(2): programs that are started have the file under that number.
int vm_duplicate(int fd, int number);
/// A file in memory with these bytes (memfd_create(2)); its descriptor, or -1 with errno.
int vm_memory_file(const void *bytes, unsigned long size);
/// LOOP_SET_STATUS64: the device begins elsewhere in its file. Returns 0, or -1 with errno.
int vm_move_loop(int fd, unsigned long offset);
/// libbpf's version as it says it; NULL where there is no libbpf 1.x.
const char *vm_libbpf_version(void);
/// Loads an object with libbpf and takes it out again: 1 when that worked, 0 when not, -1 without libbpf.
int vm_libbpf_load(const char *path);
/// Turns the machine off.
void vm_power_off(void);
/// Replaces this process by a program; returns only when that fails.
void vm_execute(const char *path, const char *argument);
#endif

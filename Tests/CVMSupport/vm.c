#define _GNU_SOURCE
#include "CVMSupport.h"

#include <fcntl.h>
#include <linux/fsverity.h>
#include <linux/keyctl.h>
#include <linux/loop.h>
#include <stdint.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

int vm_insert_module(int fd, const char *parameters) { return (int)syscall(SYS_finit_module, fd, parameters, 0); }

int vm_delete_module(const char *name) { return (int)syscall(SYS_delete_module, name, 0); }

int vm_force_module_out(const char *name) { return (int)syscall(SYS_delete_module, name, O_NONBLOCK | O_TRUNC); }

int vm_add_certificate(const void *der, unsigned long size, int keyring) {
  return (int)syscall(SYS_add_key, "asymmetric", "", der, size, keyring);
}

int vm_close_keyring(int keyring) { return (int)syscall(SYS_keyctl, KEYCTL_RESTRICT_KEYRING, keyring, 0, 0); }

int vm_enable_verity(int fd, const void *signature, unsigned size) {
  struct fsverity_enable_arg argument = {
      .version = 1, .hash_algorithm = FS_VERITY_HASH_ALG_SHA256, .block_size = 4096, .sig_size = size,
      .sig_ptr = (uint64_t)(uintptr_t)signature};
  return ioctl(fd, FS_IOC_ENABLE_VERITY, &argument);
}

int vm_memory_file(const void *bytes, unsigned long size) {
  int fd = memfd_create("object", 0);
  if (fd >= 0 && write(fd, bytes, size) != (ssize_t)size) {
    close(fd);
    return -1;
  }
  return fd;
}

int vm_move_loop(int fd, unsigned long offset) {
  struct loop_info64 info;
  if (ioctl(fd, LOOP_GET_STATUS64, &info) != 0) return -1;
  info.lo_offset = offset;
  return ioctl(fd, LOOP_SET_STATUS64, &info);
}

int vm_duplicate(int fd, int number) { return dup2(fd, number); }

int vm_start(const char *path, const char *word, const char *other, const char *output) {
  pid_t child = fork();
  if (child != 0) return child;
  int out = open(output ? output : "/dev/null", O_WRONLY | O_CREAT | O_TRUNC, 0600);
  dup2(out, 1);
  dup2(out, 2);
  char *const arguments[] = {(char *)path, (char *)word, (char *)other, 0};
  char *const environment[] = {0};
  execve(path, arguments, environment);
  _exit(127);
}

int vm_wait(int process) {
  int status = 0;
  if (waitpid(process, &status, 0) < 0) return -1;
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

int vm_take_records(int map, unsigned long size, void *newest, unsigned long limit) {
  // One page each for the two positions, then the data twice in a row, so that no record is cut.
  unsigned long *consumer = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, map, 0);
  if (consumer == MAP_FAILED) return -1;
  char *rest = mmap(NULL, 4096 + 2 * size, PROT_READ, MAP_SHARED, map, 4096);
  if (rest == MAP_FAILED) return -1;
  unsigned long end = __atomic_load_n((unsigned long *)rest, __ATOMIC_ACQUIRE);
  unsigned long at = *consumer;
  int count = 0;
  while (at < end) {
    char *record = rest + 4096 + (at & (size - 1));
    // The upper bits say that it is not written yet, or was given up.
    unsigned length = __atomic_load_n((unsigned *)record, __ATOMIC_ACQUIRE);
    unsigned bytes = length & 0x3fffffff;
    if (length & 0x80000000) break;
    memcpy(newest, record + 8, bytes < limit ? bytes : limit);
    at += (bytes + 8 + 7) & ~7ul;
    count++;
  }
  __atomic_store_n(consumer, at, __ATOMIC_RELEASE);
  munmap(consumer, 4096);
  munmap(rest, 4096 + 2 * size);
  return count;
}

int vm_unmount(const char *path, int flags) { return umount2(path, flags); }

int vm_load_no_kernel(void) { return (int)syscall(SYS_kexec_load, 0, 0, 0, 0); }

int vm_unlink(const char *path) { return unlink(path); }

void vm_power_off(void) {
  sync();
  reboot(RB_POWER_OFF);
}

void vm_execute(const char *path, const char *argument) {
  char *const arguments[] = {(char *)path, (char *)argument, 0};
  char *const environment[] = {"PATH=/usr/sbin:/usr/bin:/sbin:/bin", "HOME=/", "TERM=linux", 0};
  execve(path, arguments, environment);
}

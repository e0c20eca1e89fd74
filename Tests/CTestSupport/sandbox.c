#define _GNU_SOURCE
#include "CLinuxHelper.h"
#include "CTestSupport.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#ifndef SYS_io_uring_setup
#define SYS_io_uring_setup 425
#endif

static char byte;

struct call {
  const char *name;
  long number, first, second, third;
};

// What the sandbox leaves.
static const struct call needed[] = {
    {"read", SYS_read, 0, (long)&byte, 1},
    {"write", SYS_write, 1, (long)&byte, 1},
    {"getrandom", SYS_getrandom, (long)&byte, 1, 0},
    {"brk", SYS_brk, 0, 0, 0},
};

// The calls by which a process reaches others, files, networks, the kernel, or new code.
static const struct call forbidden[] = {
    {"read of another descriptor", SYS_read, 7, (long)&byte, 1},
    {"write to another descriptor", SYS_write, 2, (long)&byte, 1},
    {"write to its input", SYS_write, 0, (long)&byte, 1},
    {"read of its output", SYS_read, 1, (long)&byte, 1},
    {"mmap of code", SYS_mmap, 0, 4096, PROT_READ | PROT_EXEC},
    {"mprotect to code", SYS_mprotect, 0, 4096, PROT_READ | PROT_EXEC},
    {"openat", SYS_openat, AT_FDCWD, (long)"/", O_RDONLY},
    {"openat2", SYS_openat2, 0, 0, 0},
    {"newfstatat", SYS_newfstatat, 0, 0, 0},
    {"unlinkat", SYS_unlinkat, 0, 0, 0},
    {"getdents64", SYS_getdents64, 0, 0, 0},
    {"execve", SYS_execve, 0, 0, 0},
    {"execveat", SYS_execveat, 0, 0, 0},
    {"clone", SYS_clone, 0, 0, 0},
    {"clone3", SYS_clone3, 0, 0, 0},
    {"socket", SYS_socket, 1, 1, 0},
    {"connect", SYS_connect, 0, 0, 0},
    {"sendmsg", SYS_sendmsg, 0, 0, 0},
    {"bpf", SYS_bpf, 0, 0, 0},
    {"perf_event_open", SYS_perf_event_open, 0, 0, 0},
    {"ptrace", SYS_ptrace, 0, 0, 0},
    {"process_vm_readv", SYS_process_vm_readv, 0, 0, 0},
    {"kill", SYS_kill, 0, 0, 0},
    {"tgkill", SYS_tgkill, 0, 0, 0},
    {"pidfd_open", SYS_pidfd_open, 1, 0, 0},
    {"pidfd_getfd", SYS_pidfd_getfd, 0, 0, 0},
    {"ioctl", SYS_ioctl, 0, 0, 0},
    {"fcntl", SYS_fcntl, 0, F_GETFL, 0},
    {"dup", SYS_dup, 0, 0, 0},
    {"pipe2", SYS_pipe2, 0, 0, 0},
    {"mount", SYS_mount, 0, 0, 0},
    {"unshare", SYS_unshare, 0, 0, 0},
    {"setns", SYS_setns, 0, 0, 0},
    {"io_uring_setup", SYS_io_uring_setup, 0, 0, 0},
    {"userfaultfd", SYS_userfaultfd, 0, 0, 0},
    {"keyctl", SYS_keyctl, 0, 0, 0},
    {"memfd_create", SYS_memfd_create, 0, 0, 0},
    {"seccomp", SYS_seccomp, 0, 0, 0},
    {"prctl", SYS_prctl, 0, 0, 0},
    {"setresuid", SYS_setresuid, 0, 0, 0},
    {"capset", SYS_capset, 0, 0, 0},
    {"setrlimit", SYS_prlimit64, 0, 0, 0},
    {"init_module", SYS_init_module, 0, 0, 0},
    {"finit_module", SYS_finit_module, 0, 0, 0},
    {"rt_sigaction", SYS_rt_sigaction, 0, 0, 0},
    {"getpid", SYS_getpid, 0, 0, 0},
#ifdef __x86_64__
    {"read by the number of the x32 ABI", 0x40000000, 0, (long)&byte, 1},
#endif
};

enum { needed_count = sizeof(needed) / sizeof(needed[0]), forbidden_count = sizeof(forbidden) / sizeof(forbidden[0]) };

const char *ts_sandbox_call(int index, int *is_needed) {
  if (index < 0 || index >= needed_count + forbidden_count) return NULL;
  *is_needed = index < needed_count;
  return index < needed_count ? needed[index].name : forbidden[index - needed_count].name;
}

int ts_call_in_sandbox(int index) {
  struct call call = index < needed_count ? needed[index] : forbidden[index - needed_count];
  int in[2], out[2];
  if (pipe2(in, O_CLOEXEC) != 0) return -1;
  if (pipe2(out, O_CLOEXEC) != 0) {
    close(in[0]);
    close(in[1]);
    return -1;
  }
  pid_t pid = fork();
  if (pid == 0) {
    dup2(in[0], 0);
    dup2(out[1], 1);
    dup2(in[0], 7);
    int step = vb_sandbox_enter();
    if (step != 0) syscall(SYS_exit_group, 100 + step);
    syscall(SYS_exit_group, syscall(call.number, call.first, call.second, call.third, 0, 0, 0) == -1 ? 1 : 0);
  }
  // Something to read, and a reader of what is written.
  int status = pid > 0 && write(in[1], "x", 1) == 1 ? 0 : -1;
  if (pid > 0) {
    int ended = 0;
    while (waitpid(pid, &ended, 0) < 0 && errno == EINTR) continue;
    if (status == 0) status = ended;
  }
  for (int i = 0; i < 2; i++) {
    close(in[i]);
    close(out[i]);
  }
  return status;
}

#define _GNU_SOURCE
#include "CLinuxHelper.h"

#include <errno.h>
#include <grp.h>
#include <limits.h>
#include <linux/audit.h>
#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/landlock.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <stddef.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#ifndef LANDLOCK_SCOPE_SIGNAL
#define LANDLOCK_SCOPE_ABSTRACT_UNIX_SOCKET (1ULL << 0)
#define LANDLOCK_SCOPE_SIGNAL (1ULL << 1)
#endif

#if defined(__x86_64__)
#define ARCHITECTURE AUDIT_ARCH_X86_64
#elif defined(__aarch64__)
#define ARCHITECTURE AUDIT_ARCH_AARCH64
#else
#error "the numbers of system calls are an architecture's own"
#endif

// The user without files and capabilities, by the number that the kernel gives it (kernel.overflowuid).
enum { no_one = 65534 };

static int is_pipe(int fd) {
  struct stat status;
  return fstat(fd, &status) == 0 && S_ISFIFO(status.st_mode);
}

static int drop_privileges(void) {
  if (geteuid() == 0) {
    // In a user namespace that does not have the number there is nothing to become; the rest holds all the same.
    if (setgroups(0, NULL) != 0 && errno != EPERM) return -1;
    if (setresgid(no_one, no_one, no_one) != 0 && errno != EINVAL) return -1;
    if (setresuid(no_one, no_one, no_one) != 0 && errno != EINVAL) return -1;
  }
  struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
  struct __user_cap_data_struct none[2] = {{0}, {0}};
  if (syscall(SYS_capset, &header, none) != 0) return -1;
  if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) return -1;
  // Neither debuggers of this user nor a core file. After the change of user, which would undo both.
  if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0) return -1;
  return prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
}

// No path leads anywhere, whatever the filter of system calls forgets. A kernel without Landlock has the filter alone.
static int forbid_files(void) {
  long version = syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);
  if (version < 0) return errno == ENOSYS || errno == EOPNOTSUPP ? 0 : -1;
  // struct landlock_ruleset_attr, of which older kernels know less.
  struct {
    uint64_t files, network, scope;
  } rules = {(1ULL << 13) - 1, 0, 0};
  size_t size = sizeof(rules.files);
  if (version >= 2) rules.files |= 1ULL << 13;
  if (version >= 3) rules.files |= 1ULL << 14;
  if (version >= 5) rules.files |= 1ULL << 15;
  if (version >= 4) {
    rules.network = 3;
    size = 2 * sizeof(rules.files);
  }
  if (version >= 6) {
    rules.scope = LANDLOCK_SCOPE_ABSTRACT_UNIX_SOCKET | LANDLOCK_SCOPE_SIGNAL;
    size = sizeof(rules);
  }
  int ruleset = (int)syscall(SYS_landlock_create_ruleset, &rules, size, 0);
  if (ruleset < 0) return -1;
  int result = (int)syscall(SYS_landlock_restrict_self, ruleset, 0);
  int error = errno;
  close(ruleset);
  errno = error;
  return result;
}

static int limit(void) {
  // Bytes of memory: an object of the largest size, read and linked, takes a fraction of it.
  static const struct {
    int resource;
    rlim_t most;
  } limits[] = {
      {RLIMIT_AS, 2UL << 30}, {RLIMIT_CORE, 0},     {RLIMIT_FSIZE, 0},    {RLIMIT_NPROC, 0},
      {RLIMIT_MEMLOCK, 0},    {RLIMIT_MSGQUEUE, 0}, {RLIMIT_NOFILE, 2},
  };
  for (size_t i = 0; i < sizeof(limits) / sizeof(limits[0]); i++) {
    struct rlimit now;
    if (getrlimit(limits[i].resource, &now) != 0) return -1;
    // What is lower already stays.
    if (now.rlim_max > limits[i].most) now.rlim_max = limits[i].most;
    if (now.rlim_cur > now.rlim_max) now.rlim_cur = now.rlim_max;
    if (setrlimit(limits[i].resource, &now) != 0) return -1;
  }
  return 0;
}

// The filter is written out here: libseccomp would make the same forty instructions at each start, and be one more
// library to bring along.
#define LOAD(field) BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, field))
// The low half of an argument, on machines that put it first.
#define LOAD_ARGUMENT(number) BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, args[number]))
#define ALLOW BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)
#define END BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS)
// A call that may be made with any arguments.
#define CALL(name) BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_##name, 0, 1), ALLOW
// A call whose argument has to have a value.
#define CALL_WITH(name, number, value)                                                                        \
  BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_##name, 0, 4), LOAD_ARGUMENT(number),                                \
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, value, 0, 1), ALLOW, END
// A call whose argument may not have a bit.
#define CALL_WITHOUT(name, number, bit)                                                                        \
  BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_##name, 0, 4), LOAD_ARGUMENT(number),                                \
      BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, bit, 1, 0), ALLOW, END

static int filter_calls(void) {
  static struct sock_filter filter[] = {
      LOAD(arch),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, ARCHITECTURE, 1, 0),
      END,
      LOAD(nr),
      CALL_WITH(read, 0, 0),
      CALL_WITH(write, 0, 1),
      // Memory, of which none can be run; files cannot be mapped, for there are none.
      CALL_WITHOUT(mmap, 2, PROT_EXEC),
      CALL_WITHOUT(mprotect, 2, PROT_EXEC),
      CALL(munmap),
      CALL(mremap),
      CALL(madvise),
      CALL(brk),
      // Nothing is open but the pipes, and no more can be.
      CALL(close),
      // The allocator's lock, and the seed of the standard library's tables.
      CALL(futex),
      CALL(getrandom),
      CALL(rt_sigprocmask),
      CALL(exit),
      CALL(exit_group),
      END,
  };
  struct sock_fprog program = {.len = sizeof(filter) / sizeof(filter[0]), .filter = filter};
  return (int)syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program);
}

int vb_sandbox_enter(void) {
  if (!is_pipe(0) || !is_pipe(1)) {
    errno = EINVAL;
    return VB_SANDBOX_PIPES;
  }
  if (close_range(2, UINT_MAX, 0) != 0) return VB_SANDBOX_DESCRIPTORS;
  if (drop_privileges() != 0) return VB_SANDBOX_PRIVILEGES;
  if (forbid_files() != 0) return VB_SANDBOX_FILES;
  // After Landlock, whose rules are a descriptor for a moment.
  if (limit() != 0) return VB_SANDBOX_LIMITS;
  return filter_calls() != 0 ? VB_SANDBOX_CALLS : 0;
}

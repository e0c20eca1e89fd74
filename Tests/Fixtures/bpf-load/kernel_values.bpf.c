// Asks the running kernel for its configuration, for addresses, and for what it may lack.
#include "vbpf.h"

#define __ksym __attribute__((section(".ksyms")))
#define __kconfig __attribute__((section(".kconfig")))
#define __weak __attribute__((weak))

extern int LINUX_KERNEL_VERSION __kconfig;
extern bool LINUX_HAS_BPF_COOKIE __kconfig;
extern int CONFIG_HZ __kconfig;
extern bool CONFIG_BPF_SYSCALL __kconfig;
extern const char CONFIG_DEFAULT_HOSTNAME[8] __kconfig;
extern int CONFIG_NO_KERNEL_HAS_THIS __kconfig __weak;

extern const void do_exit __ksym;
extern const void no_such_symbol __ksym __weak;

struct {
  __u64 version, cookie, hz, syscall, hostname, missing, do_exit, absent;
} seen;

SEC("xdp")
int kernel_values(struct xdp_md *context) {
  (void)context;
  seen.version = LINUX_KERNEL_VERSION;
  seen.cookie = LINUX_HAS_BPF_COOKIE;
  seen.hz = CONFIG_HZ;
  seen.syscall = CONFIG_BPF_SYSCALL;
  seen.hostname = CONFIG_DEFAULT_HOSTNAME[0] | CONFIG_DEFAULT_HOSTNAME[1] << 8 | CONFIG_DEFAULT_HOSTNAME[7] << 16;
  seen.missing = CONFIG_NO_KERNEL_HAS_THIS;
  seen.do_exit = (__u64)&do_exit;
  seen.absent = (__u64)&no_such_symbol;
  return 2;
}

char LICENSE[] SEC("license") = "GPL";

// A library that somebody else's process is made to bring along: it loads a program before the process's own code runs.
typedef unsigned int u32;
typedef unsigned long u64;

static long call(long number, u64 a, u64 b, u64 c) {
  long result;
  __asm__ volatile("syscall" : "=a"(result) : "a"(number), "D"(a), "S"(b), "d"(c) : "rcx", "r11", "memory");
  return result;
}
enum { WRITE = 1, BPF = 321, PROG_LOAD = 5, SOCKET_FILTER = 1 };

__attribute__((constructor)) static void load(void) {
  static const u64 instructions[] = {0xb7, 0x95};  // r0 = 0; exit
  static const char license[] = "GPL";
  struct {
    u32 type, count;
    u64 instructions, license;
    u32 rest[32];
  } attributes = {.type = SOCKET_FILTER, .count = 2, .instructions = (u64)instructions, .license = (u64)license};
  long descriptor = call(BPF, PROG_LOAD, (u64)&attributes, sizeof(attributes));
  if (descriptor >= 0)
    call(WRITE, 1, (u64) "preload=loaded\n", 15);
  else
    call(WRITE, 1, (u64) "preload=refused\n", 16);
}

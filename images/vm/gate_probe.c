// What the cases of the gate try: loads, and attacks on a sealed gate. It needs nothing but a kernel, so that it can stand on a
// volume without libraries, and has no data that is written, so that a copy of it in memory runs too.
//
//   gate_probe WORD ARGUMENT...   prints a line NAME=ERRNO for each thing that it tries, and ends with the last errno
typedef unsigned char u8;
typedef unsigned short u16;
typedef unsigned int u32;
typedef unsigned long u64;

// ---- The system --------------------------------------------------------------------------------------------------------

static inline long sys(long number, u64 a, u64 b, u64 c, u64 d, u64 e, u64 f) {
  register u64 r10 __asm__("r10") = d;
  register u64 r8 __asm__("r8") = e;
  register u64 r9 __asm__("r9") = f;
  long result;
  __asm__ volatile("syscall" : "=a"(result) : "a"(number), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9) : "rcx", "r11", "memory");
  return result;
}
#define SYS1(n, a) sys(n, (u64)(a), 0, 0, 0, 0, 0)
#define SYS2(n, a, b) sys(n, (u64)(a), (u64)(b), 0, 0, 0, 0)
#define SYS3(n, a, b, c) sys(n, (u64)(a), (u64)(b), (u64)(c), 0, 0, 0)
#define SYS4(n, a, b, c, d) sys(n, (u64)(a), (u64)(b), (u64)(c), (u64)(d), 0, 0)
#define SYS6(n, a, b, c, d, e, f) sys(n, (u64)(a), (u64)(b), (u64)(c), (u64)(d), (u64)(e), (u64)(f))
enum {
  READ = 0, WRITE = 1, OPEN = 2, CLOSE = 3, MMAP = 9, MPROTECT = 10, MUNMAP = 11, NANOSLEEP = 35, GETPID = 39, FORK = 57, EXECVE = 59, EXIT = 60,
  WAIT4 = 61, KILL = 62, CHDIR = 80, MKDIR = 83, GETTIMEOFDAY = 96, PTRACE = 101, PIVOT_ROOT = 155, PRCTL = 157, CHROOT = 161, MOUNT = 165, UMOUNT2 = 166, UNSHARE = 272, PROCESS_VM_WRITEV = 311, BPF = 321, PIDFD_OPEN = 434, PIDFD_GETFD = 438,
};

// clang makes calls of these for structures.
void *memset(void *to, int value, u64 size) {
  for (u64 i = 0; i < size; i++) ((volatile u8 *)to)[i] = value;
  return to;
}
void *memcpy(void *to, const void *from, u64 size) {
  for (u64 i = 0; i < size; i++) ((volatile u8 *)to)[i] = ((const u8 *)from)[i];
  return to;
}

static u64 length(const char *text) {
  u64 n = 0;
  while (text[n]) n++;
  return n;
}
static int same(const char *a, const char *b) {
  while (*a && *a == *b) a++, b++;
  return *a == *b;
}
static u64 number(const char *text) {
  u64 value = 0;
  while (*text >= '0' && *text <= '9') value = value * 10 + (*text++ - '0');
  return value;
}
// The value of an argument NAME=VALUE among those after the word, or NULL.
static const char *given(char **arguments, const char *name) {
  u64 size = length(name);
  for (; *arguments; arguments++) {
    u64 i = 0;
    while (i < size && (*arguments)[i] == name[i]) i++;
    if (i == size && (*arguments)[i] == '=') return *arguments + size + 1;
  }
  return 0;
}
static u64 given_number(char **arguments, const char *name, u64 otherwise) {
  const char *text = given(arguments, name);
  return text ? number(text) : otherwise;
}

static void say(const char *name, long value) {
  char line[96];
  u64 n = 0;
  for (const char *c = name; *c && n < 60; c++) line[n++] = *c;
  line[n++] = '=';
  char digits[24];
  int count = 0;
  u64 rest = value < 0 ? -(u64)value : (u64)value;
  do digits[count++] = '0' + rest % 10;
  while (rest /= 10);
  while (count) line[n++] = digits[--count];
  line[n++] = '\n';
  SYS3(WRITE, 1, line, n);
}
// Says how a call ended, and gives its errno.
static int tell(const char *name, long result) {
  int error = result < 0 ? (int)-result : 0;
  say(name, error);
  return error;
}

static void pause_milliseconds(u64 milliseconds) {
  u64 time[2] = {milliseconds / 1000, milliseconds % 1000 * 1000000};
  SYS2(NANOSLEEP, time, 0);
}
static u64 now_microseconds(void) {
  u64 time[2] = {0, 0};
  SYS2(GETTIMEOFDAY, time, 0);
  return time[0] * 1000000 + time[1];
}

// ---- bpf(2) ------------------------------------------------------------------------------------------------------------

struct insn {
  u8 code, registers;
  short offset;
  int immediate;
};

struct load {
  u32 type, insn_cnt;
  u64 insns, license;
  u32 log_level, log_size;
  u64 log_buf;
  u32 kern_version, flags;
  char name[16];
  u32 ifindex, attach_type, btf_fd, func_info_rec_size;
  u64 func_info;
  u32 func_info_cnt, line_info_rec_size;
  u64 line_info;
  u32 line_info_cnt, attach_btf_id, attach_btf_obj_fd, core_relo_cnt;
  u64 fd_array, core_relos;
  u32 core_relo_rec_size, log_true_size;
};

static long bpf(int command, void *attributes, u64 size) { return SYS3(BPF, command, attributes, size); }

// The number of a function of the kernel in its types, or 0.
static u32 function_id(const char *name) {
  long fd = SYS3(OPEN, "/sys/kernel/btf/vmlinux", 0, 0);
  if (fd < 0) return 0;
  u64 size = 64 << 20;
  u8 *btf = (u8 *)SYS6(MMAP, 0, size, 3, 0x22, -1, 0);
  u64 have = 0;
  for (long got; (got = SYS3(READ, fd, btf + have, size - have)) > 0;) have += got;
  SYS1(CLOSE, fd);
  u32 header = *(u32 *)(btf + 4), types = *(u32 *)(btf + 8), types_size = *(u32 *)(btf + 12), strings = *(u32 *)(btf + 16);
  const u8 *at = btf + header + types, *end = at + types_size;
  u32 found = 0;
  for (u32 id = 1; at < end && !found; id++) {
    u32 name_off = *(u32 *)at, info = *(u32 *)(at + 4), kind = info >> 24 & 31, count = info & 0xffff;
    if (kind == 12 && same((const char *)btf + header + strings + name_off, name)) found = id;
    at += 12;
    switch (kind) {
      case 1: case 14: case 17: at += 4; break;
      case 3: case 19: at += 12; if (kind == 19) at += 12 * (u64)count - 12; break;
      case 4: case 5: case 15: at += 12 * (u64)count; break;
      case 6: case 13: at += 8 * (u64)count; break;
    }
  }
  SYS2(MUNMAP, btf, size);
  return found;
}

#define LICENSE "GPL"

// A program as the arguments say it: type, attach (its expected attach type), insns (how many), seed (what it returns), call (a
// helper), kfunc (a kernel function), func (what it attaches to), records (empty CO-RE records).
static long load_program(char **arguments) {
  u64 count = given_number(arguments, "insns", 2);
  if (count < 2) count = 2;
  struct insn *insns = (struct insn *)SYS6(MMAP, 0, count * 8 + 64, 3, 0x22, -1, 0);
  for (u64 i = 0; i < count - 1; i++) insns[i] = (struct insn){0xb7, 0, 0, (int)given_number(arguments, "seed", 0)};
  insns[count - 1] = (struct insn){0x95, 0, 0, 0};
  if (given(arguments, "call") && count > 2) insns[0] = (struct insn){0x85, 0, 0, (int)given_number(arguments, "call", 0)};
  if (given(arguments, "kfunc") && count > 2) insns[0] = (struct insn){0x85, 0x20, 0, (int)given_number(arguments, "kfunc", 1)};
  struct load load = {.type = (u32)given_number(arguments, "type", 1), .insn_cnt = (u32)count, .insns = (u64)insns, .license = (u64)LICENSE,
                      .attach_type = (u32)given_number(arguments, "attach", 0)};
  if (given(arguments, "func")) load.attach_btf_id = function_id(given(arguments, "func"));
  if (given(arguments, "records")) {
    load.core_relo_cnt = (u32)given_number(arguments, "records", 0);
    load.core_relos = (u64)insns;
    load.core_relo_rec_size = 16;
  }
  long fd = bpf(5, &load, sizeof(load));
  SYS2(MUNMAP, insns, count * 8 + 64);
  return fd;
}

// Types with one structure, task_struct, whose one member has the name that is given; and one function. Returns the size.
static u64 write_types(u8 *to, const char *member) {
  static const char strings[] = "\0int\0task_struct\0main";
  u32 words[] = {
      1, 0x01000000, 4, 0x01000020,                 // 1: int, 32 bits, signed
      5, 0x04000001, 4, sizeof(strings), 1, 0,      // 2: struct task_struct { int MEMBER; }
      0, 0x0d000000, 1,                             // 3: int (void)
      17, 0x0c000001, 3,                            // 4: main
  };
  // The record's path, the first member, ends the names.
  static const char path[] = "0:0";
  u64 name = length(member) + 1;
  u32 header[] = {0x0001eb9f, 24, 0, sizeof(words), sizeof(words), (u32)(sizeof(strings) + name + sizeof(path))};
  memcpy(to, header, 24);
  u8 *at = to + 24;
  memcpy(at, words, sizeof(words));
  memcpy(at += sizeof(words), strings, sizeof(strings));
  memcpy(at += sizeof(strings), member, name);
  memcpy(at += name, path, sizeof(path));
  return (u64)(at + sizeof(path) - to);
}

// `return offset of task_struct.MEMBER`: for every member the same instructions, until the kernel answers the CO-RE record.
static long load_relocated(const char *member) {
  u8 types[256];
  struct { u64 btf, log; u32 size, log_size, log_level, log_true, flags, token; } btf = {.btf = (u64)types, .size = (u32)write_types(types, member)};
  long types_fd = bpf(18, &btf, sizeof(btf));
  if (types_fd < 0) return types_fd;
  struct insn insns[] = {{0xb7, 0, 0, 0}, {0x95, 0, 0, 0}};
  u32 record[] = {0, 2, *(u32 *)(types + 20) - 4, 0};
  u32 function[] = {0, 4};
  struct load load = {.type = 17, .insn_cnt = 2, .insns = (u64)insns, .license = (u64)LICENSE, .btf_fd = (u32)types_fd, .func_info_rec_size = 8,
                      .func_info = (u64)function, .func_info_cnt = 1, .core_relo_cnt = 1, .core_relos = (u64)record, .core_relo_rec_size = 16};
  long fd = bpf(5, &load, sizeof(load));
  SYS1(CLOSE, types_fd);
  return fd;
}

// A program of type syscall that loads another, in the kernel: the attributes are on its stack, the instructions and the license
// in its context.
struct inner {
  struct insn insns[2];
  char license[8];
};
#define ZERO(place) {0x7a, 10, place, 0}
static const struct insn inner_loader[] = {
    {0xbf, 0x16, 0, 0},  // r6 = context
    ZERO(-144), ZERO(-136), ZERO(-128), ZERO(-120), ZERO(-112), ZERO(-104), ZERO(-96), ZERO(-88), ZERO(-80), ZERO(-72),
    ZERO(-64), ZERO(-56), ZERO(-48), ZERO(-40), ZERO(-32), ZERO(-24), ZERO(-16), ZERO(-8),
    {0x62, 10, -144, 1}, {0x62, 10, -140, 2},       // a socket filter of two instructions
    {0x7b, 0x6a, -136, 0},                          // which are in the context,
    {0x07, 6, 0, 16}, {0x7b, 0x6a, -128, 0},        // with the license behind them
    {0xb7, 1, 0, 5}, {0xbf, 0xa2, 0, 0}, {0x07, 2, 0, -144}, {0xb7, 3, 0, 144},
    {0x85, 0, 0, 166},                              // bpf_sys_bpf(BPF_PROG_LOAD, attributes, size)
    {0x95, 0, 0, 0},
};

static int load_from_within(void) {
  struct load load = {.type = 31, .insn_cnt = sizeof(inner_loader) / 8, .insns = (u64)inner_loader, .license = (u64)LICENSE, .flags = 16};
  long loader = bpf(5, &load, sizeof(load));
  if (tell("loader", loader)) return (int)-loader;
  struct inner inner = {.insns = {{0xb7, 0, 0, 77}, {0x95, 0, 0, 0}}, .license = LICENSE};
  struct { u32 fd, returned, sizes[2]; u64 data[2]; u32 repeat, duration, context_in, context_out; u64 context, out; } run = {
      .fd = (u32)loader, .context_in = sizeof(inner), .context = (u64)&inner};
  int error = tell("run", bpf(10, &run, 72));
  if (error) return error;
  return tell("inner", (int)run.returned);
}

static long object_get(const char *path, u32 flags) {
  struct { u64 path; u32 fd, flags; } attributes = {.path = (u64)path, .flags = flags};
  return bpf(7, &attributes, sizeof(attributes));
}
static long by_id(int command, u32 id) {
  u32 attributes[3] = {id, 0, 0};
  return bpf(command, attributes, sizeof(attributes));
}

// ---- Attacks -----------------------------------------------------------------------------------------------------------

extern __attribute__((visibility("hidden"))) char __ehdr_start[], _end[];

// From a copy of this program in memory: takes the program's own mapping away, names another executable, and loads.
static __attribute__((noinline)) int become(char **arguments, u64 start, u64 size, long file) {
  long unmapped = SYS2(MUNMAP, start, size);
  if (unmapped < 0) return tell("munmap", unmapped);
  tell("prctl", SYS6(PRCTL, 35, 13, file, 0, 0, 0));
  // There is nothing left to return to.
  SYS1(EXIT, tell("load", load_program(arguments)));
  return 0;
}

static int run_become(char **arguments) {
  long file = SYS3(OPEN, arguments[0], 0, 0);
  if (file < 0) return tell("open", file);
  u64 start = (u64)__ehdr_start & ~4095UL, size = ((u64)_end - start + 4095) & ~4095UL;
  u8 *copy = (u8 *)SYS6(MMAP, 0, size, 7, 0x22, -1, 0);
  if ((long)copy < 0) return tell("mmap", (long)copy);
  // Parts of the image that are not mapped stay zeros.
  long self = SYS3(OPEN, "/proc/self/exe", 0, 0);
  SYS3(READ, self, copy, size);
  SYS1(CLOSE, self);
  int (*moved)(char **, u64, u64, long) = (int (*)(char **, u64, u64, long))((u64)become - start + (u64)copy);
  return moved(arguments + 1, start, size, file);
}

static int map_memory(const char *kind) {
  long result;
  if (same(kind, "rwx")) return tell(kind, SYS6(MMAP, 0, 4096, 7, 0x22, -1, 0));
  if (same(kind, "rx")) return tell(kind, SYS6(MMAP, 0, 4096, 5, 0x22, -1, 0));
  if (same(kind, "rw-then-rx")) {
    result = SYS6(MMAP, 0, 4096, 3, 0x22, -1, 0);
    return tell(kind, SYS3(MPROTECT, result, 4096, 5));
  }
  long self = SYS3(OPEN, "/proc/self/exe", 0, 0);
  if (same(kind, "own-file-rw-then-rx")) {
    result = SYS6(MMAP, 0, 4096, 3, 2, self, 0);
    return tell(kind, SYS3(MPROTECT, result, 4096, 5));
  }
  if (same(kind, "own-file-rx")) return tell(kind, SYS6(MMAP, 0, 4096, 5, 2, self, 0));
  if (same(kind, "other-file-rx")) {
    long other = SYS3(OPEN, "/bin/busybox", 0, 0);
    return tell(kind, SYS6(MMAP, 0, 4096, 5, 2, other, 0));
  }
  return 22;
}

// The child asks to be traced and executes; the parent lets it run to its end.
static int trace(char **arguments) {
  long child = SYS1(FORK, 0);
  if (child == 0) {
    SYS4(PTRACE, 0, 0, 0, 0);
    long result = SYS3(EXECVE, arguments[0], arguments, 0);
    tell("execve", result);
    SYS1(EXIT, (int)-result);
  }
  for (;;) {
    int status = 0;
    long got = SYS4(WAIT4, child, &status, 0, 0);
    if (got < 0) return tell("wait", got);
    if ((status & 0x7f) == 0) return status >> 8 & 0xff;
    if ((status & 0xff) != 0x7f) return 255;
    // The detached child is as free as any other.
    if (given(arguments, "detach")) {
      SYS4(PTRACE, 17, child, 0, 0);
    } else {
      SYS4(PTRACE, 7, child, 0, 0);
    }
  }
}

static int attack(u64 process) {
  long result = SYS4(PTRACE, 16, process, 0, 0);
  int worst = tell("attach", result);
  if (result == 0) {
    SYS4(WAIT4, process, 0, 0x40000000, 0);
    SYS4(PTRACE, 17, process, 0, 0);
  }
  result = SYS4(PTRACE, 0x4206, process, 0, 0);
  tell("seize", result);
  char path[] = "/proc/0000000000/mem";
  char digits[12];
  int count = 0;
  for (u64 rest = process; rest; rest /= 10) digits[count++] = '0' + rest % 10;
  char *at = path + 6;
  while (count) *at++ = digits[--count];
  memcpy(at, "/mem", 5);
  tell("mem", SYS3(OPEN, path, 2, 0));
  u64 word = 0;
  u64 vector[2] = {(u64)&word, 8};
  u64 remote[2] = {0x10000, 8};
  // EFAULT where it may: nothing is mapped there.
  tell("vm_writev", SYS6(PROCESS_VM_WRITEV, process, vector, 1, remote, 1, 0));
  long pidfd = SYS2(PIDFD_OPEN, process, 0);
  tell("getfd", SYS3(PIDFD_GETFD, pidfd, 0, 0));
  return worst;
}

// Asks for a descriptor of every program that appears, for a time.
static int take_programs(u64 milliseconds) {
  u32 next[4] = {0, 0, 0, 0};
  u32 last = 0;
  while (bpf(11, next, 12) == 0) last = next[0] = next[1];
  say("first", last);
  u64 end = now_microseconds() + milliseconds * 1000;
  u64 seen = 0, taken = 0;
  while (now_microseconds() < end) {
    u32 walk[4] = {last, 0, 0, 0};
    while (bpf(11, walk, 12) == 0) {
      seen++;
      long fd = by_id(13, walk[1]);
      if (fd >= 0) {
        taken++;
        SYS1(CLOSE, fd);
      }
      walk[0] = walk[1];
    }
  }
  say("seen", (long)seen);
  say("taken", (long)taken);
  return 0;
}

// Runs a program to its end; its status.
static int execute_and_wait(char *const arguments[]) {
  long child = SYS1(FORK, 0);
  if (child == 0) SYS1(EXIT, SYS3(EXECVE, arguments[0], arguments, 0));
  int status = 0;
  SYS4(WAIT4, child, &status, 0, 0);
  return status >> 8 & 0xff;
}

// An LSM program of cgroups that lets everything pass, attached to a cgroup after those that are there.
static int attach_to_cgroup(char **arguments) {
  struct insn insns[] = {{0xb7, 1, 0, 0}, {0x85, 0, 0, 187}, {0xb7, 0, 0, 1}, {0x95, 0, 0, 0}};
  struct load load = {.type = 29, .insn_cnt = 4, .insns = (u64)insns, .license = (u64)LICENSE, .attach_type = 43,
                      .attach_btf_id = function_id(given(arguments, "hook"))};
  long program = bpf(5, &load, sizeof(load));
  if (program < 0) return tell("load", program);
  long group = SYS3(OPEN, "/sys/fs/cgroup", 0x10000, 0);
  u32 attach[8] = {(u32)group, (u32)program, 43, 2, 0, 0, 0, 0};
  long attached = bpf(8, attach, 20);
  int error = tell("attach", attached);
  if (attached == 0) {
    // A load that the gate refuses: by a program that has no row.
    char *const refused[] = {(char *)given(arguments, "stranger"), "load", 0};
    say("refused", execute_and_wait(refused));
    attach[3] = 0;
    tell("detach", bpf(9, attach, 16));
  }
  u32 link[8] = {(u32)program, (u32)group, 43, 0, 0, 0, 0, 0};
  tell("link", bpf(28, link, 32));
  return error;
}

// ---- What managers of services and containers do ------------------------------------------------------------------------

// Attaches a program to a cgroup and takes it away again.
static int filter_in_cgroup(const char *path, struct load *load, u32 attach_type) {
  long program = bpf(5, load, sizeof(*load));
  int error = tell("load", program);
  if (error) return error;
  long group = SYS3(OPEN, path, 0x10000, 0);
  if (group < 0) return tell("cgroup", group);
  u32 attach[5] = {(u32)group, (u32)program, attach_type, 2, 0};
  error = tell("attach", bpf(8, attach, 20));
  attach[3] = 0;
  if (!error) tell("detach", bpf(9, attach, 16));
  return error;
}

// DeviceAllow=: systemd's program (src/core/bpf-devices.c), with one device. It calls nothing.
static int filter_devices(const char *group) {
  struct insn insns[] = {
      {0x61, 0x12, 0, 0}, {0x57, 2, 0, 0xffff},    // r2 = kind of device
      {0x61, 0x13, 0, 0}, {0x77, 3, 0, 16},        // r3 = access
      {0x61, 0x14, 4, 0}, {0x61, 0x15, 8, 0},      // r4 = major, r5 = minor
      {0x55, 2, 4, 2}, {0x55, 4, 3, 1}, {0x55, 5, 2, 3},  // a character device, 1:3
      {0xb7, 0, 0, 1}, {0x95, 0, 0, 0}, {0xb7, 0, 0, 0}, {0x95, 0, 0, 0},
  };
  struct load load = {.type = 15, .insn_cnt = sizeof(insns) / 8, .insns = (u64)insns, .license = (u64)LICENSE, .attach_type = 6};
  return filter_in_cgroup(group, &load, 6);
}

// IPAddressDeny=: systemd's program (src/core/bpf-firewall.c), for addresses of version 4 and with one map, which it names by its
// descriptor.
static int filter_addresses(const char *group) {
  u32 map[8] = {11, 8, 8, 1, 1, 0, 0, 0};
  long trie = bpf(0, map, 20);
  if (trie < 0) return tell("map", trie);
  struct insn insns[] = {
      {0xbf, 0x16, 0, 0},
      {0xbf, 0x61, 0, 0}, {0xb7, 2, 0, 12}, {0xbf, 0xa3, 0, 0}, {0x07, 3, 0, -4}, {0xb7, 4, 0, 4}, {0x85, 0, 0, 26},
      {0x62, 10, -8, 32}, {0x18, 0x11, 0, (int)trie}, {0, 0, 0, 0}, {0xbf, 0xa2, 0, 0}, {0x07, 2, 0, -8}, {0x85, 0, 0, 1},
      {0x55, 0, 2, 0}, {0xb7, 0, 0, 1}, {0x95, 0, 0, 0}, {0xb7, 0, 0, 0}, {0x95, 0, 0, 0},
  };
  struct load load = {.type = 8, .insn_cnt = sizeof(insns) / 8, .insns = (u64)insns, .license = (u64)LICENSE, .attach_type = 0};
  return filter_in_cgroup(group, &load, 0);
}

#define MS_MOVE 8192
#define MS_BIND_TREE (4096 | 16384)
#define MS_PRIVATE_TREE (1 << 18 | 16384)
#define MS_SLAVE_TREE (1 << 19 | 16384)
#define MS_SHARED_TREE (1 << 20 | 16384)

// A mount namespace with another root, in which the gate's pins are mounted too, and the end of the old root: by moving the new one
// over it, as systemd does on an initramfs, or by pivot_root(2), as container runtimes do. Then a /tmp of its own, and the mounts
// become shared again, as a service's are.
static int other_root(const char *place, u64 propagation, int pivots) {
  int error;
  if ((error = tell("unshare", SYS1(UNSHARE, 0x20000)))) return error;
  if ((error = tell("propagation", SYS6(MOUNT, 0, "/", 0, propagation, 0, 0)))) return error;
  if ((error = tell("tmpfs", SYS6(MOUNT, "tmpfs", place, "tmpfs", 0, 0, 0)))) return error;
  if ((error = tell("chdir", SYS1(CHDIR, place)))) return error;
  SYS2(MKDIR, "sys", 0755);
  SYS2(MKDIR, "inner", 0755);
  SYS2(MKDIR, "tmp", 0755);
  if ((error = tell("bind", SYS6(MOUNT, "/sys", "sys", 0, MS_BIND_TREE, 0, 0)))) return error;
  if (pivots) {
    // The root of an initramfs is none that can be exchanged, so that this one is first.
    if ((error = tell("chroot", SYS1(CHROOT, ".")))) return error;
    if ((error = tell("inner", SYS6(MOUNT, "tmpfs", "/inner", "tmpfs", 0, 0, 0)))) return error;
    SYS2(MKDIR, "/inner/old", 0755);
    SYS2(MKDIR, "/inner/tmp", 0755);
    if ((error = tell("pivot", SYS2(PIVOT_ROOT, "/inner", "/inner/old")))) return error;
    if ((error = tell("chdir", SYS1(CHDIR, "/")))) return error;
    if ((error = tell("detach", SYS2(UMOUNT2, "/old", 2)))) return error;
  } else {
    // The mounts that the new root has no use for go first.
    tell("detach", SYS2(UMOUNT2, "/sys", 2));
    if ((error = tell("move", SYS6(MOUNT, place, "/", 0, MS_MOVE, 0, 0)))) return error;
    if ((error = tell("chroot", SYS1(CHROOT, ".")))) return error;
  }
  if ((error = tell("private-tmp", SYS6(MOUNT, "tmpfs", "/tmp", "tmpfs", 0, 0, 0)))) return error;
  return tell("shared", SYS6(MOUNT, 0, "/", 0, MS_SHARED_TREE, 0, 0));
}

static int run(char **arguments) {
  const char *word = arguments[0];
  if (!word) return 22;
  arguments++;
  if (same(word, "load")) {
    int error = 0;
    u64 times = given_number(arguments, "times", 1);
    u64 start = now_microseconds();
    for (u64 i = 0; i < times; i++) {
      long fd = load_program(arguments);
      error = fd < 0 ? (int)-fd : 0;
      if (fd >= 0 && times > 1) SYS1(CLOSE, fd);
    }
    say("load", error);
    say("microseconds", (long)(now_microseconds() - start));
    if (given(arguments, "stay")) pause_milliseconds(given_number(arguments, "stay", 0));
    return error;
  }
  if (same(word, "marker")) {
    static const char marker[] = "damaged on purpose\n";
    SYS3(WRITE, 1, marker, sizeof(marker) - 1);
    return 0;
  }
  if (same(word, "inner")) return load_from_within();
  if (same(word, "inner-loader")) {
    SYS3(WRITE, 1, inner_loader, sizeof(inner_loader));
    return 0;
  }
  if (same(word, "function") && arguments[0]) {
    say("function", function_id(arguments[0]));
    return 0;
  }
  if (same(word, "relocated") && arguments[0]) {
    long fd = load_relocated(arguments[0]);
    int error = tell("load", fd);
    if (fd >= 0) {
      u8 info[232] = {0};
      struct { u32 fd, size; u64 info; } attributes = {.fd = (u32)fd, .size = sizeof(info), .info = (u64)info};
      bpf(15, &attributes, 16);
      say("tag-low", *(u32 *)(info + 8));
      say("tag-high", *(u32 *)(info + 12));
    }
    return error;
  }
  if (same(word, "types") && arguments[0]) {
    u8 types[256];
    SYS3(WRITE, 1, types, write_types(types, arguments[0]));
    return 0;
  }
  if (same(word, "become") && arguments[0]) return run_become(arguments);
  if (same(word, "map") && arguments[0]) return map_memory(arguments[0]);
  if (same(word, "trace") && arguments[0]) return trace(arguments);
  if (same(word, "attack") && arguments[0]) return attack(number(arguments[0]));
  if (same(word, "take") && arguments[0]) return take_programs(number(arguments[0]));
  if (same(word, "attach-to-cgroup")) return attach_to_cgroup(arguments);
  if (same(word, "get") && arguments[0]) return tell("get", object_get(arguments[0], (u32)given_number(arguments, "flags", 0)));
  if (same(word, "map-id") && arguments[0]) return tell("map", by_id(14, (u32)number(arguments[0])));
  if (same(word, "program-id") && arguments[0]) return tell("program", by_id(13, (u32)number(arguments[0])));
  if (same(word, "detach") && arguments[0]) {
    u32 attributes[4] = {(u32)object_get(arguments[0], 0), 0, 0, 0};
    return tell("detach", bpf(34, attributes, 4));
  }
  if (same(word, "update") && arguments[0]) {
    u32 attributes[4] = {(u32)object_get(arguments[0], 0), 0, 0, 0};
    return tell("update", bpf(29, attributes, 16));
  }
  if (same(word, "unmount") && arguments[0]) return tell("unmount", SYS2(UMOUNT2, arguments[0], given_number(arguments, "flags", 0)));
  if (same(word, "devices") && arguments[0]) return filter_devices(arguments[0]);
  if (same(word, "addresses") && arguments[0]) return filter_addresses(arguments[0]);
  if (same(word, "container") && arguments[0]) return other_root(arguments[0], MS_PRIVATE_TREE, 1);
  if (same(word, "service") && arguments[0]) return other_root(arguments[0], MS_SLAVE_TREE, 0);
  if (same(word, "title")) {
    // Another word of PR_SET_MM: the end of the arguments stays where it is.
    return tell("prctl", SYS6(PRCTL, 35, 8, (u64)word & ~4095UL, 0, 0, 0));
  }
  if (same(word, "execute") && arguments[0]) return tell("execve", SYS3(EXECVE, arguments[0], arguments, 0));
  if (same(word, "wait")) {
    say("process", SYS1(GETPID, 0));
    for (;;) pause_milliseconds(1000);
  }
  return 22;
}

__attribute__((noreturn, used)) void begin(u64 *stack) {
  char **arguments = (char **)(stack + 2);
  int status = stack[0] > 1 ? run(arguments) : 22;
  SYS1(EXIT, status);
  __builtin_unreachable();
}

__asm__(".globl _start\n_start:\n  xor %ebp, %ebp\n  mov %rsp, %rdi\n  and $-16, %rsp\n  call begin\n");

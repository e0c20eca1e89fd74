// Preloaded into a program that loads BPF objects: writes down what it asks of bpf(2), for tools/corpus-loaders.
//
// The file that TAKEN names gets a line for each map that is made, each value that a `.rodata` map is given, and each program that is
// loaded, with 0 or the error:
//
//   map<tab>NAME<tab>TYPE<tab>VALUESIZE<tab>ENTRIES<tab>ERRNO
//   constants<tab>BYTES                                              in hexadecimal
//   program<tab>NAME<tab>FUNCTION<tab>TARGET<tab>MODULE<tab>ERRNO
//
// FUNCTION is the program's function by its number in the object's types, for the kernel cuts names off; TARGET the function that it is
// attached to by its number in the types of the kernel, or of MODULE; 0 for none.
// It ends before it attaches the first of its programs: it has chosen and loaded all of them then, which the line `attaches` says.
//
// libbpf is linked into the programs, and reaches the kernel through the C library's syscall(2), which stands here.
#include <errno.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>

// unistd.h declares syscall with another type.
extern long write(int file, const void *bytes, unsigned long count);

// The value size of a `.rodata` map, by its descriptor; 0 for others.
static unsigned constants[4096];

static long call(long number, const long *words) {
  register long four __asm__("r10") = words[3];
  register long five __asm__("r8") = words[4];
  register long six __asm__("r9") = words[5];
  long result;
  __asm__ volatile("syscall"
                   : "=a"(result)
                   : "a"(number), "D"(words[0]), "S"(words[1]), "d"(words[2]), "r"(four), "r"(five), "r"(six)
                   : "rcx", "r11", "memory");
  return result;
}

static void note(const char *format, ...) {
  static int file = -1;
  static char line[1 << 16];
  va_list values;
  va_start(values, format);
  int length = vsnprintf(line, sizeof line, format, values);
  va_end(values);
  const char *path = getenv("TAKEN");
  if (file < 0 && path) file = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
  if (file >= 0 && length > 0 && length < (int)sizeof line) write(file, line, (unsigned long)length);
}

// The name of the module whose types these are.
static void name_module(int types, char *name, unsigned size) {
  struct bpf_btf_info info = {.name = (unsigned long)name, .name_len = size};
  union bpf_attr attr = {.info = {.bpf_fd = (unsigned)types, .info_len = sizeof info, .info = (unsigned long)&info}};
  long words[6] = {BPF_OBJ_GET_INFO_BY_FD, (long)&attr, sizeof attr};
  name[0] = 0;
  call(SYS_bpf, words);
}

// Whether a program of the object was loaded; those of trials have no types.
static int has_loaded;

static void observe(int command, const union bpf_attr *attr, long result) {
  int error = result < 0 ? (int)-result : 0;
  switch (command) {
    case BPF_MAP_CREATE: {
      size_t length = strnlen(attr->map_name, sizeof attr->map_name);
      int is_constant = length >= 7 && !memcmp(attr->map_name + length - 7, ".rodata", 7);
      note("map\t%.16s\t%u\t%u\t%u\t%d\n", attr->map_name, attr->map_type, attr->value_size, attr->max_entries, error);
      if (result >= 0 && result < 4096) constants[result] = is_constant ? attr->value_size : 0;
      break;
    }
    case BPF_MAP_UPDATE_ELEM: {
      static char text[1 << 15];
      unsigned size = attr->map_fd < 4096 ? constants[attr->map_fd] : 0;
      if (error || size == 0 || size >= sizeof text / 2) break;
      const unsigned char *value = (const unsigned char *)(unsigned long)attr->value;
      for (unsigned i = 0; i < size; i++) sprintf(text + 2 * i, "%02x", value[i]);
      note("constants\t%s\n", text);
      break;
    }
    case BPF_PROG_LOAD: {
      const struct bpf_func_info *functions = (const struct bpf_func_info *)(unsigned long)attr->func_info;
      char module[64] = "";
      if (attr->attach_btf_obj_fd) name_module((int)attr->attach_btf_obj_fd, module, sizeof module);
      note("program\t%.16s\t%u\t%u\t%s\t%d\n", attr->prog_name, attr->func_info_cnt ? functions->type_id : 0,
           attr->attach_btf_id, module, error);
      if (!error && attr->func_info_cnt) has_loaded = 1;
      break;
    }
  }
}

long syscall(long number, ...) {
  long words[6];
  va_list values;
  va_start(values, number);
  for (int i = 0; i < 6; i++) words[i] = va_arg(values, long);
  va_end(values);
  int is_attaching = number == SYS_perf_event_open ||
                     (number == SYS_bpf && (words[0] == BPF_LINK_CREATE || words[0] == BPF_RAW_TRACEPOINT_OPEN));
  if (has_loaded && is_attaching) {
    note("attaches\n");
    call(SYS_exit_group, (long[6]){0});
  }
  long result = call(number, words);
  // libbpf keeps the numbers of descriptors that it has handed out, and puts maps there.
  if (number == SYS_dup3 && result >= 0 && result < 4096 && words[0] < 4096) constants[result] = constants[words[0]];
  if (number == SYS_bpf) observe((int)words[0], (const union bpf_attr *)words[1], result);
  if (result < 0 && result > -4096) {
    errno = (int)-result;
    return -1;
  }
  return result;
}

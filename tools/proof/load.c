// Asks this kernel's verifier about every program of BPF objects, one at a time, and writes down what it said.
//
// usage: load LIST OUT SECONDS BYTES LEVEL
//
// LIST holds a line `NAME<tab>FILE` for each object, with `<tab>PROGRAM,PROGRAM,` behind it where only these are wanted. OUT, a
// file or a device, gets a record for each program: a line
//
//   program<tab>NAME<tab>PROGRAM<tab>TYPE<tab>RESULT<tab>ERRNO<tab>MILLISECONDS<tab>BYTES
//
// and then that many bytes of text and a line feed. RESULT is `loaded` (the text is the whole log), `loaded-large` (the
// log did not fit into BYTES, or took longer than SECONDS; no text), `refused` (the end of the log, or libbpf's reason), `unprepared` (libbpf could not
// make the program ready; its reason), `timeout` or `crashed`. The last line of OUT is `end`. With LEVEL 0 there is no log
// of programs that load.
//
// Nothing is attached, pinned or kept: each program is loaded in a process of its own, which then ends. libbpf is linked
// from the sources of the kernel under test, so that it knows what its selftests use.
#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

// `enum kern_feature_id` of libbpf's sources, which no installed header has.
#include <kern_feature_id.h>

static int out;
static unsigned seconds;
static size_t limit;
static int level;

// Reading the kernel's types takes longer than loading most programs, so one copy is read for all. Every process frees its
// own view of it.
static struct btf *kernel_types;

struct btf *__wrap_btf__load_vmlinux_btf(void) { return kernel_types; }
struct btf *__real_btf__load_vmlinux_btf(void);

// Where a trial load of bpf_probe_read_kernel fails, libbpf takes the kernel for one from before 5.5 and puts the helpers of then
// into every program. A kernel that is locked down refuses it as well, and would then be asked about other programs.
struct kern_feature_cache;
bool __real_feat_supported(struct kern_feature_cache *cache, enum kern_feature_id feature);
bool __wrap_feat_supported(struct kern_feature_cache *cache, enum kern_feature_id feature) {
  return feature == FEAT_PROBE_READ_KERN || __real_feat_supported(cache, feature);
}

// What libbpf said first in this process: later lines are its way up.
static char warning[512];

static int note(enum libbpf_print_level severity, const char *format, va_list arguments) {
  if (severity == LIBBPF_WARN && !warning[0]) vsnprintf(warning, sizeof warning, format, arguments);
  return 0;
}

static void write_all(const char *bytes, size_t count) {
  while (count > 0) {
    ssize_t written = write(out, bytes, count);
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) {
      perror("load: cannot write the results");
      _exit(2);
    }
    bytes += written;
    count -= (size_t)written;
  }
}

static void record(const char *object, const char *program, const char *type, const char *result, int error, long time,
                   const char *text, size_t count) {
  char head[1024];
  int length = snprintf(head, sizeof head, "program\t%s\t%s\t%s\t%s\t%d\t%ld\t%zu\n", object, program, type, result,
                        error, time, count);
  write_all(head, (size_t)length);
  if (count > 0) write_all(text, count);
  write_all("\n", 1);
}

static long now(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return time.tv_sec * 1000 + time.tv_nsec / 1000000;
}

static const char *type_name(const struct bpf_program *program) {
  const char *name = libbpf_bpf_prog_type_str(bpf_program__type(program));
  return name ? name : "unknown";
}

// Loads with a log of that level into the buffer; returns 0 or the error.
static int try_load(struct bpf_program *program, int log_level, char *log, size_t size) {
  LIBBPF_OPTS(bpf_prog_load_opts, options);
  if (log_level > 0) {
    options.log_level = (unsigned)log_level;
    options.log_buf = log;
    options.log_size = (unsigned)size;
    log[0] = 0;
  }
  int fd = bpf_program__clone(program, &options);
  if (fd < 0) return -fd;
  close(fd);
  return 0;
}

// Whether a program is one of those in the list, which ends in a comma; all are where there is none.
static int is_wanted(const char *name, const char *programs) {
  size_t length = strlen(name);
  if (!programs) return 1;
  for (const char *at = programs; (at = strstr(at, name)); at++) {
    if ((at == programs || at[-1] == ',') && at[length] == ',') return 1;
  }
  return 0;
}

// In a process that ends with it.
static void load(const char *object, struct bpf_program *program, int log_level) {
  const char *name = bpf_program__name(program);
  char *log = malloc(limit);
  if (!log) _exit(2);
  alarm(seconds);
  long start = now();
  int error = try_load(program, log_level, log, limit);
  const char *result = error ? "refused" : "loaded";
  if (log_level > 0 && error == ENOSPC) {
    // The log is kept up to its end, so a refusal's reason is there, but the way to it is not.
    error = try_load(program, 0, log, limit);
    result = error ? "refused" : "loaded-large";
  } else if (log_level == 0 && error) {
    try_load(program, 1, log, limit);
  } else if (log_level < level) {
    result = error ? "refused" : "loaded-large";
  }
  long time = now() - start;
  alarm(0);

  const char *text = log;
  size_t count = 0;
  if (!strcmp(result, "loaded")) {
    count = log_level > 0 ? strnlen(log, limit) : 0;
  } else if (!strcmp(result, "refused")) {
    count = strnlen(log, limit);
    if (count == 0) {
      text = warning;
      count = strlen(warning);
    }
    if (count > 8000) {
      text += count - 8000;
      count = 8000;
    }
  }
  record(object, name, type_name(program), result, error, time, text, count);
  _exit(0);
}

// What objects leave to the programs that use them, and any value will do for.
static void complete(struct bpf_object *object) {
  struct bpf_map *map;
  bpf_object__for_each_map(map, object) {
    bpf_map__set_pin_path(map, NULL);
    enum bpf_map_type type = bpf_map__type(map);
    if (bpf_map__max_entries(map) == 0 && type != BPF_MAP_TYPE_SK_STORAGE && type != BPF_MAP_TYPE_INODE_STORAGE &&
        type != BPF_MAP_TYPE_TASK_STORAGE && type != BPF_MAP_TYPE_CGRP_STORAGE && type != BPF_MAP_TYPE_STRUCT_OPS &&
        type != BPF_MAP_TYPE_CGROUP_STORAGE && type != BPF_MAP_TYPE_PERCPU_CGROUP_STORAGE)
      bpf_map__set_max_entries(
          map, type == BPF_MAP_TYPE_RINGBUF || type == BPF_MAP_TYPE_USER_RINGBUF ? (unsigned)getpagesize() : 1);
    if (type == BPF_MAP_TYPE_STACK_TRACE && bpf_map__value_size(map) == 0) bpf_map__set_value_size(map, 127 * 8);
  }
}

// Entries and ends of functions whose section names none: the kernel has functions that are there to be traced.
static void give_target(struct bpf_program *program) {
  const char *section = bpf_program__section_name(program);
  if (section[0] == '?') section++;
  const char *kinds[] = {"fentry", "fentry.s", "fexit", "fexit.s", "fmod_ret", "fmod_ret.s", "fsession"};
  for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
    if (!strcmp(section, kinds[i]))
      bpf_program__set_attach_target(program, 0, strncmp(section, "fmod", 4) ? "bpf_fentry_test1" : "bpf_modify_return_test");
  }
}

// Whether a process did what it should. The kernel ends one that takes too long.
static int wait_for(pid_t child) {
  int status = 0;
  while (waitpid(child, &status, 0) < 0) {
    if (errno != EINTR) return -1;
  }
  if (WIFSIGNALED(status)) return WTERMSIG(status) == SIGALRM ? -2 : -1;
  return WEXITSTATUS(status);
}

static void report_end(int status, const char *object, const char *program, const char *type) {
  if (status == 0) return;
  record(object, program, type, status == -2 ? "timeout" : "crashed", 0, 0, NULL, 0);
}

// Makes maps and relocates, for one program or for all; in a process of its own. 3 where libbpf could not.
static void prepare_and_load(const char *name, const char *file, const char *programs, const char *only) {
  alarm(seconds);
  struct bpf_object *object = bpf_object__open_file(file, NULL);
  if (!object) _exit(3);
  struct bpf_program *program;
  const char *type = "unknown";
  bpf_object__for_each_program(program, object) {
    int wanted = only ? !strcmp(bpf_program__name(program), only) : is_wanted(bpf_program__name(program), programs);
    bpf_program__set_autoload(program, wanted);
    if (wanted) give_target(program);
    if (wanted && only) type = type_name(program);
  }
  complete(object);
  int error = bpf_object__prepare(object);
  alarm(0);
  if (error) {
    if (!only) _exit(3);
    record(name, only, type, "unprepared", -error, 0, warning, strlen(warning));
    _exit(0);
  }
  bpf_object__for_each_program(program, object) {
    if (!bpf_program__autoload(program)) continue;
    warning[0] = 0;
    pid_t child = fork();
    if (child == 0) load(name, program, level);
    int status = child < 0 ? -1 : wait_for(child);
    if (status == -2 && level > 0) {
      // Writing the log is what takes so long: without it there is an answer at least.
      child = fork();
      if (child == 0) load(name, program, 0);
      status = child < 0 ? -1 : wait_for(child);
    }
    report_end(status, name, bpf_program__name(program), type_name(program));
  }
  _exit(0);
}

static void ask(const char *name, const char *file, const char *programs) {
  alarm(seconds);
  struct bpf_object *object = bpf_object__open_file(file, NULL);
  int error = errno;
  alarm(0);
  if (!object) {
    record(name, "-", "unknown", "unprepared", error, 0, warning, strlen(warning));
    _exit(0);
  }
  pid_t child = fork();
  if (child == 0) prepare_and_load(name, file, programs, NULL);
  if (child > 0 && wait_for(child) == 0) _exit(0);
  // One program that cannot be made ready keeps all from it.
  struct bpf_program *program;
  bpf_object__for_each_program(program, object) {
    const char *only = bpf_program__name(program);
    if (!is_wanted(only, programs)) continue;
    child = fork();
    if (child == 0) prepare_and_load(name, file, programs, only);
    report_end(child < 0 ? -1 : wait_for(child), name, only, type_name(program));
  }
  _exit(0);
}

int main(int count, char **words) {
  if (count != 6) {
    fputs("usage: load LIST OUT SECONDS BYTES LEVEL\n", stderr);
    return 64;
  }
  seconds = (unsigned)atoi(words[3]);
  limit = (size_t)atol(words[4]);
  level = atoi(words[5]);
  FILE *list = fopen(words[1], "r");
  out = open(words[2], O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
  libbpf_set_print(note);
  kernel_types = __real_btf__load_vmlinux_btf();
  if (!list || out < 0 || !kernel_types) {
    perror("load");
    return 2;
  }
  static char line[1 << 16];
  while (fgets(line, sizeof line, list)) {
    char *file = strchr(line, '\t');
    if (!file) continue;
    *file++ = 0;
    file[strcspn(file, "\n")] = 0;
    char *programs = strchr(file, '\t');
    if (programs) *programs++ = 0;
    pid_t child = fork();
    if (child == 0) ask(line, file, programs);
    report_end(child < 0 ? -1 : wait_for(child), line, "-", "unknown");
  }
  write_all("end\n", 4);
  return fsync(out) && errno != EINVAL ? 2 : 0;
}

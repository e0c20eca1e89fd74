#include "CVMSupport.h"

#include <dlfcn.h>
#include <stddef.h>

// The few functions of libbpf 1.x that loading takes (bpf/libbpf.h). Opened when it is first asked for: the machine that
// builds this needs no libbpf, and this program runs in a machine without one.
static struct {
  void *(*open)(const char *path, const void *options);
  int (*load)(void *object);
  void (*close)(void *object);
  const char *(*version)(void);
} libbpf;

static void *find(void *library, const char *name) { return library ? dlsym(library, name) : NULL; }

const char *vm_libbpf_version(void) {
  if (!libbpf.version) {
    void *library = dlopen("libbpf.so.1", RTLD_NOW);
    void *(*set_print)(void *) = (void *(*)(void *))find(library, "libbpf_set_print");
    if (!set_print) return NULL;
    // What it says about refusals would go to the console.
    set_print(NULL);
    libbpf.open = (void *(*)(const char *, const void *))find(library, "bpf_object__open_file");
    libbpf.load = (int (*)(void *))find(library, "bpf_object__load");
    libbpf.close = (void (*)(void *))find(library, "bpf_object__close");
    libbpf.version = (const char *(*)(void))find(library, "libbpf_version_string");
  }
  return libbpf.version && libbpf.open && libbpf.load && libbpf.close ? libbpf.version() : NULL;
}

int vm_libbpf_load(const char *path) {
  if (!vm_libbpf_version()) return -1;
  void *object = libbpf.open(path, NULL);
  if (!object) return 0;
  int result = libbpf.load(object);
  libbpf.close(object);
  return result == 0;
}

// A foreign library that is opened when the first of its functions is called: linked, it would cost every run its relocation.
#ifndef VERITY_BPF_LIBRARY_H
#define VERITY_BPF_LIBRARY_H

#include <dlfcn.h>
#include <stddef.h>
#include <stdio.h>

// A library in a note, as VB_LIBRARY_NOTE takes it. The texts have neither quotes nor backslashes in them.
#define VB_LIBRARY(soname, feature, description, priority)                                                        \
  "{\\\"soname\\\":[\\\"" soname "\\\"],\\\"feature\\\":\\\"" feature "\\\",\\\"description\\\":\\\"" description \
  "\\\",\\\"priority\\\":\\\"" priority "\\\"}"

// What packagers read in place of a DT_NEEDED entry: https://uapi-group.org/specifications/specs/elf_dlopen_metadata/
#define VB_LIBRARY_NOTE(libraries)                 \
  __asm__(".pushsection .note.dlopen, \"a\", %note\n" \
          ".balign 4\n"                            \
          ".long 2f - 1f\n"                        \
          ".long 4f - 3f\n"                        \
          ".long 0x407c0c0a\n"                     \
          "1: .asciz \"FDO\"\n"                    \
          "2: .balign 4\n"                         \
          "3: .asciz \"[" libraries "]\"\n"        \
          "4: .balign 4\n"                         \
          ".popsection\n")

// Why a library cannot be used, in the words of the dynamic loader; empty when it can.
typedef char vb_library_problem[256];

static inline void vb_library_failed(vb_library_problem problem) {
  const char *text = dlerror();
  snprintf(problem, sizeof(vb_library_problem), "%s", text ? text : "the dynamic loader does not say why");
}

// Opens a library; NULL with the reason in `problem`.
static inline void *vb_library_open(const char *soname, int flags, vb_library_problem problem) {
  void *library = dlopen(soname, RTLD_NOW | RTLD_LOCAL | flags);
  if (library == NULL) vb_library_failed(problem);
  return library;
}

// A function of an open library, as the caller's variable for it is declared; NULL with the reason in `problem`.
#define VB_LIBRARY_FIND(library, variable, name, problem)         \
  ((variable) = (__typeof__(variable))dlsym(library, name),       \
   (variable) == NULL ? (vb_library_failed(problem), 0) : 1)
#endif

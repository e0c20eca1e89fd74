#include "CLinuxShim.h"

#include <features.h>

static int argument_count;
static char **argument_words;

#ifdef __GLIBC__
// glibc hands the arguments of main to constructors too.
__attribute__((constructor)) static void keep(int count, char **words, char **environment) {
  (void)environment;
  argument_count = count;
  argument_words = words;
}
#endif

char *const *vb_arguments(int *count) {
  *count = argument_count;
  return argument_words;
}

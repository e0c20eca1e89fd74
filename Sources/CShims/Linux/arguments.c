#include "CLinuxShim.h"

#include <features.h>
#include <sys/prctl.h>

static int argument_count;
static char **argument_words;

#ifdef __GLIBC__
// glibc hands the arguments of main to constructors too.
__attribute__((constructor)) static void keep(int count, char **words, char **environment) {
  (void)environment;
  argument_count = count;
  argument_words = words;
}

// What is behind the standard library's `CommandLine`. The runtime's own two functions come with an initialiser that
// looks for the words on the stack, whose bounds it reads from /proc/self/maps at every start; linked statically, these
// take their place.
char **_swift_stdlib_getUnsafeArgvArgc(int *count) {
  *count = argument_count;
  return argument_words;
}

void _swift_stdlib_overrideUnsafeArgvArgc(char **words, int count) {
  argument_words = words;
  argument_count = count;
}
#endif

int vb_get_command(char name[16]) { return prctl(PR_GET_NAME, name, 0, 0, 0); }

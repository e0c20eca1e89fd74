#define _GNU_SOURCE
#include "CLinuxShim.h"

#include <sched.h>
#include <signal.h>

int vb_signal_is_ignored(int signal) {
  struct sigaction action;
  return sigaction(signal, NULL, &action) == 0 && action.sa_handler == SIG_IGN;
}

int vb_processor(void) { return sched_getcpu(); }

int vb_move_thread(int from, unsigned steps) {
  cpu_set_t allowed, one;
  // Fails on machines with more than CPU_SETSIZE processors: their threads stay where they are.
  if (from < 0 || sched_getaffinity(0, sizeof allowed, &allowed) != 0) return -1;
  unsigned count = (unsigned)CPU_COUNT(&allowed), before = 0, index = 0;
  for (int cpu = 0; cpu < from && cpu < CPU_SETSIZE; cpu++) before += CPU_ISSET(cpu, &allowed) != 0;
  unsigned wanted = count ? (before + steps) % count : 0;
  for (int cpu = 0; cpu < CPU_SETSIZE; cpu++) {
    if (!CPU_ISSET(cpu, &allowed) || index++ != wanted) continue;
    CPU_ZERO(&one);
    CPU_SET(cpu, &one);
    if (sched_setaffinity(0, sizeof one, &one) != 0) return -1;
    return sched_setaffinity(0, sizeof allowed, &allowed);
  }
  return -1;
}

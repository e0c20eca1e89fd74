#define _GNU_SOURCE
#include "CLinuxShim.h"

#include <linux/perf_event.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

int vb_perf_event_open(const struct vb_perf_event *event, int pid, int cpu) {
  struct perf_event_attr attributes = {
      .type = event->type,
      .size = sizeof attributes,
      .config = event->config,
      .config1 = event->config1,
      .config2 = event->config2,
      .freq = event->frequency != 0,
  };
  if (event->frequency != 0)
    attributes.sample_freq = event->frequency;
  else
    attributes.sample_period = event->period;
  return (int)syscall(SYS_perf_event_open, &attributes, pid, cpu, -1, PERF_FLAG_FD_CLOEXEC);
}

int vb_perf_event_enable(int fd) { return ioctl(fd, PERF_EVENT_IOC_ENABLE, 0); }

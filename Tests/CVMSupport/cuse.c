// A character device in user space (CUSE) that passes every question on to the device-mapper's control device, and adds a
// few words to the table of each verity device.
#define _GNU_SOURCE
#include "CVMSupport.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/dm-ioctl.h>
#include <linux/fuse.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#ifndef CUSE_INIT
#define CUSE_INIT 4096
#endif

static void reply(int fd, uint64_t unique, int error, const void *data, size_t size) {
  struct fuse_out_header header = {.len = (uint32_t)(sizeof(header) + size), .error = error, .unique = unique};
  struct iovec parts[2] = {{&header, sizeof(header)}, {(void *)data, size}};
  (void)!writev(fd, parts, size ? 2 : 1);
}

static void answer_ioctl(int fd, int real, const char *addition, struct fuse_in_header *header) {
  static char out[1 << 18];
  struct fuse_ioctl_in *in = (struct fuse_ioctl_in *)(header + 1);
  struct fuse_ioctl_out *result = (struct fuse_ioctl_out *)out;
  struct fuse_ioctl_iovec *vector = (struct fuse_ioctl_iovec *)(result + 1);
  memset(result, 0, sizeof(*result));
  // The first two rounds only say how much is to be copied, as the ioctl's number does not.
  if (in->in_size == 0) {
    result->flags = FUSE_IOCTL_RETRY;
    result->in_iovs = 1;
    vector[0] = (struct fuse_ioctl_iovec){.base = in->arg, .len = sizeof(struct dm_ioctl)};
    reply(fd, header->unique, 0, out, sizeof(*result) + sizeof(*vector));
    return;
  }
  if (in->out_size == 0) {
    uint64_t size = ((struct dm_ioctl *)(in + 1))->data_size;
    result->flags = FUSE_IOCTL_RETRY;
    result->in_iovs = result->out_iovs = 1;
    vector[0] = vector[1] = (struct fuse_ioctl_iovec){.base = in->arg, .len = size};
    reply(fd, header->unique, 0, out, sizeof(*result) + 2 * sizeof(*vector));
    return;
  }
  struct dm_ioctl *request = (struct dm_ioctl *)(result + 1);
  if (in->in_size > sizeof(out) / 2) {
    reply(fd, header->unique, -E2BIG, NULL, 0);
    return;
  }
  memcpy(request, in + 1, in->in_size);
  uint32_t flags = request->flags;
  if (ioctl(real, in->cmd, request) < 0) {
    result->result = -errno;
    reply(fd, header->unique, 0, out, sizeof(*result));
    return;
  }
  if (_IOC_NR(in->cmd) == DM_TABLE_STATUS_CMD && (flags & DM_STATUS_TABLE_FLAG)) {
    struct dm_target_spec *target = (struct dm_target_spec *)((char *)request + request->data_start);
    char *text = (char *)(target + 1);
    if (strcmp(target->target_type, "verity") == 0) {
      sprintf(text + strlen(text), " %s", addition);
      request->data_size = (uint32_t)(request->data_start + sizeof(*target) + strlen(text) + 1);
    }
  }
  reply(fd, header->unique, 0, out, sizeof(*result) + in->out_size);
}

static void serve(int fd, int real, const char *name, const char *addition) {
  static char buffer[1 << 20];
  for (;;) {
    ssize_t size = read(fd, buffer, sizeof(buffer));
    if (size < 0 && errno == EINTR) continue;
    if (size < (ssize_t)sizeof(struct fuse_in_header)) _exit(0);
    struct fuse_in_header *header = (struct fuse_in_header *)buffer;
    if (header->opcode == CUSE_INIT) {
      char out[256];
      struct cuse_init_out init = {
          .major = 7, .minor = 31, .flags = CUSE_UNRESTRICTED_IOCTL, .max_read = 131072, .max_write = 131072};
      memcpy(out, &init, sizeof(init));
      int length = snprintf(out + sizeof(init), sizeof(out) - sizeof(init), "DEVNAME=%s", name) + 1;
      reply(fd, header->unique, 0, out, sizeof(init) + (size_t)length);
    } else if (header->opcode == FUSE_OPEN) {
      struct fuse_open_out open = {0};
      reply(fd, header->unique, 0, &open, sizeof(open));
    } else if (header->opcode == FUSE_RELEASE || header->opcode == FUSE_FLUSH) {
      reply(fd, header->unique, 0, NULL, 0);
    } else if (header->opcode == FUSE_IOCTL) {
      answer_ioctl(fd, real, addition, header);
    } else if (header->opcode != FUSE_INTERRUPT) {
      reply(fd, header->unique, -ENOSYS, NULL, 0);
    }
  }
}

int vm_serve_control(const char *name, const char *addition) {
  int real = open("/dev/mapper/control", O_RDWR | O_CLOEXEC);
  int fd = open("/dev/cuse", O_RDWR | O_CLOEXEC);
  if (real < 0 || fd < 0) return -1;
  pid_t server = fork();
  if (server == 0) serve(fd, real, name, addition);
  close(real);
  close(fd);
  return server;
}

void vm_stop(int process) {
  kill(process, SIGKILL);
  waitpid(process, NULL, 0);
}

int vm_rename_mapped(const char *name, const char *other) {
  struct {
    struct dm_ioctl header;
    char name[DM_NAME_LEN];
  } request = {.header = {.version = {4, 0, 0}, .data_size = sizeof(request), .data_start = sizeof(struct dm_ioctl)}};
  strncpy(request.header.name, name, DM_NAME_LEN - 1);
  strncpy(request.name, other, DM_NAME_LEN - 1);
  int control = open("/dev/mapper/control", O_RDWR | O_CLOEXEC);
  if (control < 0) return -1;
  int result = ioctl(control, DM_DEV_RENAME, &request);
  close(control);
  return result;
}

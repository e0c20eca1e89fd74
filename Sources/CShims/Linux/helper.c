#define _GNU_SOURCE
#include "CLinuxHelper.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/close_range.h>
#include <poll.h>
#include <signal.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#ifndef P_PIDFD
#define P_PIDFD 3
#endif

// Above the three standard descriptors, which a caller may have closed.
static int make_pipe(int ends[2]) {
  int raw[2];
  if (pipe2(raw, O_CLOEXEC) != 0) return -1;
  for (int i = 0; i < 2; i++) ends[i] = fcntl(raw[i], F_DUPFD_CLOEXEC, 3);
  int error = errno;
  close(raw[0]);
  close(raw[1]);
  if (ends[0] >= 0 && ends[1] >= 0) return 0;
  for (int i = 0; i < 2; i++)
    if (ends[i] >= 0) close(ends[i]);
  errno = error;
  return -1;
}

int vb_helper_start(int executable, struct vb_helper *out) {
  int to[2], from[2];
  if (make_pipe(to) != 0) return -1;
  if (make_pipe(from) != 0) {
    int error = errno;
    close(to[0]);
    close(to[1]);
    errno = error;
    return -1;
  }
  char *const words[] = {"verity-bpf-link", NULL};
  char *const none[] = {NULL};
  // The child has this process's memory until it is another program: no handler of ours may run in it.
  sigset_t all, before, nothing;
  sigfillset(&all);
  sigemptyset(&nothing);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  volatile int failure = 0;
  pid_t pid = vfork();
  if (pid == 0) {
    // Of its own session: a signal from the terminal is for the loader, which ends it.
    setsid();
    if (dup2(to[0], 0) < 0 || dup2(from[1], 1) < 0 || close_range(2, UINT_MAX, CLOSE_RANGE_CLOEXEC) != 0) {
      failure = errno;
      _exit(127);
    }
    sigprocmask(SIG_SETMASK, &nothing, NULL);
    syscall(SYS_execveat, executable, "", words, none, AT_EMPTY_PATH);
    failure = errno;
    _exit(127);
  }
  int error = pid < 0 ? errno : failure;
  pthread_sigmask(SIG_SETMASK, &before, NULL);
  close(to[0]);
  close(from[1]);
  int process = -1;
  if (pid > 0) {
    process = (int)syscall(SYS_pidfd_open, pid, 0);
    if (process < 0 && error == 0) {
      error = errno;
      kill(pid, SIGKILL);
    }
    if (error != 0) {
      while (waitpid(pid, NULL, 0) < 0 && errno == EINTR) continue;
      if (process >= 0) close(process);
    }
  }
  if (error == 0 && (fcntl(to[1], F_SETFL, O_NONBLOCK) != 0 || fcntl(from[0], F_SETFL, O_NONBLOCK) != 0)) {
    error = errno;
    vb_helper_end(process);
    close(process);
  }
  if (error != 0) {
    close(to[1]);
    close(from[0]);
    errno = error;
    return -1;
  }
  *out = (struct vb_helper){.process = process, .to = to[1], .from = from[0]};
  return 0;
}

int vb_helper_end(int process) {
  syscall(SYS_pidfd_send_signal, process, SIGKILL, NULL, 0);
  siginfo_t info = {0};
  while (waitid(P_PIDFD, (id_t)process, &info, WEXITED) != 0) {
    // Where the process ignores SIGCHLD, nothing is left to wait for.
    if (errno != EINTR) return 0;
  }
  return info.si_code == CLD_EXITED ? 0 : info.si_status;
}

int64_t vb_write_quietly(int fd, const void *bytes, size_t count) {
  sigset_t pipe, before, pending;
  sigemptyset(&pipe);
  sigaddset(&pipe, SIGPIPE);
  sigpending(&pending);
  int had = sigismember(&pending, SIGPIPE);
  pthread_sigmask(SIG_BLOCK, &pipe, &before);
  int64_t wrote = write(fd, bytes, count);
  int error = errno;
  // The signal of this call, and none that was waiting before.
  if (wrote < 0 && error == EPIPE && had != 1) {
    struct timespec now = {0, 0};
    while (sigtimedwait(&pipe, NULL, &now) < 0 && errno == EINTR) continue;
  }
  pthread_sigmask(SIG_SETMASK, &before, NULL);
  errno = error;
  return wrote;
}

int vb_poll_writable(int fd, int milliseconds) {
  struct pollfd poll_fd = {.fd = fd, .events = POLLOUT};
  return poll(&poll_fd, 1, milliseconds);
}

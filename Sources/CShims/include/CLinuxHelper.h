// A process that works for this one and may do nothing else: starting it, and what it gives up before it begins.
#ifndef VERITY_BPF_CLINUXHELPER_H
#define VERITY_BPF_CLINUXHELPER_H
#include <stddef.h>
#include <stdint.h>

/// A helper that was started: its pidfd, the pipe to its standard input and the one from its standard output, both without
/// waiting (O_NONBLOCK).
struct vb_helper {
  int process, to, from;
};
/// Starts the executable that is open as `executable`, without arguments or environment, in a session of its own, with two
/// pipes and no other descriptor of ours. Returns 0, or -1 with errno.
int vb_helper_start(int executable, struct vb_helper *out);
/// Kills it, if it is still there, and takes its end. Returns the signal that ended it, or 0 when it ended by itself.
int vb_helper_end(int process);
/// write(2) that raises no SIGPIPE.
int64_t vb_write_quietly(int fd, const void *bytes, size_t count);
/// poll(2) for POLLOUT: 1 when there is space, or when nothing reads any more; 0 when the time is over; -1 with errno.
int vb_poll_writable(int fd, int milliseconds);

/// What `vb_sandbox_enter` was about when it failed.
enum vb_sandbox_step {
  VB_SANDBOX_PIPES = 1,
  VB_SANDBOX_DESCRIPTORS,
  VB_SANDBOX_PRIVILEGES,
  VB_SANDBOX_FILES,
  VB_SANDBOX_LIMITS,
  VB_SANDBOX_CALLS,
};
/// Gives up all that a process has but its standard input and output, which have to be pipes, memory, and the system
/// calls that they take. Every other call ends the process from then on (SIGSYS). Returns 0, or the step that failed, with
/// errno.
int vb_sandbox_enter(void);
#endif

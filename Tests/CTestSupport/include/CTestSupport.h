// What tests need of the C library that Swift does not see.
#ifndef VERITY_BPF_CTESTSUPPORT_H
#define VERITY_BPF_CTESTSUPPORT_H

/// pipe2(2) with O_CLOEXEC. Returns 0, or -1 with errno.
int ts_pipe(int ends[2]);
#endif

// What tests need of the C library that Swift does not see.
#ifndef VERITY_BPF_CTESTSUPPORT_H
#define VERITY_BPF_CTESTSUPPORT_H

/// pipe2(2) with O_CLOEXEC. Returns 0, or -1 with errno.
int ts_pipe(int ends[2]);

/// The system call with that number in the table of those that are tried in the sandbox, and whether it is one of those
/// that the sandbox leaves; NULL behind the last.
const char *ts_sandbox_call(int index, int *is_needed);

/// Enters the sandbox in a child of its own, with pipes for standard input and output and descriptor 7 open beside them, and
/// makes the call there. Returns the child's status as waitpid(2) has it: its exit code is 0 when the call was answered
/// without an error, 1 with one, and 100 and more when the sandbox was not entered; a signal ends a child that makes a call
/// which it may not. -1 when there is no child.
int ts_call_in_sandbox(int index);
#endif

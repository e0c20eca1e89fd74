// A program that loads through a pointer to a kernel structure, which no lockdown mode forbids: what its author promises
// is all that can keep it out (Tests/VMTests/PromiseCases.swift).
#include "programs.h"
#include "../../include/verity_bpf.h"

struct file {
  unsigned int f_flags;
} CORE;

volatile unsigned int seen;

ONE("fentry/vfs_read", const struct file *file = (void *)((__u64 *)context)[0]; seen = file->f_flags;)

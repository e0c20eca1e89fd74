/* SPDX-License-Identifier: Apache-2.0 */
/* What a BPF program may do under kernel lockdown, and what it reads, said by its author in the source (docs/analysis.md).
 *
 *   #include "verity_bpf.h"
 *   VERITY_BPF_MAY(count_packets, confidentiality, "nothing");
 *   VERITY_BPF_MAY(trace_exec, integrity, "read-kernel-pointers sleep probe");
 *   VERITY_BPF_READS(trace_exec, "struct task_struct: pid, comm; struct linux_binprm: filename");
 *
 * A loader that knows the section holds its own analysis of the instructions against it, and refuses the object where
 * they do more. libbpf and bpftool pass it over.
 */
#ifndef VERITY_BPF_H
#define VERITY_BPF_H

#define VERITY_BPF_MAY(program, mode, words)                                                       \
  static const char __verity_bpf_##program##_##mode[] __attribute__((section(".verity_bpf"), used)) = \
      #program " " #mode ": " words "\n"

/* What a program reads of the kernel's memory, and nothing else: fields of kernel structures, or "nothing". A field stands
 * for what is inside it. Each read has to have a CO-RE record (preserve_access_index, BPF_CORE_READ), which names it. */
#define VERITY_BPF_READS(program, fields)                                                  \
  static const char __verity_bpf_##program##_reads[] __attribute__((section(".verity_bpf"), used)) = \
      #program " reads: " fields "\n"

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* What a BPF program may do under kernel lockdown, said by its author in the source (docs/analysis.md).
 *
 *   #include "verity_bpf.h"
 *   VERITY_BPF_MAY(count_packets, confidentiality, "nothing");
 *   VERITY_BPF_MAY(trace_exec, integrity, "read-kernel-pointers sleep");
 *
 * A loader that knows the section holds its own analysis of the instructions against it, and refuses the object where
 * they do more. libbpf and bpftool pass it over.
 */
#ifndef VERITY_BPF_H
#define VERITY_BPF_H

#define VERITY_BPF_MAY(program, mode, words)                                                       \
  static const char __verity_bpf_##program##_##mode[] __attribute__((section(".verity_bpf"), used)) = \
      #program " " #mode ": " words "\n"

#endif

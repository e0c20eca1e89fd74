// The attributes of bpf(2) (union bpf_attr, include/uapi/linux/bpf.h), one structure a command.
//
// They are our own because the distribution's header is older than the kernels we run on. Each ends at the last field
// that is used: the kernel refuses with E2BIG only what it does not know and is not zero. bpf.c checks every offset.
#ifndef VERITY_BPF_CLINUXBPF_H
#define VERITY_BPF_CLINUXBPF_H
#include <stdint.h>

/// BPF_MAP_CREATE up to map_extra (5.16).
struct vb_bpf_map_create {
  uint32_t map_type, key_size, value_size, max_entries, map_flags;
  uint32_t inner_map_fd, numa_node;
  char map_name[16];
  uint32_t map_ifindex, btf_fd, btf_key_type_id, btf_value_type_id, btf_vmlinux_value_type_id;
  uint64_t map_extra;
  uint32_t value_type_btf_obj_fd, map_token_fd;
  uint64_t excl_prog_hash;
  uint32_t excl_prog_hash_size, padding;
};

/// BPF_MAP_*_ELEM, BPF_MAP_GET_NEXT_KEY, BPF_MAP_FREEZE.
struct vb_bpf_map_element {
  uint32_t map_fd, padding;
  uint64_t key;
  uint64_t value_or_next_key;
  uint64_t flags;
};

/// BPF_PROG_LOAD up to keyring_id (6.18). A kernel takes the fields that it does not know as long as they are zero, and
/// leaves log_true_size (6.4) alone when it is older.
struct vb_bpf_prog_load {
  uint32_t prog_type, insn_cnt;
  uint64_t insns, license;
  uint32_t log_level, log_size;
  uint64_t log_buf;
  uint32_t kern_version, prog_flags;
  char prog_name[16];
  uint32_t prog_ifindex, expected_attach_type;
  uint32_t prog_btf_fd, func_info_rec_size;
  uint64_t func_info;
  uint32_t func_info_cnt, line_info_rec_size;
  uint64_t line_info;
  uint32_t line_info_cnt, attach_btf_id, attach_btf_obj_fd, core_relo_cnt;
  uint64_t fd_array, core_relos;
  uint32_t core_relo_rec_size, log_true_size;
  uint32_t prog_token_fd, fd_array_cnt;
  uint64_t signature;
  uint32_t signature_size;
  int32_t keyring_id;
};

/// BPF_BTF_LOAD up to btf_log_level (4.18).
struct vb_bpf_btf_load {
  uint64_t btf, btf_log_buf;
  uint32_t btf_size, btf_log_size, btf_log_level, padding;
};

/// BPF_OBJ_PIN, BPF_OBJ_GET.
struct vb_bpf_obj {
  uint64_t pathname;
  uint32_t bpf_fd, file_flags;
};

/// BPF_OBJ_GET_INFO_BY_FD.
struct vb_bpf_obj_info {
  uint32_t bpf_fd, info_len;
  uint64_t info;
};

/// BPF_*_GET_NEXT_ID, BPF_*_GET_FD_BY_ID.
struct vb_bpf_id {
  uint32_t id, next_id, open_flags;
};

/// BPF_PROG_TEST_RUN (BPF_PROG_RUN).
struct vb_bpf_test_run {
  uint32_t prog_fd, retval, data_size_in, data_size_out;
  uint64_t data_in, data_out;
  uint32_t repeat, duration, ctx_size_in, ctx_size_out;
  uint64_t ctx_in, ctx_out;
  uint32_t flags, cpu, batch_size, padding;
};

/// BPF_RAW_TRACEPOINT_OPEN.
struct vb_bpf_raw_tracepoint {
  uint64_t name;
  uint32_t prog_fd, padding;
};

/// BPF_LINK_CREATE without the parts that depend on the attach type.
struct vb_bpf_link_create {
  uint32_t prog_fd, target_fd_or_ifindex, attach_type, flags;
  uint64_t reserved[4];
};

/// BPF_LINK_CREATE of BPF_PERF_EVENT (5.15).
struct vb_bpf_link_perf_event {
  uint32_t prog_fd, target_fd, attach_type, flags;
  uint64_t bpf_cookie;
};

/// BPF_LINK_CREATE of BPF_TRACE_KPROBE_MULTI (5.18) and BPF_TRACE_KPROBE_SESSION (6.10).
struct vb_bpf_link_kprobe_multi {
  uint32_t prog_fd, target_fd, attach_type, flags;
  uint32_t probe_flags, cnt;
  uint64_t syms, addrs, cookies;
};

/// BPF_LINK_CREATE of BPF_TRACE_UPROBE_MULTI (6.6) and BPF_TRACE_UPROBE_SESSION (6.13).
struct vb_bpf_link_uprobe_multi {
  uint32_t prog_fd, target_fd, attach_type, flags;
  uint64_t path, offsets, ref_ctr_offsets, cookies;
  uint32_t cnt, probe_flags, pid, padding;
};

/// BPF_LINK_CREATE of BPF_NETFILTER (6.4).
struct vb_bpf_link_netfilter {
  uint32_t prog_fd, target_fd, attach_type, flags;
  uint32_t pf, hooknum;
  int32_t priority;
  uint32_t hook_flags;
};

/// BPF_LINK_UPDATE (5.7; with maps in the places of programs 6.3).
struct vb_bpf_link_update {
  uint32_t link_fd, new_fd, flags, old_fd;
};

/// BPF_ITER_CREATE.
struct vb_bpf_iter_create {
  uint32_t link_fd, flags;
};

/// The first part of struct bpf_prog_info, up to attach_btf_id (6.0), which an older kernel leaves at zero.
struct vb_bpf_prog_info {
  uint32_t type, id;
  uint8_t tag[8];
  uint32_t jited_prog_len, xlated_prog_len;
  uint64_t jited_prog_insns, xlated_prog_insns, load_time;
  uint32_t created_by_uid, nr_map_ids;
  uint64_t map_ids;
  char name[16];
  uint32_t ifindex, flags;
  uint64_t netns_dev, netns_ino;
  uint32_t nr_jited_ksyms, nr_jited_func_lens;
  uint64_t jited_ksyms, jited_func_lens;
  uint32_t btf_id, func_info_rec_size;
  uint64_t func_info;
  uint32_t nr_func_info, nr_line_info;
  uint64_t line_info, jited_line_info;
  uint32_t nr_jited_line_info, line_info_rec_size, jited_line_info_rec_size, nr_prog_tags;
  uint64_t prog_tags, run_time_ns, run_cnt, recursion_misses;
  uint32_t verified_insns, attach_btf_obj_id, attach_btf_id, padding;
};

/// struct bpf_btf_info (5.11).
struct vb_bpf_btf_info {
  uint64_t btf;
  uint32_t btf_size, id;
  uint64_t name;
  uint32_t name_len, kernel_btf;
};

/// The first part of struct bpf_map_info, up to map_extra (5.16), which an older kernel leaves at zero.
struct vb_bpf_map_info {
  uint32_t type, id, key_size, value_size, max_entries, map_flags;
  char name[16];
  uint32_t ifindex, btf_vmlinux_value_type_id;
  uint64_t netns_dev, netns_ino;
  uint32_t btf_id, btf_key_type_id, btf_value_type_id, btf_vmlinux_id;
  uint64_t map_extra;
};

/// The first part of struct bpf_link_info. What the words mean depends on the type.
struct vb_bpf_link_info {
  uint32_t type, id, prog_id, padding;
  uint32_t words[4];
};
#endif

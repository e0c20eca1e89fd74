#define _GNU_SOURCE
#include "CLinuxShim.h"

#include <poll.h>
#include <stddef.h>
#include <sys/syscall.h>
#include <unistd.h>

int vb_bpf(unsigned command, void *attributes, unsigned size) {
  return (int)syscall(SYS_bpf, command, attributes, size);
}

#define AT(type, field, offset) _Static_assert(offsetof(struct type, field) == (offset), #type "." #field)
#define SIZE(type, size) _Static_assert(sizeof(struct type) == (size), #type)

AT(vb_bpf_map_create, inner_map_fd, 20);
AT(vb_bpf_map_create, map_name, 28);
AT(vb_bpf_map_create, btf_fd, 48);
AT(vb_bpf_map_create, btf_value_type_id, 56);
AT(vb_bpf_map_create, map_extra, 64);
AT(vb_bpf_map_create, excl_prog_hash, 80);
AT(vb_bpf_map_create, excl_prog_hash_size, 88);
SIZE(vb_bpf_map_create, 96);

AT(vb_bpf_map_element, key, 8);
AT(vb_bpf_map_element, value_or_next_key, 16);
AT(vb_bpf_map_element, flags, 24);

AT(vb_bpf_prog_load, insns, 8);
AT(vb_bpf_prog_load, license, 16);
AT(vb_bpf_prog_load, log_level, 24);
AT(vb_bpf_prog_load, log_buf, 32);
AT(vb_bpf_prog_load, prog_flags, 44);
AT(vb_bpf_prog_load, prog_name, 48);
AT(vb_bpf_prog_load, expected_attach_type, 68);
AT(vb_bpf_prog_load, prog_btf_fd, 72);
AT(vb_bpf_prog_load, func_info, 80);
AT(vb_bpf_prog_load, func_info_cnt, 88);
AT(vb_bpf_prog_load, line_info_rec_size, 92);
AT(vb_bpf_prog_load, line_info, 96);
AT(vb_bpf_prog_load, line_info_cnt, 104);
AT(vb_bpf_prog_load, attach_btf_id, 108);
AT(vb_bpf_prog_load, attach_btf_obj_fd, 112);
AT(vb_bpf_prog_load, core_relo_cnt, 116);
AT(vb_bpf_prog_load, fd_array, 120);
AT(vb_bpf_prog_load, core_relos, 128);
AT(vb_bpf_prog_load, core_relo_rec_size, 136);
AT(vb_bpf_prog_load, log_true_size, 140);
AT(vb_bpf_prog_load, fd_array_cnt, 148);
AT(vb_bpf_prog_load, signature, 152);
AT(vb_bpf_prog_load, signature_size, 160);
AT(vb_bpf_prog_load, keyring_id, 164);
SIZE(vb_bpf_prog_load, 168);

AT(vb_bpf_btf_load, btf_log_buf, 8);
AT(vb_bpf_btf_load, btf_size, 16);
AT(vb_bpf_btf_load, btf_log_level, 24);

AT(vb_bpf_obj, bpf_fd, 8);
AT(vb_bpf_obj, file_flags, 12);

AT(vb_bpf_obj_info, info, 8);

AT(vb_bpf_test_run, retval, 4);
AT(vb_bpf_test_run, data_in, 16);
AT(vb_bpf_test_run, data_out, 24);
AT(vb_bpf_test_run, repeat, 32);
AT(vb_bpf_test_run, ctx_size_in, 40);
AT(vb_bpf_test_run, ctx_in, 48);
AT(vb_bpf_test_run, ctx_out, 56);
AT(vb_bpf_test_run, flags, 64);

AT(vb_bpf_raw_tracepoint, prog_fd, 8);

AT(vb_bpf_link_create, attach_type, 8);
AT(vb_bpf_link_create, flags, 12);
AT(vb_bpf_link_create, reserved, 16);

AT(vb_bpf_link_update, flags, 8);
AT(vb_bpf_link_update, old_fd, 12);
AT(vb_bpf_link_perf_event, bpf_cookie, 16);
AT(vb_bpf_link_kprobe_multi, probe_flags, 16);
AT(vb_bpf_link_kprobe_multi, syms, 24);
AT(vb_bpf_link_uprobe_multi, path, 16);
AT(vb_bpf_link_uprobe_multi, cnt, 48);
AT(vb_bpf_link_uprobe_multi, pid, 56);
AT(vb_bpf_link_netfilter, pf, 16);
AT(vb_bpf_link_netfilter, priority, 24);

AT(vb_bpf_prog_info, tag, 8);
AT(vb_bpf_prog_info, jited_prog_insns, 24);
AT(vb_bpf_prog_info, xlated_prog_insns, 32);
AT(vb_bpf_prog_info, load_time, 40);
AT(vb_bpf_prog_info, created_by_uid, 48);
AT(vb_bpf_prog_info, nr_map_ids, 52);
AT(vb_bpf_prog_info, map_ids, 56);
AT(vb_bpf_prog_info, name, 64);
AT(vb_bpf_prog_info, btf_id, 128);
AT(vb_bpf_prog_info, func_info, 136);
AT(vb_bpf_prog_info, nr_func_info, 144);
AT(vb_bpf_prog_info, prog_tags, 184);
AT(vb_bpf_prog_info, recursion_misses, 208);
AT(vb_bpf_prog_info, verified_insns, 216);
AT(vb_bpf_prog_info, attach_btf_obj_id, 220);
AT(vb_bpf_prog_info, attach_btf_id, 224);
SIZE(vb_bpf_prog_info, 232);

AT(vb_bpf_btf_info, name, 16);
SIZE(vb_bpf_btf_info, 32);

AT(vb_bpf_map_info, name, 24);
AT(vb_bpf_map_info, btf_vmlinux_value_type_id, 44);
AT(vb_bpf_map_info, btf_id, 64);
AT(vb_bpf_map_info, map_extra, 80);
SIZE(vb_bpf_map_info, 88);

AT(vb_bpf_link_info, prog_id, 8);
AT(vb_bpf_link_info, words, 16);
SIZE(vb_bpf_link_info, 32);

uint64_t vb_load_acquire_64(const void *place) { return __atomic_load_n((const uint64_t *)place, __ATOMIC_ACQUIRE); }

uint32_t vb_load_acquire_32(const void *place) { return __atomic_load_n((const uint32_t *)place, __ATOMIC_ACQUIRE); }

void vb_store_release_64(void *place, uint64_t value) { __atomic_store_n((uint64_t *)place, value, __ATOMIC_RELEASE); }

int vb_poll_readable(int fd, int milliseconds) {
  struct pollfd entry = {.fd = fd, .events = POLLIN};
  return poll(&entry, 1, milliseconds);
}

// The decision about a load: when the instructions are submitted, and again when the kernel has applied CO-RE to them.
#ifndef GATE_LOAD_H
#define GATE_LOAD_H

#include "maps.h"

#define BPF_CALL_CODE 0x85
#define BPF_CALL_BY_REGISTER_CODE 0x8d
#define BPF_LD_IMM64_CODE 0x18
#define BPF_PSEUDO_BTF_ID 3
#define BPF_PSEUDO_LAST 6  // the highest of the pseudo sources that this program knows
#define BPF_PSEUDO_CALL 1

// Whether instructions call nothing but helpers that a row lists.
__noinline int gate_calls_are_listed(__u64 address, __u32 count, struct gate_calls *calls) {
  if (!calls) return 0;
  if (calls->flags & GATE_EVERY_CALL) return 1;
  int listed = 1;
  struct bpf_iter_num iterator;
  bpf_iter_num_new(&iterator, 0, count);
  for (int *turn; (turn = bpf_iter_num_next(&iterator));) {
    __u64 place = *(__u32 *)turn;
    __u64 instruction = kernel_u64(address + (place << 3));
    __u32 code = instruction & 0xff;
    __u32 source = instruction >> 12 & 0xf;
    __u32 immediate = instruction >> 32;
    bool good = true;
    if (code == BPF_CALL_CODE) {
      if (source == 0) {
        good = false;
        if (immediate < 256) good = calls->helpers[(immediate >> 5) & 7] >> (immediate & 31) & 1;
      } else {
        // The kernel's own functions, and whatever calls there will be.
        good = source == BPF_PSEUDO_CALL;
      }
    } else if (code == BPF_CALL_BY_REGISTER_CODE) {
      good = false;
    } else if (code == BPF_LD_IMM64_CODE) {
      // The address of a variable of the kernel's.
      good = source != BPF_PSEUDO_BTF_ID && source <= BPF_PSEUDO_LAST;
    }
    if (!good) {
      listed = 0;
      break;
    }
  }
  bpf_iter_num_destroy(&iterator);
  return listed;
}

// The row of a scope that admits instructions, or -1. `key` has scope, type and attach type.
__noinline int gate_scope_row(struct gate_scope *key, __u64 address, __u32 count) {
  if (!key) return -1;
  struct gate_scope asked = *key;
  for (int width = 0; width < 3; width++) {
    if (width >= 1) asked.attach_type = GATE_ANY;
    if (width >= 2) asked.type = GATE_ANY;
    for (int alternative = 0; alternative < GATE_ALTERNATIVES; alternative++) {
      asked.alternative = alternative;
      struct gate_calls *calls = bpf_map_lookup_elem(&gate_scopes, &asked);
      if (!calls) break;
      if (gate_calls_are_listed(address, count, calls)) return calls->row & 0x7fffffff;
    }
  }
  return -1;
}

// What a program is attached to, as far as rows can say it: a number in the BTF of vmlinux, 0 for none, ~0 for what is in a
// module or in another program.
static __always_inline __u32 gate_attach_target(struct bpf_prog_aux *aux) {
  __u32 id = aux->attach_btf_id;
  if (!id) return 0;
  struct btf *btf = aux->attach_btf;
  if (aux->dst_prog || !btf || !btf->kernel_btf || btf->base_btf) return ~0U;
  return id;
}

static __always_inline bool gate_is_return_modifier(struct bpf_prog *program) {
  return (__u32)program->type == BPF_PROG_TYPE_TRACING && (__u32)program->expected_attach_type == BPF_MODIFY_RETURN;
}

// What the gate says to a load that it would refuse.
static __always_inline __u32 gate_verdict(const struct gate_state *state, __u32 reason) {
  if (reason < GATE_NO_EXECUTABLE) return GATE_PASSED_LOAD;
  return state && state->mode == GATE_WATCH ? GATE_WOULD_REFUSE : GATE_REFUSED_LOAD;
}

SEC("lsm/bpf_prog_load")
long gate_load(__u64 *context) {
  __u64 address = 0, attributes = 0;
  bpf_get_func_arg(context, 0, &address);
  bpf_get_func_arg(context, 1, &attributes);
  struct bpf_prog *program = kernel_struct(struct bpf_prog, address);
  union bpf_attr *submitted = bpf_rdonly_cast((const void *)attributes, kernel_type_id(union bpf_attr));
  struct bpf_prog_aux *aux = program->aux;
  __u64 instructions = address + core_field_offset(((struct bpf_prog___instructions *)0)->insnsi);
  __u32 count = program->len;
  __u32 row = ~0U;
  __u32 reason = 0;
  __u32 rights = 0;

  struct gate_state *state = gate_settings();
  struct task_struct *current = bpf_get_current_task_btf();
  struct gate_task *task = bpf_task_storage_get(&gate_tasks, current, NULL, BPF_LOCAL_STORAGE_GET_F_CREATE);
  if (!task) {
    reason = GATE_NO_MEMORY;
    goto decided;
  }
  task->judged = 0;
  task->digest.type = program->type;
  task->digest.attach_type = program->expected_attach_type;
  task->digest.core_relos = submitted->core_relo_cnt;
  task->digest.attach_btf_id = gate_attach_target(aux);
  task->digest.alternative = 0;
  task->scope.type = task->digest.type;
  task->scope.attach_type = task->digest.attach_type;

  struct bpf_prog *target = aux->dst_prog;
  if (!state || state->version != GATE_VERSION) {
    reason = GATE_STATE_UNKNOWN;
  } else if (gate_is_return_modifier(program)) {
    // It would undo the answers of the kernel's security functions, this gate's among them.
    reason = GATE_RETURN_MODIFIER;
  } else if (target && gate_is_own(GATE_PART_PROGRAM, target->aux->id)) {
    reason = GATE_OWN_PROGRAM;
  } else {
    task->scope.scope = 0;
    int found = gate_scope_row(&task->scope, instructions, count);
    if (found >= 0) {
      row = found;
      reason = GATE_BY_CLASS;
    } else {
      struct gate_right *right = gate_right_of(gate_executable_of(current), &reason);
      if (right && kernel_struct(struct task_struct, current)->ptrace) {
        reason = GATE_TRACED;
      } else if (right) {
        rights = right->rights;
        if (rights & GATE_JUDGING) {
          reason = GATE_BY_JUDGE;
        } else if (rights & GATE_SCOPE) {
          task->scope.scope = right->scope;
          found = gate_scope_row(&task->scope, instructions, count);
          if (found >= 0 && task->scope.scope) {
            row = found;
            reason = GATE_BY_SCOPE;
          } else if (!(rights & GATE_LISTED)) {
            reason = GATE_OUTSIDE_SCOPE;
          }
        } else if (!(rights & GATE_LISTED)) {
          reason = GATE_UNKNOWN_EXECUTABLE;
        }
      }
    }
  }

  // The digest decides, or says in the event what was refused, or what a process made at run time.
  if (reason == 0 || reason == GATE_BY_SCOPE || reason >= GATE_NO_EXECUTABLE) {
    sha256(&task->hash, instructions, (__u64)count << 3);
    for (int i = 0; i < 8; i++) ((__u32 *)task->digest.sha256)[i] = task->hash.state[i];
  }
  if (reason == 0) {
    struct gate_relocated *relocated = bpf_map_lookup_elem(&gate_digests, &task->digest);
    if (!relocated) {
      reason = GATE_UNKNOWN_INSTRUCTIONS;
    } else {
      row = relocated->row;
      reason = GATE_BY_DIGEST;
      if (relocated->flags & (GATE_AFTER_CORE | GATE_BTF)) {
        // What CO-RE makes of them is seen when the program gets its descriptor.
        __u64 key = kernel_address(program->aux);
        __u32 one = 1;
        if (bpf_map_update_elem(&gate_pending, &key, &one, BPF_ANY) != 0)
          reason = GATE_NO_MEMORY;
        else
          task->judged = key;
      }
    }
  }

decided:;
  __u32 verdict = gate_verdict(state, reason);
  struct gate_event *event = gate_event_of(GATE_HOOK_LOAD, reason, verdict);
  if (event) {
    event->type = program->type;
    event->attach_type = program->expected_attach_type;
    event->attach_btf_id = aux->attach_btf_id;
    event->core_relos = submitted->core_relo_cnt;
    event->instructions = count;
    event->row = row;
    if (task && (reason == GATE_BY_DIGEST || reason == GATE_BY_SCOPE || reason >= GATE_NO_EXECUTABLE))
      for (int i = 0; i < 4; i++) ((__u64 *)event->sha256)[i] = ((const __u64 *)task->digest.sha256)[i];
    bpf_ringbuf_submit(event, 0);
  }
  return verdict == GATE_REFUSED_LOAD ? gate_refusal() : 0;
}

// Whether the kernel made of a program what a row says. Returns 0, or the reason.
static __always_inline __u32 gate_relocation(struct gate_task *task, __u64 program, struct bpf_prog_aux *aux) {
  __u64 after[4] = {};
  bool is_digest = core_field_exists(((struct bpf_prog___digest *)0)->digest);
  if (is_digest) {
    __u64 place = program + core_field_offset(((struct bpf_prog___digest *)0)->digest);
    for (int i = 0; i < 4; i++) after[i] = kernel_u64(place + 8 * i);
  } else {
    after[0] = kernel_u64(program + core_field_offset(((struct bpf_prog *)0)->tag));
  }
  // Whatever the rows ask for, one digest of the types is enough.
  struct btf *btf = aux->btf;
  if (btf) {
    sha256(&task->hash, kernel_address(btf->data), btf->data_size);
  } else {
    for (int i = 0; i < 8; i++) task->hash.state[i] = 0;
  }
  __u32 reason = GATE_UNKNOWN_INSTRUCTIONS;
  for (int alternative = 0; alternative < GATE_ALTERNATIVES; alternative++) {
    task->digest.alternative = alternative;
    struct gate_relocated *row = bpf_map_lookup_elem(&gate_digests, &task->digest);
    if (!row) break;
    const __u64 *expected = (const __u64 *)row->after_core;
    if (row->flags & GATE_AFTER_CORE) {
      bool is_tag = row->flags & GATE_TAG;
      if (is_digest && is_tag) reason = GATE_OTHER_RELOCATION;
      if (is_digest == is_tag || after[0] != expected[0] ||
          (is_digest && (after[1] != expected[1] || after[2] != expected[2] || after[3] != expected[3]))) {
        reason = GATE_OTHER_RELOCATION;
        continue;
      }
    }
    if (row->flags & GATE_BTF) {
      __u64 other = 0;
      for (int i = 0; i < 4; i++) other |= ((const __u64 *)row->btf)[i] ^ ((const __u64 *)task->hash.state)[i];
      if (other) {
        reason = GATE_OTHER_TYPES;
        continue;
      }
    }
    return 0;
  }
  return reason;
}

// Every way to a descriptor of a program: the end of its load, by its id, by its pin.
SEC("lsm/bpf_prog")
long gate_program(__u64 *context) {
  __u64 address = 0;
  bpf_get_func_arg(context, 0, &address);
  struct bpf_prog *program = kernel_struct(struct bpf_prog, address);
  struct bpf_prog_aux *aux = program->aux;
  struct gate_state *state = gate_settings();
  __u64 key = kernel_address(program->aux);
  __u32 reason = 0;
  if (!state) return gate_refusal();
  if (state->sealed && gate_is_own(GATE_PART_PROGRAM, aux->id)) {
    reason = GATE_OWN_PART;
  } else if (gate_is_return_modifier(program)) {
    reason = GATE_RETURN_MODIFIER;
  } else if (bpf_map_lookup_elem(&gate_pending, &key)) {
    struct gate_task *task = bpf_task_storage_get(&gate_tasks, bpf_get_current_task_btf(), NULL, 0);
    if (!task || task->judged != key) {
      // It has an id already, and somebody else asks by it.
      reason = GATE_STILL_JUDGED;
    } else {
      reason = gate_relocation(task, address, aux);
      // A refused one stays in the map, so that nobody gets it until it is gone.
      if (!reason || state->mode == GATE_WATCH) {
        task->judged = 0;
        bpf_map_delete_elem(&gate_pending, &key);
      }
    }
  }
  if (!reason) return 0;
  __u32 verdict = gate_verdict(state, reason);
  struct gate_event *event = gate_event_of(GATE_HOOK_PROGRAM, reason, verdict);
  if (event) {
    event->type = program->type;
    event->attach_type = program->expected_attach_type;
    event->attach_btf_id = aux->attach_btf_id;
    event->instructions = aux->id;
    bpf_ringbuf_submit(event, 0);
  }
  return verdict == GATE_REFUSED_LOAD ? gate_refusal() : 0;
}

SEC("lsm/bpf_prog_free")
int gate_program_freed(__u64 *context) {
  __u64 address = 0;
  bpf_get_func_arg(context, 0, &address);
  __u64 key = kernel_address(kernel_struct(struct bpf_prog, address)->aux);
  bpf_map_delete_elem(&gate_pending, &key);
  return 0;
}

#endif

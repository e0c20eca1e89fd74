/// What a program reads of the kernel's memory at most; see docs/analysis.md.
public enum ReadScope: String, Sendable, CaseIterable {
  /// Nothing.
  case none
  /// Fields that its author has declared, each by name, and nothing else.
  case declared
  /// Nobody said what.
  case undeclared
}

/// A place where a program reads kernel memory, or may, and its author has not declared what.
public struct UndeclaredRead: Equatable, Sendable {
  /// Index of the instruction in the linked program.
  public let instruction: Int
  /// What is read, by its CO-RE record: where something is declared, a field that is proven and not among that.
  public let subject: String?
  /// In words, for people.
  public let reason: String

  /// Holds all that a program can read against a declaration. What has no name here is declared by nobody.
  ///
  /// - Parameters:
  ///   - named: the fields that ``RecordFlow`` proves, by instruction.
  ///   - flow: run already.
  ///   - kernelFunctions: the instructions that call functions of the kernel.
  static func all(
    reads: [KernelRead], named: [Int: String], helpers: [HelperUse], flow: PointerFlow, kernelFunctions: [Int],
    declaration: ReadDeclaration?
  ) -> [UndeclaredRead] {
    var found: [UndeclaredRead] = []
    for read in reads {
      let place = read.instruction
      // Without a declaration nothing had to be proven; the record's name is good enough for people.
      if let subject = declaration == nil ? read.subject : named[place] {
        if declaration?.covers(subject) != true {
          found.append(UndeclaredRead(instruction: place, subject: subject, reason: "reads \(subject)"))
        }
      } else if case .helper(let helper) = read.means {
        found.append(
          UndeclaredRead(instruction: place, subject: nil, reason: "has \(helper.label) copy what no record names"))
      } else {
        found.append(UndeclaredRead(instruction: place, subject: nil, reason: "loads what no record names"))
      }
    }
    for helper in helpers where !KernelRead.copyingHelpers.contains(helper.id) {
      let known = helper.name.flatMap(QuietHelper.named)
      for place in helper.instructions {
        guard let quiet = known else {
          found.append(
            UndeclaredRead(instruction: place, subject: nil, reason: "calls \(helper.label), which may read"))
          continue
        }
        let pointers = flow.isTangled ? .max : flow.calls[place] ?? 0
        if quiet.memory & pointers != 0 {
          found.append(
            UndeclaredRead(instruction: place, subject: nil, reason: "hands \(helper.label) a pointer into the kernel"))
        }
      }
    }
    for place in kernelFunctions {
      found.append(UndeclaredRead(instruction: place, subject: nil, reason: "calls a function of the kernel"))
    }
    return found.sorted { $0.instruction < $1.instruction }
  }
}

/// A helper that reads no kernel memory but what its arguments point to.
struct QuietHelper {
  /// One bit a register: arguments that it reads memory through. A pointer to a kernel structure in one of these would
  /// have the structure's bytes copied (kernel/bpf/verifier.c, mem_types).
  let memory: UInt16

  /// By the name without `bpf_`; nil for those that may read more, and for those that nobody looked at.
  static func named(_ name: String) -> QuietHelper? {
    if let arguments = argumentCounts[name] {
      // Registers 1 to the last argument.
      let all = (UInt16(1) << UInt16(arguments + 1)) &- 2
      let handle = handles[name].map { UInt16(1) << UInt16($0) } ?? 0
      return QuietHelper(memory: all & ~handle)
    }
    return RestrictedClass.helpers.contains(name) || lookups.contains(name) ? QuietHelper(memory: 0x3e) : nil
  }

  /// They find other sockets, and copy nothing from the kernel but what their arguments point to.
  private static let lookups: Set<String> = ["sk_lookup_tcp", "sk_lookup_udp", "skc_lookup_tcp"]

  /// How many arguments they have (kernel/bpf/helpers.c, kernel/trace/bpf_trace.c).
  private static let argumentCounts: [String: Int] = [
    "map_lookup_elem": 2, "map_update_elem": 4, "map_delete_elem": 2, "map_push_elem": 3, "map_pop_elem": 2,
    "map_peek_elem": 2, "map_lookup_percpu_elem": 3, "for_each_map_elem": 4, "tail_call": 3, "loop": 4,
    "ringbuf_output": 4, "ringbuf_reserve": 3, "ringbuf_submit": 2, "ringbuf_discard": 2, "ringbuf_query": 2,
    "perf_event_output": 5, "spin_lock": 1, "spin_unlock": 1, "timer_init": 3, "timer_set_callback": 2,
    "timer_start": 3, "timer_cancel": 1, "strncmp": 3, "strtol": 4, "strtoul": 4,
    "ktime_get_ns": 0, "ktime_get_boot_ns": 0, "ktime_get_coarse_ns": 0, "ktime_get_tai_ns": 0, "jiffies64": 0,
    "get_prandom_u32": 0, "get_smp_processor_id": 0, "get_numa_node_id": 0,
    "get_current_pid_tgid": 0, "get_current_uid_gid": 0, "get_current_comm": 2, "get_current_cgroup_id": 0,
    "get_current_ancestor_cgroup_id": 1, "get_current_task": 0, "get_current_task_btf": 0,
    "get_ns_current_pid_tgid": 4, "current_task_under_cgroup": 2, "send_signal": 1, "send_signal_thread": 1,
    "get_func_arg": 3, "get_func_ret": 2, "get_func_arg_cnt": 1, "get_func_ip": 1, "get_attach_cookie": 1,
    "probe_read_user": 3, "probe_read_user_str": 3, "copy_from_user": 3, "copy_from_user_task": 5,
    "task_storage_get": 4, "task_storage_delete": 2, "inode_storage_get": 4, "inode_storage_delete": 2,
    "sk_storage_get": 4, "sk_storage_delete": 2, "cgrp_storage_get": 4, "cgrp_storage_delete": 2,
    "per_cpu_ptr": 2, "this_cpu_ptr": 1, "kptr_xchg": 2, "override_return": 2, "set_retval": 1, "get_retval": 0,
  ]

  /// The argument that names a structure of the kernel without its being read.
  private static let handles: [String: Int] = [
    "task_storage_get": 2, "task_storage_delete": 2, "inode_storage_get": 2, "inode_storage_delete": 2,
    "sk_storage_get": 2, "sk_storage_delete": 2, "cgrp_storage_get": 2, "cgrp_storage_delete": 2,
    "copy_from_user_task": 4, "per_cpu_ptr": 1, "this_cpu_ptr": 1, "kptr_xchg": 2,
  ]
}

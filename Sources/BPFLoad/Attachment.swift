internal import BPFObject
internal import LinuxSys

/// How a program is attached whose section says to what; others need an interface, a cgroup or a socket.
enum Attachment: Equatable {
  /// A raw tracepoint, by its name.
  case rawTracepoint(String)
  /// A target that was fixed when the program was loaded (`attach_btf_id`).
  case typed
  /// An iterator without parameters.
  case iterator

  /// Nil when the program's kind does not name a target. Numbers: `enum bpf_prog_type`, `enum bpf_attach_type`.
  init?(_ kind: ProgramKind) {
    switch (kind.type, kind.expectedAttachType) {
    case (17, _), (24, _): self = .rawTracepoint(kind.target)  // RAW_TRACEPOINT, RAW_TRACEPOINT_WRITABLE
    case (26, 23...26): self = .typed  // TRACING: TRACE_RAW_TP, TRACE_FENTRY, TRACE_FEXIT, MODIFY_RETURN
    case (26, 28): self = .iterator  // TRACING: TRACE_ITER
    case (29, 27): self = .typed  // LSM: LSM_MAC
    default: return nil
    }
  }

  func attach(_ program: KernelObject) throws(SystemError) -> KernelObject {
    switch self {
    case .rawTracepoint(let name): try BPF.openRawTracepoint(program, tracepoint: name)
    case .typed: try BPF.openRawTracepoint(program)
    case .iterator: try BPF.linkIterator(program)
    }
  }
}

extension LoadSteps {
  /// Attaches every program; a link that has been made goes with the load when a later one is refused.
  func attach(_ objects: [KernelObject]) throws(BPFLoadError) -> [KernelObject] {
    var links: [KernelObject] = []
    for (program, object) in zip(programs, objects) {
      guard let attachment = Attachment(program.kind) else {
        throw .notAttachable(program: program.name, section: program.section)
      }
      do throws(SystemError) {
        links.append(try attachment.attach(object))
      } catch {
        throw .attachRefused(program: program.name, section: program.section, error: error)
      }
    }
    return links
  }
}

internal import Base
internal import KernelABI
internal import Linux

/// Why a call of bpf(2) and its like fails with a number, and what helps: for calls that the kernel gives no log for.
///
/// Every number has an answer. Those that stand for one cause name it; of the others the most frequent are named as what they
/// may be (kernel/bpf/syscall.c and what it calls).
struct ErrnoAdvice {
  /// What the number stands for; nil where the number says it.
  let why: String?
  let next: String

  /// Numbers of one meaning.
  private struct Row {
    let codes: [Errno]
    let why: String?
    let next: String

    init(_ codes: Errno..., why: String?, next: String) {
      self.codes = codes
      self.why = why
      self.next = next
    }
  }

  private init(_ error: SystemError, _ rows: [Row], otherwise: Row) {
    let row = (rows + Self.shared).first { row in error.code.map { row.codes.contains($0) } ?? false } ?? otherwise
    (why, next) = (row.why, row.next)
  }

  /// What this process or machine has run out of.
  private static let shared = [
    Row(
      .enomem, why: "the machine, or the memory cgroup of this process, has no memory left",
      next: "free memory, or raise memory.max"),
    Row(
      .emfile, .enfile, why: "no more files can be open",
      next: "raise the limit of open files: `ulimit -n`, or LimitNOFILE= of the unit"),
    Row(
      .eagain, .ebusy, .eintr, why: "the kernel was busy with something that excludes this",
      next: "try again; `bpftool prog show` and `bpftool link show` list what is there"),
  ]

  /// BPF_MAP_CREATE, and filling a map.
  init(map error: SystemError) {
    let inspection = "`verity-bpf inspect OBJECT` shows its type, sizes and flags"
    self.init(
      error,
      [
        Row(
          .e2big, why: "a value or the whole map is larger than the type allows",
          next: "make value or map smaller; \(inspection)"),
        Row(
          .enotsupp, .eopnotsupp, why: "maps of this type take no such fields in their values, or no such flag",
          next: "leave the field or flag out; \(inspection)"),
        Row(
          .enospc, why: "the map is full before all of its entries are in it",
          next: "give it more entries: --map-entries MAP=N"),
        Row(.eexist, why: "an entry is there twice", next: inspection),
      ],
      otherwise: Row(
        why: "it gives no reasons for maps: a type or flag newer than itself, or sizes the type does not allow",
        next: inspection))
  }

  /// A link, a raw tracepoint, a performance event.
  init(attach error: SystemError) {
    self.init(
      error,
      [
        Row(
          .ebusy, .eexist, why: "another program is attached there that does not share its place",
          next: "`bpftool link show` and `bpftool net` say which; detach it first"),
        Row(
          .enoent, .enodev, .esrch, .enxio, .eaddrnotavail, why: "the place is not there, or not any more",
          next: "name a place that is there"),
        Row(
          .eopnotsupp, .enotsupp, why: "the place takes no programs of this kind, as a driver without XDP",
          next: "attach it elsewhere, or use another kind of program"),
        Row(
          .e2big, .enospc, .erange, why: "as many programs as it takes are attached there",
          next: "detach one: `bpftool link show` lists them"),
        Row(.ebadf, why: "the place is of another kind than the program asks for", next: "name a place of that kind"),
      ],
      otherwise: Row(
        why: "the program was accepted, and this place does not take it",
        next: "look for the kernel's reason in its messages (dmesg); `verity-bpf inspect OBJECT` shows what it asks for"
      ))
  }

  /// BPF_OBJ_PIN, BPF_OBJ_GET and mkdir(2) in a BPF file system.
  init(pin error: SystemError) {
    self.init(
      error,
      [
        Row(.eexist, why: nil, next: "remove the old pins, or choose another --pin-path"),
        Row(
          .eperm, .eacces, why: "this user may not write there",
          next: "run as its owner, or choose a directory of a BPF file system that is yours"),
        Row(.erofs, why: "it is mounted read-only", next: "mount -o remount,rw the BPF file system"),
        Row(.enospc, why: "the file system takes no more", next: "remove pins that nothing uses any more"),
        Row(.enametoolong, why: "a name is too long", next: "choose a shorter --pin-path"),
        Row(.enoent, .enotdir, why: "a directory of the path is not there", next: "choose another --pin-path"),
      ],
      otherwise: Row(why: nil, next: "choose another --pin-path; `find DIR` lists what is in it"))
  }

  /// BPF_BTF_LOAD.
  init(types error: SystemError) {
    self.init(
      error,
      [
        Row(
          .e2big, why: "it is larger than the kernel takes",
          next: "compile with fewer types: a few declarations do in place of vmlinux.h")
      ],
      otherwise: Row(
        why: "the log says what it has against it: most often a kind or a name that is newer than the kernel",
        next: "compile for an older kernel, or use a newer one; `bpftool btf dump file OBJECT` shows what is in it"))
  }
}

extension Diagnostic {
  /// The same with what is known of the number that the kernel answered, where nothing better is known of the cause.
  func advised(_ advice: ErrnoAdvice) -> Diagnostic {
    var result = self
    result.why = why ?? advice.why
    result.next = advice.next
    return result
  }
}

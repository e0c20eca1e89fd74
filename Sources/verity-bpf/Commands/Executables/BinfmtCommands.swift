import Base
import HostReport
import Linux

/// What the commands about binfmt_misc share.
enum Binfmt {
  static let schema = "verity-bpf/binfmt/1"

  /// The path of this program.
  static func program() throws -> String {
    guard let path = ProcessIdentity.current().executable else { throw BinfmtRefusal.noPath() }
    try BinfmtRefusal.requirePath(path)
    return path
  }

  /// What the kernel says now.
  static func survey(_ program: String) throws -> ObjectExecution {
    let reading: BinaryFormatFiles.Reading
    do throws(SystemError) {
      reading = try BinaryFormatFiles.read()
    } catch {
      throw error.unanswered == nil ? error : BinfmtRefusal.notMounted(error)
    }
    func moment(_ time: Timestamp) -> Int64 { time.nanoseconds(since: Timestamp(seconds: 0, nanoseconds: 0)) }
    let own = try FileStatus.of(path: program)
    return ObjectExecution(
      isEnabled: reading.isEnabled,
      entries: reading.entries.map { .init(name: $0.name, text: $0.text, registered: $0.registered.map(moment)) },
      program: (program, BinaryFormatFiles.changeTime(of: program).map(moment)),
      isProgram: { path in
        let other = try? FileStatus.of(path: path)
        return other?.device == own.device && other?.inode == own.inode
      })
  }

  /// What an answer is about.
  enum Subject: String {
    case enabled
    case disabled
    /// Nothing was to be done.
    case kept
    case status
  }

  static func answer(_ execution: ObjectExecution, _ subject: Subject, json: Bool) throws {
    let registered = execution.registered
    if json {
      try Output.json(
        .object([
          .init("schema", .string(schema)), .init("standing", .string(execution.standing.rawValue)),
          .init("changed", .bool(subject == .enabled || subject == .disabled)),
          .init("interpreter", .optional(registered?.interpreter)),
          .init("flags", .optional(registered?.letters)),
          .init("user_namespace", KernelSettings.isInUserNamespace().map { .bool($0) } ?? .null),
          .init("others", .array(execution.others.map { .string($0) })),
          .init("before", .array(execution.before.map { .string($0) })),
        ]))
      return
    }
    try Output.line(TextLayout.pad(subject.rawValue, 9) + execution.standing.text(execution))
    if let registered { try Output.line("program  \(registered.interpreter), flags \(registered.letters)") }
    let after = execution.others.filter { !execution.before.contains($0) }
    if !after.isEmpty {
      try Output.line("others   for the same files, and asked later: \(after.joined(separator: ", "))")
    }
    if KernelSettings.isInUserNamespace() == true {
      try Output.line("place    this user namespace: it says nothing about others, nor about the machine")
    }
  }
}

/// `verity-bpf binfmt enable`: from here on executing a BPF object starts this program.
struct BinfmtEnableCommand: Command {
  static let declaration = Declaration(
    "Have the kernel start this program for BPF objects that are executed.",
    discussion: """
      Registers this program with binfmt_misc for eBPF object files (ELF, 64 bits, little-endian), until the machine is \
      started anew; what `make install` puts below lib/binfmt.d has systemd do the same at each start. The kernel opens the \
      object and hands the descriptor over (flag O), and it opens this program now (flag F): what is put in its place later \
      is not used before this command is run again.

      An object is then executed as any program, with the options of `load` that do not name it: \
      ./xdp_counter.bpf.o --interface eth0. It needs permission to be executed (`build-image --executable`, `mount --exec`), \
      and a policy can ask for it: x_executed=TRUE. Where the kernel's IPE judges executions (op=EXECUTE), an object that it \
      denies never gets here.

      Needs root, or a user namespace with a binfmt_misc of its own, where it holds. Undo it with: verity-bpf binfmt disable.
      """,
    examples: ["verity-bpf binfmt enable"], options: [CommonOptions.json])
  static let schema = Binfmt.schema

  let json: Bool

  init(_ words: Words) throws(UsageError) { json = try words[CommonOptions.json] }

  var wantsJSON: Bool { json }
  var done: String? { "BPF objects are executed by this program" }

  func execute() throws -> Int32 {
    let program = try Binfmt.program()
    let before = try Binfmt.survey(program)
    switch before.standing {
    case .enabled:
      try Binfmt.answer(before, .kept, json: json)
      return 0
    case .allDisabled: throw BinfmtRefusal.allDisabled()
    case .other: throw BinfmtRefusal.taken(before.registered)
    case .disabled, .second, .outdated: try BinaryFormatFiles.remove(BPFObjectFormat.name)
    case .absent: break
    }
    try BinaryFormatFiles.register(BPFObjectFormat.line(program))
    let after = try Binfmt.survey(program)
    switch after.standing {
    case .enabled: break
    case .allDisabled: throw BinfmtRefusal.allDisabled()
    case .absent, .disabled, .other, .second, .outdated: throw BinfmtRefusal.withoutEffect(after)
    }
    try Binfmt.answer(after, .enabled, json: json)
    return 0
  }
}

/// `verity-bpf binfmt disable`: the end of it.
struct BinfmtDisableCommand: Command {
  static let declaration = Declaration(
    "Take the registration for BPF objects away.",
    discussion: """
      Whatever is registered with binfmt_misc under the name of this program, be it another program. Objects that were executed \
      before stay loaded. systemd registers again at the next start what lies below lib/binfmt.d.
      """,
    examples: ["verity-bpf binfmt disable"], options: [CommonOptions.json])
  static let schema = Binfmt.schema

  let json: Bool

  init(_ words: Words) throws(UsageError) { json = try words[CommonOptions.json] }

  var wantsJSON: Bool { json }
  var done: String? { "nothing is registered for BPF objects" }

  func execute() throws -> Int32 {
    let program = try Binfmt.program()
    let before = try Binfmt.survey(program)
    let isThere = before.standing != .absent
    if isThere { try BinaryFormatFiles.remove(BPFObjectFormat.name) }
    try Binfmt.answer(try Binfmt.survey(program), isThere ? .disabled : .kept, json: json)
    return 0
  }
}

/// `verity-bpf binfmt status`: what executing a BPF object does here.
struct BinfmtStatusCommand: Command {
  static let declaration = Declaration(
    "Say whether executing a BPF object starts this program.",
    discussion: """
      Other registrations for the same files are listed: the kernel asks the newest first. Times tell which that is, and of two \
      of one moment either may be.

      Exit codes: 0 executing an object starts this program; 1 it does not; 6 binfmt_misc is not there.
      """,
    examples: ["verity-bpf binfmt status", "verity-bpf binfmt status --json"], options: [CommonOptions.json])
  static let schema = Binfmt.schema
  static var makesThings: Bool { false }

  let json: Bool

  init(_ words: Words) throws(UsageError) { json = try words[CommonOptions.json] }

  var wantsJSON: Bool { json }

  func execute() throws -> Int32 {
    let execution = try Binfmt.survey(try Binfmt.program())
    try Binfmt.answer(execution, .status, json: json)
    return execution.standing == .enabled ? 0 : Diagnostic.Category.incomplete.rawValue
  }
}

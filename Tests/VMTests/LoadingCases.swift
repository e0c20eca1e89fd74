import Glibc
import Linux
import TestSupport

/// Kinds of programs that need a kernel with modules, probes and trampolines: loaded, attached, seen at work, unloaded.
enum LoadingCases {
  static let suite = Suite(
    name: "loading",
    cases: [
      Case("module-functions") { try callsModuleFunctions() },
      Case("module-attach-target") { try attachesToModuleFunction() },
      Case("unknown-module") {
        let result = try run("module_entry_elsewhere", "--attach")
        try Command.expectStatus(6, result)
        try expect(result.text.contains("modules with types"), result.text)
      },
      Case("function-entry") { try countsCalls("function_entry") },
      Case("function-exit") { try countsCalls("function_exit") },
      Case("security-hook") { try countsCalls("hook") },
      Case("event", on: .integrity, .secureBoot) { try countsCalls("event") },
      Case("kernel-probe", on: .integrity, .secureBoot) { try countsCalls("kernel_probe") },
      Case("kernel-return-probe", on: .integrity, .secureBoot) { try countsCalls("kernel_return") },
      Case("kernel-probes", on: .integrity, .secureBoot) {
        try Machine.requireProbesOfManyFunctions()
        try countsCalls("kernel_probes")
      },
      // What lockdown forbids, and how that is found out.
      Case("lockdown-forbids-probes", on: .confidentiality) {
        // The kernel says so itself of a probe; its tracing file system is just empty.
        for (object, seen) in [
          ("kernel_probe", "Lockdown: verity-bpf"), ("kernel_return", "Lockdown: verity-bpf"),
          ("event", "shows no files"), ("kernel_probes", "shows no files"),
        ] {
          let result = try run(object, "--attach")
          try Command.expectStatus(5, result)
          try expect(result.text.contains("load.lockdown") && result.text.contains(seen), "\(object): \(result.text)")
        }
      },
      Case("typed-variable") { try readsAVariable() },
      Case("replaced-function") { try replacesAFunction() },
      Case("jump-table") { try answersOnNewerKernels("jump_table", "jumps") },
      Case("variables-of-each-processor") { try answersOnNewerKernels("per_cpu", "answers") },
      Case("verifier-report") { try explainsRefusals() },
    ])

  /// A packet of nothing; the module's function runs, and says that it knows no such connection.
  private static func callsModuleFunctions() throws {
    let pin = try load("connections")
    let program = try BPF.pinned(at: "\(pin)/prog/find_connection")
    _ = try BPF.testRun(program, packet: [UInt8](repeating: 0, count: 64))
    // Two numbers, in the order the compiler chose.
    let numbers = try [number(pin, at: 0), number(pin, at: 8)]
    unload(pin)
    try expect(numbers.contains(1) && numbers.contains(UInt64(bitPattern: -2)), "found \(numbers)")  // -ENOENT
  }

  private static func attachesToModuleFunction() throws {
    let pin = try load("module_entry", "--attach")
    let link = try FileStatus.of(path: "\(pin)/link/on_packet").kind
    unload(pin)
    try expect(link == .regular, "no link")
  }

  /// The kernel's variable is found by its name in the kernel's types, and read: its processor is number 0.
  private static func readsAVariable() throws {
    let pin = try load("variable", "--attach")
    _ = try Subprocess.run(["/bin/cat", "/dev/null"])
    let seen = try number(pin, at: 0)
    unload(pin)
    try expectEqual(seen, 1000, "the run queue's processor")
  }

  /// A function of one program answers for another while the link is there.
  private static func replacesAFunction() throws {
    let pin = try load("replaceable")
    let program = try BPF.pinned(at: "\(pin)/prog/asks")
    let packet = [UInt8](repeating: 0, count: 64)
    try expectEqual(try BPF.testRun(program, packet: packet).returned, 2, "its own answer")
    let nowhere = try run("replacement", "--attach")
    try Command.expectStatus(64, nowhere)
    let replacement = try run("replacement", "--attach", "--target", "\(pin)/prog/asks")
    try Command.expectStatus(0, replacement)
    try expectEqual(try BPF.testRun(program, packet: packet).returned, 1, "the replacement's")
    unload(pinPath("replacement"))
    var answer: UInt32 = 0
    for _ in 0..<50 where answer != 2 {
      usleep(20_000)
      answer = try BPF.testRun(program, packet: packet).returned
    }
    unload(pin)
    try expectEqual(answer, 2, "its own answer again")
  }

  /// What the newest kernel of the machines takes; older ones say what they lack, or their verifier refuses it.
  private static func answersOnNewerKernels(_ object: String, _ program: String) throws {
    let result = try run(object)
    let release = try KernelReports.release().split(separator: ".").prefix(2).compactMap { Int($0) }
    guard release.count == 2, (release[0], release[1]) >= (7, 3) else {
      try expect([0, 5, 6].contains(result.status), result.text)
      if result.status == 0 { unload(pinPath(object)) }
      throw Skipped(reason: "this kernel: \(result.text.split(separator: "\n").first ?? "takes it")")
    }
    try Command.expectStatus(0, result)
    let loaded = try BPF.pinned(at: "\(pinPath(object))/prog/\(program)")
    let answer = try BPF.testRun(loaded, packet: [UInt8](repeating: 0, count: 64)).returned
    unload(pinPath(object))
    try expectEqual(answer, 1, "the answer of \(program)")
  }

  private static func explainsRefusals() throws {
    let result = try run("refused")
    try Command.expectStatus(5, result)
    try expect(result.text.contains("instruction  1: (71)"), result.text)
    let release = try KernelReports.release().split(separator: ".").prefix(2).compactMap { Int($0) }
    if release.count == 2, (release[0], release[1]) >= (7, 3) {
      // That kernel's own explanation is passed on.
      try expect(result.text.contains("\n  next"), result.text)
    }
  }

  private static func run(_ object: String, _ options: String...) throws -> Command.Result {
    let directory = try Machine.temporaryDirectory()
    let hash = try Machine.text("/images/kernel.roothash").trimmed
    let policy = """
      policy_name=vm policy_version=1.0.0
      DEFAULT action=DENY
      op=BPF_PROG_LOAD dmverity_roothash=sha256:\(hash) action=ALLOW

      """
    try Machine.write("\(directory)/p.pol", Array(policy.utf8))
    return try Command.run(
      [
        "load", "--image", "/images/kernel.raw", "--object", "\(object).bpf.o", "--policy", "\(directory)/p.pol",
        "--audit-dir", directory, "--pin-path", pinPath(object),
      ] + options)
  }

  private static func pinPath(_ object: String) -> String { "/sys/fs/bpf/loading/\(object)" }

  /// Loads an object and returns the directory of its pins.
  private static func load(_ object: String, _ options: String...) throws -> String {
    let result = options.isEmpty ? try run(object) : try run(object, options[0])
    try Command.expectStatus(0, result)
    return pinPath(object)
  }

  private static func unload(_ pin: String) { _ = try? Command.run(["unload", "--pin-path", pin]) }

  /// A 64-bit variable of the object.
  private static func number(_ pin: String, at offset: Int) throws -> UInt64 {
    let map = try BPF.pinned(at: "\(pin)/map/bss")
    let size = Int(try BPF.mapInfo(map).valueSize)
    let value = try BPF.lookup(map, key: [0, 0, 0, 0], valueSize: size) ?? []
    guard offset + 8 <= value.count else { throw Failure(description: "no variable at \(offset) in \(pin)") }
    var number: UInt64 = 0
    for index in 0..<8 { number |= UInt64(value[offset + index]) << UInt64(8 * index) }
    return number
  }

  /// Attaches a program that counts, makes what it counts happen, and unloads it.
  private static func countsCalls(_ object: String) throws {
    let pin = try load(object, "--attach")
    let before = try number(pin, at: 0)
    _ = getppid()
    _ = try Subprocess.run(["/bin/cat", "/dev/null"])
    let after = try number(pin, at: 0)
    unload(pin)
    try expect(after > before, "\(object) counted nothing")
  }
}

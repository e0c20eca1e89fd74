internal import CLinuxShim
internal import Glibc

/// Another program run to its end, without a shell.
public enum Subprocess {
  /// How a program ended.
  public struct Result: Sendable {
    /// The exit status, or 128 plus the signal that ended it.
    public let status: Int
    /// What it wrote to standard output and standard error together.
    public let output: [UInt8]

    /// The output as text, malformed parts replaced.
    public var text: String { String(decoding: output, as: UTF8.self) }
  }

  /// Runs `arguments[0]`, found on PATH, with a fixed locale.
  ///
  /// - Parameters:
  ///   - environment: `NAME=value` entries; by default only PATH and LC_ALL=C.
  ///   - input: the file that is its standard input.
  ///   - limit: the most output that is kept; what comes after is read and dropped.
  public static func run(
    _ arguments: [String], environment: [String]? = nil, input: String = "/dev/null", limit: Int = 1 << 20
  ) throws(SystemError) -> Result {
    let name = arguments.first ?? ""
    var ends: [CInt] = [-1, -1]
    guard unsafe vb_pipe(&ends) == 0 else { throw .current("pipe2") }
    let reading = OwnedFD(adopting: ends[0])
    let writing = OwnedFD(adopting: ends[1])

    var actions = unsafe posix_spawn_file_actions_t()
    unsafe posix_spawn_file_actions_init(&actions)
    defer { unsafe posix_spawn_file_actions_destroy(&actions) }
    unsafe posix_spawn_file_actions_addopen(&actions, 0, input, O_RDONLY, 0)
    unsafe posix_spawn_file_actions_adddup2(&actions, ends[1], 1)
    unsafe posix_spawn_file_actions_adddup2(&actions, ends[1], 2)

    // Signals that this process handles on a thread of its own are blocked here, and others ignored; for the child
    // they are what they are for any program.
    var attributes = posix_spawnattr_t()
    unsafe posix_spawnattr_init(&attributes)
    defer { unsafe posix_spawnattr_destroy(&attributes) }
    var none = sigset_t()
    unsafe sigemptyset(&none)
    unsafe posix_spawnattr_setsigmask(&attributes, &none)
    var ignored = SignalResponse.set(of: .ignore)
    unsafe posix_spawnattr_setsigdefault(&attributes, &ignored)
    unsafe posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF))

    let path = unsafe getenv("PATH").map { unsafe String(cString: $0) } ?? "/usr/sbin:/usr/bin:/sbin:/bin"
    let inherited = environment ?? ["PATH=\(path)", "LC_ALL=C"]
    var child: pid_t = 0
    let failure = unsafe withCStrings(arguments) { argv in
      unsafe withCStrings(inherited) { envp in
        unsafe posix_spawnp(&child, name, &actions, &attributes, argv, envp)
      }
    }
    guard failure == 0 else { throw SystemError("posix_spawn", path: name, errno: failure) }
    try writing.close()

    var output: [UInt8] = []
    var chunk = [UInt8](repeating: 0, count: 16384)
    while true {
      let got = reading.withRaw { raw in
        unsafe chunk.withUnsafeMutableBytes { unsafe read(raw, $0.baseAddress, $0.count) }
      }
      if got < 0, Glibc.errno == EINTR { continue }
      if got <= 0 { break }
      output.append(contentsOf: chunk[0..<min(got, max(0, limit - output.count))])
    }
    var state: CInt = 0
    while unsafe waitpid(child, &state, 0) < 0 {
      guard Glibc.errno == EINTR else { throw .current("waitpid") }
    }
    let signal = state & 0x7f
    return Result(status: signal == 0 ? Int((state >> 8) & 0xff) : 128 + Int(signal), output: output)
  }

  /// Lends a NULL-terminated array of C strings.
  private static func withCStrings<R>(
    _ strings: [String], _ body: (UnsafePointer<UnsafeMutablePointer<CChar>?>) -> R
  ) -> R {
    var copies: [UnsafeMutablePointer<CChar>?] = unsafe strings.map { unsafe strdup($0) }
    unsafe copies.append(nil)
    defer { for index in unsafe copies.indices { unsafe free(copies[index]) } }
    return unsafe body(copies)
  }
}

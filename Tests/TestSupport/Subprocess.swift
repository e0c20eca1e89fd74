internal import CTestSupport
internal import Glibc
public import Linux

/// Another program run to its end, without a shell. The product itself runs none.
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
    guard ts_pipe(&ends) == 0 else { throw SystemError("pipe2", errno: Glibc.errno) }
    let reading = OwnedFD(adopting: ends[0])
    let writing = OwnedFD(adopting: ends[1])

    var actions = posix_spawn_file_actions_t()
    posix_spawn_file_actions_init(&actions)
    defer { posix_spawn_file_actions_destroy(&actions) }
    posix_spawn_file_actions_addopen(&actions, 0, input, O_RDONLY, 0)
    posix_spawn_file_actions_adddup2(&actions, ends[1], 1)
    posix_spawn_file_actions_adddup2(&actions, ends[1], 2)

    // Signals that this process handles on a thread of its own are blocked here, and others ignored; for the child
    // they are what they are for any program.
    var attributes = posix_spawnattr_t()
    posix_spawnattr_init(&attributes)
    defer { posix_spawnattr_destroy(&attributes) }
    var none = sigset_t()
    sigemptyset(&none)
    posix_spawnattr_setsigmask(&attributes, &none)
    var ignored = sigset_t()
    sigemptyset(&ignored)
    for signal in [SIGPIPE, SIGXFSZ] { sigaddset(&ignored, signal) }
    posix_spawnattr_setsigdefault(&attributes, &ignored)
    posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF))

    let path = getenv("PATH").map { String(cString: $0) } ?? "/usr/sbin:/usr/bin:/sbin:/bin"
    let inherited = environment ?? ["PATH=\(path)", "LC_ALL=C"]
    var child: pid_t = 0
    let failure = withCStrings(arguments) { argv in
      withCStrings(inherited) { envp in
        posix_spawnp(&child, name, &actions, &attributes, argv, envp)
      }
    }
    guard failure == 0 else { throw SystemError("posix_spawn", path: name, errno: failure) }
    try writing.close()

    var output: [UInt8] = []
    var chunk = [UInt8](repeating: 0, count: 16384)
    while true {
      let got = reading.withRaw { raw in
        chunk.withUnsafeMutableBytes { read(raw, $0.baseAddress, $0.count) }
      }
      if got < 0, Glibc.errno == EINTR { continue }
      if got <= 0 { break }
      output.append(contentsOf: chunk[0..<min(got, max(0, limit - output.count))])
    }
    var state: CInt = 0
    while waitpid(child, &state, 0) < 0 {
      guard Glibc.errno == EINTR else { throw SystemError("waitpid", errno: Glibc.errno) }
    }
    let signal = state & 0x7f
    return Result(status: signal == 0 ? Int((state >> 8) & 0xff) : 128 + Int(signal), output: output)
  }

  /// Lends a NULL-terminated array of C strings.
  private static func withCStrings<R>(
    _ strings: [String], _ body: (UnsafePointer<UnsafeMutablePointer<CChar>?>) -> R
  ) -> R {
    var copies: [UnsafeMutablePointer<CChar>?] = strings.map { strdup($0) }
    copies.append(nil)
    defer { for index in copies.indices { free(copies[index]) } }
    return body(copies)
  }
}

internal import CLinuxShim
internal import Glibc

/// The file that this process was started for: it was executed, binfmt_misc knows this program as its interpreter, and the
/// kernel has opened it and handed the descriptor over (flag O, AT_EXECFD of the auxiliary vector).
///
/// The auxiliary vector is the kernel's: no caller puts an entry there. A name in argv[0] would be the caller's, and a path in
/// argv[1] one that may lead to another file by now.
public struct ExecutedFile: Equatable, Sendable {
  /// The descriptor, which is above the standard streams and closed on exec.
  public let number: CInt
  /// The path as the caller has given it to execve(2): what people know it by, and nothing is opened by it.
  public let path: String
  /// The words behind the path.
  public let arguments: [String]
  /// Whether this process runs with the rights of another user or group than the one who started it, as it does for a set-uid
  /// file where the registration has flag C.
  public let hasOthersRights: Bool

  /// Takes the file; nil where this process was started in another way.
  ///
  /// To be called before anything is opened: the descriptor has the lowest number that was free, so it may have that of a
  /// standard stream that the caller has closed.
  ///
  /// - Parameter words: what the program was called with, without its own name.
  public static func take(_ words: [String]) -> ExecutedFile? {
    let given = vb_executed_file()
    guard given >= 0 else { return nil }
    // One that cannot be moved or is not open is refused when it is examined.
    var number = given
    if given > 2 { _ = vb_set_cloexec(given) } else { number = vb_fcntl_dupfd_cloexec(given) }
    if number != given { _ = vb_close(given) }
    return ExecutedFile(
      number: number, words: words, keepsFirstWord: vb_keeps_first_word() == 1,
      hasOthersRights: getuid() != geteuid() || getgid() != getegid())
  }

  /// - Parameter keepsFirstWord: whether the caller's own argv[0] stands behind the path (flag P).
  init(number: CInt, words: [String], keepsFirstWord: Bool, hasOthersRights: Bool) {
    self.number = number
    path = words.first ?? ""
    arguments = Array(words.dropFirst(keepsFirstWord ? 2 : 1))
    self.hasOthersRights = hasOthersRights
  }
}

internal import CLinuxShim

/// The words this process was started with.
public enum ProcessArguments {
  /// All of them, the program's name first.
  ///
  /// `CommandLine.arguments` has the same words. It looks for them on the stack, whose bounds it reads from
  /// `/proc/self/maps`: at the start of a short run that is seen.
  public static var all: [String] {
    var count: Int32 = 0
    guard let words = unsafe vb_arguments(&count) else { return CommandLine.arguments }
    var all: [String] = []
    for index in 0..<Int(count) {
      guard let word = unsafe words[index] else { break }
      unsafe all.append(String(cString: word))
    }
    return all
  }
}

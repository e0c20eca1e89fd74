/// What a kernel was built with: the text of its `.config`.
public struct KernelConfiguration: Equatable, Sendable {
  /// `CONFIG_HZ` to `250`, as the text has it.
  private let options: [Substring: Substring]

  /// Reads the lines `CONFIG_NAME=VALUE`; comments, among them `# CONFIG_NAME is not set`, and anything else are passed
  /// over. Of two lines for one option the later counts, as in Kconfig.
  public init(_ text: String) {
    var options: [Substring: Substring] = [:]
    for line in text.utf8.split(separator: 0x0a) where line.starts(with: "CONFIG_".utf8) {
      guard let equals = line.firstIndex(of: UInt8(ascii: "=")) else { continue }
      let value = line[line.index(after: equals)...]
      options[Substring(line[..<equals])] = Substring(value.last == 0x0d ? value.dropLast() : value)
    }
    self.options = options
  }

  /// The value as the text has it: `y`, `m`, `250`, `0x10`, `"text"`; nil for an option that is not set.
  ///
  /// - Parameter option: with `CONFIG_`.
  public func value(of option: String) -> Substring? { options[option[...]] }

  /// Whether the option is built in or a module.
  public func has(_ option: String) -> Bool { value(of: option) == "y" || value(of: option) == "m" }

  /// Whether the text had no option at all: then it is no configuration.
  public var isEmpty: Bool { options.isEmpty }

  /// Where a running kernel's configuration is looked for, in this order.
  public enum Place: Equatable, Sendable {
    /// The kernel's own word, compressed by gzip; there with CONFIG_IKCONFIG_PROC.
    case kernel
    /// What the distribution wrote beside the kernel of that release. Root can have changed it since.
    case distribution(KernelStatement, release: String)
  }

  /// The kernel's own word first: what a package put into /boot is for a kernel of that name, not for the one that runs.
  ///
  /// - Parameter release: utsname's. One that is no file name has only the kernel's own place.
  public static func places(release: String) -> [Place] {
    guard !release.isEmpty, !release.utf8.contains(UInt8(ascii: "/")) else { return [.kernel] }
    return [
      .kernel, .distribution(.distributionConfiguration, release: release),
      .distribution(.distributionModuleConfiguration, release: release),
    ]
  }
}

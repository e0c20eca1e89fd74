/// A kernel's configuration: the file `.config`, or /boot/config-VERSION.
public struct KernelConfig: Sendable, Equatable {
  private let options: Set<String>

  /// Reads the lines `CONFIG_NAME=y` and `CONFIG_NAME=m`; everything else is not set.
  public init(_ text: String) {
    var options: Set<String> = []
    for line in text.split(whereSeparator: { $0.isNewline }) where line.hasPrefix("CONFIG_") {
      guard let equals = line.firstIndex(of: "=") else { continue }
      let value = line[line.index(after: equals)...]
      if value == "y" || value == "m" { options.insert(String(line[..<equals])) }
    }
    self.options = options
  }

  /// Whether the option is built in or a module.
  public func has(_ option: String) -> Bool { options.contains(option) }

  /// Whether the text had any option at all; without one it is no configuration.
  public var isEmpty: Bool { options.isEmpty }
}

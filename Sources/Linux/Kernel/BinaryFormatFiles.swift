internal import KernelABI

/// The files of binfmt_misc (Documentation/admin-guide/binfmt-misc.rst): what is registered, and changing it.
public enum BinaryFormatFiles {
  /// What they say.
  public struct Reading: Sendable {
    /// Whether interpreters are started at all.
    public let isEnabled: Bool
    /// All registrations, sorted by their names.
    public let entries: [Entry]
  }

  /// One registration.
  public struct Entry: Sendable {
    public let name: String
    /// What the kernel says of it; nil where it could not be asked.
    public let text: String?
    /// When it was registered, by the system's clock; nil where that is not known.
    public let registered: Timestamp?
  }

  /// Reads all registrations that this mount of binfmt_misc has.
  ///
  /// - Throws: `SystemError` with ``SystemError/unanswered`` where binfmt_misc is not mounted in its place.
  public static func read() throws(SystemError) -> Reading {
    guard let status = try KernelFile.ask(.binaryFormatsEnabled), let names = try KernelFile.names(.binaryFormats)
    else {
      throw .unanswered(.binaryFormats, at: KernelStatement.binaryFormats.place(), found: "no registrations")
    }
    let entries = names.filter { $0 != "register" && $0 != "status" }.map { name in
      Entry(
        name: name, text: KernelFile.text(.binaryFormat, name),
        registered: try? KernelFile.open(.binaryFormat, name).changeTime())
    }
    return Reading(isEnabled: status == "enabled", entries: entries)
  }

  /// Registers what a line of binfmt.d(5) says. The newest registration is the first that the kernel asks.
  public static func register(_ line: String) throws(SystemError) {
    try KernelFile.write(line, to: .binaryFormat, "register")
  }

  /// Takes a registration away.
  public static func remove(_ name: String) throws(SystemError) {
    try KernelFile.write("-1", to: .binaryFormat, name)
  }

  /// When a file was changed last, its name or mode included; nil where that is not known.
  public static func changeTime(of path: String) -> Timestamp? { try? OwnedFD.open(path, .path).changeTime() }
}

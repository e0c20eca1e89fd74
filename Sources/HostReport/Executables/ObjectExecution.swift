/// Whether executing a BPF object starts this program, by what binfmt_misc says.
public struct ObjectExecution: Sendable {
  /// What is known of one registration.
  public struct Entry: Sendable {
    public let name: String
    /// What the kernel says of it; nil where it could not be asked.
    public let text: String?
    /// Nanoseconds since 1970; nil where it is not known.
    public let registered: Int64?

    public init(name: String, text: String?, registered: Int64?) {
      self.name = name
      self.text = text
      self.registered = registered
    }
  }

  /// How the registration stands.
  public enum Standing: String, Sendable, CaseIterable {
    /// Executing an object starts this program.
    case enabled
    /// There is no registration of our name.
    case absent
    /// It is there and switched off.
    case disabled
    /// It is there, and binfmt_misc as a whole is switched off.
    case allDisabled = "all-disabled"
    /// What is registered under our name is something else.
    case other
    /// A registration that matches the same files was made later, and is asked before.
    case second
    /// The program was replaced since: the kernel goes on with the one that was registered.
    case outdated
  }

  public let standing: Standing
  /// What is registered under our name; nil where nothing is, or it is not understood.
  public let registered: BinaryFormat?
  /// The names of other registrations for the same files.
  public let others: [String]
  /// Those of them that come before ours, or may.
  public let before: [String]

  /// Judges.
  ///
  /// - Parameters:
  ///   - isEnabled: whether binfmt_misc starts interpreters at all.
  ///   - program: this program's path, and when its file was changed last; nil where it is not known.
  ///   - isProgram: whether a path leads to this program.
  public init(
    isEnabled: Bool, entries: [Entry], program: (path: String, changed: Int64?), isProgram: (String) -> Bool
  ) {
    let own = entries.first { $0.name == BPFObjectFormat.name }
    let wanted = BPFObjectFormat.registration(program.path)
    let found = own?.text.flatMap { BinaryFormat($0) }
    registered = found
    // What is not understood may match everything.
    let others = entries.filter { entry in
      guard entry.name != BPFObjectFormat.name else { return false }
      guard let format = entry.text.flatMap({ BinaryFormat($0) }) else { return true }
      return format.isEnabled && format.mayShareFiles(with: wanted)
    }
    // The kernel puts a new registration before all others. Two of the same moment may be in either order.
    let before = others.filter { other in
      guard let first = own?.registered, let second = other.registered else { return true }
      return second >= first
    }
    self.others = others.map(\.name)
    self.before = own == nil ? [] : before.map(\.name)
    guard own != nil else {
      standing = .absent
      return
    }
    guard let found, found.pattern == wanted.pattern, found.flags == wanted.flags,
      found.interpreter == program.path || isProgram(found.interpreter)
    else {
      standing = .other
      return
    }
    if !isEnabled {
      standing = .allDisabled
    } else if !found.isEnabled {
      standing = .disabled
    } else if !before.isEmpty {
      standing = .second
    } else if let changed = program.changed, let since = own?.registered, changed > since {
      standing = .outdated
    } else {
      standing = .enabled
    }
  }
}

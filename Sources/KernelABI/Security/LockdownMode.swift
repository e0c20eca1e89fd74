/// How far the kernel is locked down against its own administrator (kernel_lockdown(7); security/lockdown/lockdown.c),
/// from the least to the most strict. Since 5.4.
public enum LockdownMode: String, Sendable, Comparable, CaseIterable {
  case none
  case integrity
  case confidentiality

  /// Less strict comes first.
  public static func < (left: Self, right: Self) -> Bool { left.rank < right.rank }

  private var rank: Int {
    switch self {
    case .none: 0
    case .integrity: 1
    case .confidentiality: 2
    }
  }

  /// The word as policies have it: `CONFIDENTIALITY`.
  public var policyWord: String {
    switch self {
    case .none: "NONE"
    case .integrity: "INTEGRITY"
    case .confidentiality: "CONFIDENTIALITY"
    }
  }

  /// Reads what the lockdown file shows: all modes in a line, that which is in force in brackets.
  ///
  /// - Returns: nil when none is in brackets, or one that is not known here.
  public init?(bracketedIn text: String) {
    guard let open = text.firstIndex(of: "["), let close = text[open...].firstIndex(of: "]") else { return nil }
    self.init(rawValue: String(text[text.index(after: open)..<close]))
  }
}

/// A number of the kernel's interface to user space, with the name that the kernel's headers give it.
///
/// A number that no case has is unknown here: it came with a newer kernel, or is none. Who decides by it expects the
/// worst.
public protocol KernelNumber: CaseIterable, RawRepresentable, Hashable, Sendable where RawValue: FixedWidthInteger {
  /// What the headers put before the name: `BPF_MAP_TYPE_`.
  static var prefix: String { get }

  /// The word for it, as bpftool and the manual pages have it.
  var name: String { get }

  /// The enumerator or macro in the kernel's headers: `BPF_MAP_TYPE_RINGBUF`.
  var headerName: String { get }
}

extension KernelNumber {
  public var headerName: String { Self.prefix + name.uppercased() }

  /// The constant of that name.
  ///
  /// - Returns: nil for a name that is not known here.
  public init?(name: String) {
    guard let known = Self.allCases.first(where: { $0.name == name }) else { return nil }
    self = known
  }

  /// The name of a number, or the number itself where it is not known here.
  public static func describe(_ number: RawValue) -> String { Self(rawValue: number)?.name ?? "\(number)" }
}

/// A number that came with a release of the kernel; older ones answer it with EINVAL or the like.
public protocol KernelConstant: KernelNumber {
  var entry: KernelEntry { get }
}

extension KernelConstant {
  public var name: String { entry.name }

  /// The first release that has it.
  public var since: KernelRelease { entry.since }
}

/// What is known of a constant besides its number.
public struct KernelEntry: Sendable {
  public let name: String
  public let since: KernelRelease

  /// - Parameters:
  ///   - name: the word for the constant.
  ///   - major: of the first release that has it.
  public init(_ name: String, _ major: Int, _ minor: Int, _ patch: Int = 0) {
    self.name = name
    since = KernelRelease(major, minor, patch)
  }
}

/// A release of the kernel: `6.18`, or `6.18.3` with its stable updates.
public struct KernelRelease: Comparable, Hashable, Sendable, CustomStringConvertible {
  public let major: Int
  public let minor: Int
  /// The number of the stable update; 0 for the release itself.
  public let patch: Int

  /// - Parameter patch: 0 for a release as such, which comes before all of its updates.
  public init(_ major: Int, _ minor: Int, _ patch: Int = 0) {
    self.major = major
    self.minor = minor
    self.patch = patch
  }

  /// Reads utsname's release, or the beginning of a package's version: `6.18.3-cloud-amd64`, `7.3-rc7`, `6.1.0`.
  ///
  /// What follows the numbers is not read: a release candidate counts as its release, and so does the work that a
  /// distribution put on top.
  ///
  /// - Returns: nil when the text does not begin with two numbers that fit into LINUX_VERSION_CODE, a byte each. A third
  ///   that is missing or too large for a number is 0.
  public init?(parsing text: String) {
    let numbers = text.split(separator: ".", maxSplits: 3, omittingEmptySubsequences: false).map { part in
      part.prefix { ("0"..."9").contains($0) }
    }
    guard numbers.count >= 2, let major = UInt8(numbers[0]), let minor = UInt8(numbers[1]) else { return nil }
    self.init(Int(major), Int(minor), numbers.count > 2 ? Int(numbers[2]) ?? 0 : 0)
  }

  public static func < (left: Self, right: Self) -> Bool {
    (left.major, left.minor, left.patch) < (right.major, right.minor, right.patch)
  }

  /// `6.18`, or `6.18.3`.
  public var description: String { "\(major).\(minor)" + (patch == 0 ? "" : ".\(patch)") }

  /// LINUX_VERSION_CODE: the three numbers in a byte each; the last ends at 255, as the kernel's own does.
  public var code: UInt64 { UInt64(major) << 16 | UInt64(minor) << 8 | UInt64(min(patch, 255)) }
}

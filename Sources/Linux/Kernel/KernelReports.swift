public import KernelABI
internal import Base
internal import Glibc

/// What only the running kernel can say: its release, its configuration, the addresses of its symbols.
public enum KernelReports {
  /// Where the addresses of symbols are read.
  public static var symbolsPath: String { KernelStatement.symbols.place() }

  /// The release in utsname, `6.18.4-cloud` (uname(2)).
  public static func release() throws(SystemError) -> String {
    var name = utsname()
    guard unsafe uname(&name) == 0 else { throw .current("uname") }
    return unsafe withUnsafeBytes(of: &name.release) { bytes in
      unsafe String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
    }
  }

  /// The same as numbers; nil where it has none.
  public static func runningRelease() -> KernelRelease? { (try? release()).flatMap(KernelRelease.init(parsing:)) }

  /// The running kernel's configuration, from the first of ``KernelConfiguration/places(release:)`` that can be read; nil
  /// where none can.
  public static func configuration(release: String) -> KernelConfiguration? {
    for place in KernelConfiguration.places(release: release) {
      if let text = text(at: place) { return KernelConfiguration(String(decoding: text, as: UTF8.self)) }
    }
    return nil
  }

  private static func text(at place: KernelConfiguration.Place) -> [UInt8]? {
    switch place {
    case .kernel:
      guard let packed = try? KernelFile.bytes(of: .configuration, limit: 4 << 20) else { return nil }
      return Gzip.contents(of: packed.rawSpan, limit: 16 << 20)
    case .distribution(let statement, let release): return KernelFile.shown(statement, release, limit: 16 << 20)
    }
  }

  /// /proc/kallsyms, some megabytes: a line for each symbol with address, type and name.
  ///
  /// Addresses are zero for a process that may not see them (kernel.kptr_restrict).
  public static func symbols() throws(SystemError) -> [UInt8] {
    try KernelFile.open(.symbols).readToEnd(of: symbolsPath, limit: 256 << 20)
  }
}

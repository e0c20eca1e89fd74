internal import ByteKit
internal import Glibc

/// What only the running kernel can say: its release, its configuration, the addresses of its symbols.
public enum KernelReports {
  /// Where the addresses of symbols are read.
  public static let symbolsPath = "/proc/kallsyms"
  /// Where the configuration is read first: this is the kernel's own word.
  public static let configurationPath = "/proc/config.gz"

  /// The release in utsname, `6.18.4-cloud` (uname(2)).
  public static func release() throws(SystemError) -> String {
    var name = utsname()
    guard unsafe uname(&name) == 0 else { throw .current("uname") }
    return unsafe withUnsafeBytes(of: &name.release) { bytes in
      unsafe String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
    }
  }

  /// The running kernel's configuration: the text of /proc/config.gz, or else of /boot/config-RELEASE, which the
  /// distribution put there; nil when there is neither.
  public static func configuration(release: String) -> String? {
    if let file = try? KernelFile.open(configurationPath), let packed = try? file.readToEnd(limit: 4 << 20),
      let text = Gzip.contents(of: packed.rawSpan, limit: 16 << 20)
    {
      return String(decoding: text, as: UTF8.self)
    }
    guard !release.contains("/"), let file = try? OwnedFD.open("/boot/config-\(release)", .readOnly),
      let text = try? file.readToEnd(limit: 16 << 20)
    else { return nil }
    return String(decoding: text, as: UTF8.self)
  }

  /// /proc/kallsyms, some megabytes: a line for each symbol with address, type and name.
  ///
  /// Addresses are zero for whoever may not know them (kernel.kptr_restrict).
  public static func symbols() throws(SystemError) -> [UInt8] {
    let file = try KernelFile.open(symbolsPath)
    guard let bytes = try file.readToEnd(limit: 256 << 20) else {
      throw SystemError("read", path: symbolsPath, errno: EFBIG)
    }
    return bytes
  }
}

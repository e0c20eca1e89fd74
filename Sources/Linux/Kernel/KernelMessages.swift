internal import Base
internal import KernelABI
internal import CLinuxShim
internal import Glibc

/// The kernel's log, /dev/kmsg (Documentation/ABI/testing/dev-kmsg).
public enum KernelMessages {
  /// The messages of the last seconds that contain a text, oldest first; none for a process that may not read the log.
  public static func recent(within seconds: UInt64, containing text: String) -> [String] {
    let log: OwnedFD
    do throws(SystemError) {
      log = try KernelDevice.open(.kernelLog, flags: [.readOnly, .nonBlocking])
    } catch {
      return []
    }
    var now = timespec()
    unsafe clock_gettime(CLOCK_MONOTONIC, &now)
    let oldest = max(0, Int64(now.tv_sec) - Int64(clamping: seconds)) * 1_000_000
    var found: [String] = []
    var record = [UInt8](repeating: 0, count: 8192)
    while true {
      let count = log.withRaw { raw in
        unsafe record.withUnsafeMutableBytes { unsafe read(raw, $0.baseAddress, $0.count) }
      }
      // EPIPE: a record was overwritten while it was about to be read; the next one is there.
      if count < 0, Glibc.errno == EPIPE || Glibc.errno == EINTR { continue }
      guard count > 0 else { return found }
      // `priority,sequence,microseconds,flags;message`
      let line = String(decoding: record[..<count].prefix { $0 != 10 }, as: UTF8.self)
      guard let semicolon = line.firstIndex(of: ";"), line.mentions(text) else { continue }
      let fields = line[..<semicolon].split(separator: ",")
      guard fields.count >= 3, let time = Int64(fields[2]), time >= oldest else { continue }
      found.append(String(line[line.index(after: semicolon)...]))
    }
  }
}

internal import Base
internal import KernelABI
internal import CLinuxShim
internal import Glibc

/// perf_event_open(2), as far as BPF programs are attached to events.
public enum PerfEvent {
  /// Which event (`struct perf_event_attr`, include/uapi/linux/perf_event.h).
  public struct Attributes: Equatable, Sendable {
    /// `PERF_TYPE_*`, or the number of a dynamic event source in /sys/bus/event_source/devices.
    public var type: UInt32
    /// What is counted; its meaning is the type's own.
    public var config: UInt64
    /// For a probe: how far behind the symbol, or from the file's start, it lies, in bytes.
    public var offset: UInt64 = 0
    /// For a probe: the symbol of the kernel, or the path of the file.
    public var place: String?
    /// How many of the events lie between two samples.
    public var period: UInt64 = 1
    /// How many samples a second there are, instead of ``period``; 0 when that counts.
    public var frequency: UInt64 = 0

    /// The event of this type and configuration, each one a sample.
    public init(type: UInt32, config: UInt64) {
      self.type = type
      self.config = config
    }
  }

  /// Opens an event that is not counted yet.
  ///
  /// - Parameters:
  ///   - process: -1 for every process.
  ///   - processor: -1 for every one, which the kernel allows only for one process.
  public static func open(
    _ event: Attributes, process: Int32 = -1, processor: Int32
  ) throws(SystemError) -> OwnedFD {
    var raw = vb_perf_event()
    raw.type = event.type
    raw.config = event.config
    raw.config2 = event.offset
    raw.period = event.period
    raw.frequency = event.frequency
    let place = event.place.map { $0.systemBytes.map { CChar(bitPattern: $0) } + [0] } ?? []
    let descriptor = unsafe place.withUnsafeBufferPointer { text in
      if !text.isEmpty { raw.config1 = UInt64(UInt(bitPattern: text.baseAddress)) }
      return unsafe vb_perf_event_open(&raw, process, processor)
    }
    guard descriptor >= 0 else { throw .current("perf_event_open", path: event.place) }
    return OwnedFD(adopting: descriptor)
  }

  /// PERF_EVENT_IOC_ENABLE: from now on it is counted.
  public static func enable(_ event: borrowing OwnedFD) throws(SystemError) {
    guard event.withRaw({ vb_perf_event_enable($0) }) == 0 else { throw .current("ioctl PERF_EVENT_IOC_ENABLE") }
  }

  /// What one file below /sys/bus/event_source/devices/SOURCE says: the `type`, or a field's place in `format/FIELD`.
  ///
  /// ENOENT: this kernel has no such event source.
  public static func source(_ name: String, _ file: String) throws(SystemError) -> String {
    guard let text = try KernelFile.ask(.eventSource, name, file) else {
      throw SystemError("open", path: KernelStatement.eventSource.place(name, file), errno: ENOENT)
    }
    return String(text.prefix { $0 != "\n" })
  }
}

/// The kernel's tracing file system, which numbers tracepoints and lists what can be traced.
public enum TracingFiles {
  /// Where it is mounted: in its own place, or below the debugging file system; nil when it is in neither.
  private static var mounted: KernelStatement? {
    [KernelStatement.tracingFile, .debugTracingFile].first { KernelFile.isMounted($0) }
  }

  /// Whether it is mounted.
  public static var isMounted: Bool { mounted != nil }

  /// The text of a file below its root. ENOENT: it has none.
  public static func text(_ name: String, limit: Int = 64 << 20) throws(SystemError) -> String {
    let statement = mounted ?? .tracingFile
    guard let bytes = try KernelFile.bytes(of: statement, name, limit: limit) else {
      throw SystemError("open", path: statement.place(name), errno: ENOENT)
    }
    return String(decoding: bytes, as: UTF8.self)
  }
}

internal import KernelABI
public import Base
internal import Synchronization

/// A device-mapper device that is suspended: what is read from it waits until it is resumed, in a sleep that only the end of
/// the process ends, and meanwhile its table can be replaced.
public struct SuspendedDevice: Error, Equatable, Sendable {
  public let number: DeviceNumber
  /// Its name below /dev/mapper, where it could be asked.
  public let name: String?

  public init(number: DeviceNumber, name: String?) {
    self.number = number
    self.name = name
  }

  /// Devices that are asked about at most, so that what grows while it is walked comes to an end.
  private static let limit = 64

  /// Refuses a block device from which a read would have to wait: one that is suspended, or that lies over one, be it by
  /// device-mapper or through the file under a loop device.
  ///
  /// Only time is at stake, so a device that cannot be asked about counts as one that is not suspended. An anonymous device
  /// (btrfs, overlayfs) does not say what it lies on.
  ///
  /// - Parameter number: a block device, or the device of a file system.
  /// - Returns: whether there is a device that can be suspended at any time.
  @discardableResult
  public static func requireNone(under number: DeviceNumber) throws(SuspendedDevice) -> Bool {
    var waiting = [number]
    var known: Set<DeviceNumber> = []
    var isMapped = false
    while let device = waiting.popLast(), known.count < limit {
      guard device.major != 0, known.insert(device).inserted else { continue }
      let own = device.description
      if let answer = KernelFile.text(.mappedSuspended, own) {
        isMapped = true
        if answer == "1" { throw SuspendedDevice(number: device, name: KernelFile.text(.mappedName, own)) }
      }
      // A partition has a number of its own; its disk is the directory above.
      let disk = (try? KernelFile.has(.partition, own)) == true ? "\(own)/.." : own
      if let file = KernelFile.text(.loopBackingFile, disk), let status = try? FileStatus.of(path: file) {
        waiting.append(status.kind == .blockDevice ? status.specialDevice : status.device)
      }
      for name in (try? KernelFile.names(.underlyingDevices, disk)) ?? [] {
        if let lower = KernelFile.text(.underlyingNumber, disk, name).flatMap({ DeviceNumber($0) }) {
          waiting.append(lower)
        }
      }
    }
    return isMapped
  }

  /// Seconds that a device may be suspended before what waits for it is given up: the tools that replace a table suspend for
  /// far less.
  static let patience = 5.0

  private final class Outcome<Value: Sendable>: Sendable {
    let isThere = Semaphore()
    let value = Mutex<Value?>(nil)
  }

  /// Makes a call that reads from a device, and gives it up when the device is suspended meanwhile and stays so.
  ///
  /// The call is made on a thread of its own. Once it has answered, that thread is gone, with all that it held: a file that is
  /// still open would keep its file system from being unmounted. A thread that is given up goes on waiting, and ends with the
  /// process.
  ///
  /// - Parameters:
  ///   - patience: seconds that it may be suspended.
  ///   - requireNone: finds out whether it is.
  static func bounding<Value: Sendable>(
    patience: Double = patience, _ requireNone: () throws(SuspendedDevice) -> Void,
    _ call: @escaping @Sendable () -> Value
  ) throws(SuspendedDevice) -> Value {
    let outcome = Outcome<Value>()
    let thread = Thread {
      let value = call()
      outcome.value.withLock { $0 = value }
      outcome.isThere.signal()
    }
    guard let thread else { return call() }
    do throws(SuspendedDevice) {
      let value = try Self.wait(for: outcome, patience: patience, requireNone)
      _ = consume thread
      return value
    } catch {
      thread.detach()
      throw error
    }
  }

  private static func wait<Value: Sendable>(
    for outcome: Outcome<Value>, patience: Double, _ requireNone: () throws(SuspendedDevice) -> Void
  ) throws(SuspendedDevice) -> Value {
    var suspended: Stopwatch?
    while true {
      if outcome.isThere.wait(milliseconds: 50), let value = outcome.value.withLock({ $0 }) { return value }
      do throws(SuspendedDevice) {
        try requireNone()
        suspended = nil
      } catch {
        let since = suspended ?? Stopwatch()
        if since.seconds >= patience { throw error }
        suspended = since
      }
    }
  }

  /// Makes a call that reads from a device, unless that or one under it is suspended; where it is meanwhile, for longer than
  /// a few seconds, the call is given up.
  ///
  /// - Parameter number: a block device, or the device of a file system.
  public static func bounding<Value: Sendable>(
    _ number: DeviceNumber, _ call: @escaping @Sendable () -> Value
  ) throws(SuspendedDevice) -> Value {
    guard try requireNone(under: number) else { return call() }
    return try bounding({ () throws(SuspendedDevice) in try requireNone(under: number) }, call)
  }
}

extension SuspendedDevice: Diagnosable {
  public var diagnostic: Diagnostic {
    let subject = name.map { "device \(number) (`\($0)`)" } ?? "device \(number)"
    return Diagnostic(
      "provenance.suspended", .integrity, "\(subject) is suspended, so that what is read from it would wait",
      expected: "a device that answers", found: "a suspended device-mapper device",
      why: "while it is suspended, its table can be replaced",
      next:
        "find out who suspended it (dmsetup info \(name ?? "")), resume it (dmsetup resume \(name ?? "NAME")), and run "
        + "the command again")
  }
}

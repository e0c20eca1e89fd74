internal import Base
internal import KernelABI
internal import CLinuxShim
internal import Glibc

/// A process that works for this one over two pipes. It is killed, and its end taken, when this value goes.
public struct HelperProcess: ~Copyable, Sendable {
  private let process: OwnedFD
  private let to: OwnedFD
  private let from: OwnedFD

  /// Why an exchange came to nothing.
  public enum Failure: Error, Equatable, Sendable {
    /// It takes or says nothing more.
    case ended
    /// The time was over.
    case silence
    case system(SystemError)
  }

  /// Starts the executable that is open, without arguments or environment.
  public init(executable: borrowing OwnedFD) throws(SystemError) {
    var started = vb_helper()
    let result = executable.withRaw { raw in unsafe vb_helper_start(raw, &started) }
    guard result == 0 else { throw .current("execveat(2)") }
    process = OwnedFD(adopting: started.process)
    to = OwnedFD(adopting: started.to)
    from = OwnedFD(adopting: started.from)
  }

  deinit { _ = process.withRaw { vb_helper_end($0) } }

  /// Ends it.
  ///
  /// - Returns: the signal that it had ended by before, or that ended it now; 0 when it had ended by itself.
  public consuming func end() -> Int32 {
    let signal = process.withRaw { vb_helper_end($0) }
    // A second end finds nothing to kill, and nothing to wait for.
    return signal
  }

  /// Hands it bytes.
  ///
  /// - Parameter time: what is left of it, in milliseconds.
  public borrowing func send(_ bytes: borrowing RawSpan, within time: Allowance) throws(Failure) {
    var done = 0
    let total = bytes.byteCount
    while done < total {
      let wrote = to.withRaw { raw in
        unsafe bytes.withUnsafeBytes { buffer in
          unsafe vb_write_quietly(raw, buffer.baseAddress?.advanced(by: done), total - done)
        }
      }
      if wrote >= 0 {
        done += Int(wrote)
      } else {
        let error = SystemError.current("write")
        if error.code == .eagain {
          try Self.wait(to.withRaw { vb_poll_writable($0, time.milliseconds) })
        } else if error.code == .epipe {
          throw .ended
        } else if error.code != .eintr {
          throw .system(error)
        }
      }
    }
  }

  /// Takes so many bytes of it.
  public borrowing func receive(_ count: Int, within time: Allowance) throws(Failure) -> [UInt8] {
    var bytes = [UInt8](repeating: 0, count: count)
    var done = 0
    while done < count {
      let got = from.withRaw { raw in
        unsafe bytes.withUnsafeMutableBytes { buffer in
          unsafe read(raw, buffer.baseAddress?.advanced(by: done), count - done)
        }
      }
      if got > 0 {
        done += got
      } else if got == 0 {
        throw .ended
      } else {
        let error = SystemError.current("read")
        if error.code == .eagain {
          try Self.wait(from.withRaw { vb_poll_readable($0, time.milliseconds) })
        } else if error.code != .eintr {
          throw .system(error)
        }
      }
    }
    return bytes
  }

  /// Whether it says nothing that it was not asked for, as far as that is there already.
  public borrowing func isSilent() throws(Failure) -> Bool {
    guard from.withRaw({ vb_poll_readable($0, 0) }) != 0 else { return true }
    var byte: UInt8 = 0
    let got = from.withRaw { raw in unsafe read(raw, &byte, 1) }
    // Where it has gone, there is nothing to read either.
    if got == 0 { throw .ended }
    return got < 0
  }

  private static func wait(_ result: CInt) throws(Failure) {
    if result == 0 { throw .silence }
    guard result < 0 else { return }
    let error = SystemError.current("poll")
    if error.code != .eintr { throw .system(error) }
  }
}

/// Time that runs out.
public struct Allowance: Sendable {
  private let watch = Stopwatch()
  private let total: Int

  /// So many milliseconds, from now.
  public init(milliseconds: Int) { total = milliseconds }

  /// What is left, in milliseconds.
  var milliseconds: CInt {
    CInt(clamping: max(0, total - Int(watch.seconds * 1000)))
  }
}

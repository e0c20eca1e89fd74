import Base
import Synchronization
import Testing

@testable import Linux

/// Reads that wait for a device which is suspended. Such a device itself is the test machine's business (`suspended.*`).
@Suite struct SuspendedDeviceTests {
  private let device = SuspendedDevice(number: DeviceNumber(major: 253, minor: 1), name: "other")

  @Test func aCallThatReturnsIsNotAskedAbout() throws {
    let value = try SuspendedDevice.bounding(
      patience: 0, { () throws(SuspendedDevice) in throw device }, { 7 })
    #expect(value == 7)
  }

  /// An open file that outlived the call would keep its file system from being unmounted.
  @Test func whatTheCallHeldIsGoneWhenItHasAnswered() throws {
    final class Held: Sendable {}
    for _ in 0..<500 {
      var held: Held? = Held()
      weak let seen = held
      let value = try SuspendedDevice.bounding(
        patience: 1, { () throws(SuspendedDevice) in }, { [held] in held == nil ? 0 : 7 })
      held = nil
      #expect(value == 7 && seen == nil)
    }
  }

  /// What waits for good is left behind, and says what was suspended.
  @Test func givesUpWhatStaysSuspended() {
    let blocked = Semaphore()
    let watch = Stopwatch()
    #expect(throws: device) {
      try SuspendedDevice.bounding(patience: 0.2, { () throws(SuspendedDevice) in throw device }) { blocked.wait() }
    }
    #expect(watch.seconds >= 0.2 && watch.seconds < 30)
    blocked.signal()
  }

  /// A slow device is no suspended one, and one that is suspended for a while is waited for.
  @Test func waitsForWhatIsResumed() throws {
    let blocked = Semaphore()
    let asked = Atomic(0)
    let value = try SuspendedDevice.bounding(
      patience: 0.2,
      { () throws(SuspendedDevice) in
        let count = asked.add(1, ordering: .relaxed).newValue
        if count == 12 { blocked.signal() }
        // Never for as long as the patience lasts.
        if count % 3 != 0 { throw device }
      },
      {
        blocked.wait()
        return 7
      })
    #expect(value == 7)
    #expect(asked.load(ordering: .relaxed) >= 12)
  }

  /// No device-mapper device is under an anonymous one, nor under one that is not there.
  @Test func whatCannotBeAskedIsNotSuspended() throws {
    for number in [DeviceNumber(major: 0, minor: 1), DeviceNumber(major: 4000, minor: 4000)] {
      #expect(try SuspendedDevice.requireNone(under: number) == false)
    }
  }

  @Test func saysHowToGoOn() {
    let diagnostic = device.diagnostic
    #expect(diagnostic.code == "provenance.suspended" && diagnostic.next?.contains("dmsetup resume other") == true)
    let unnamed = SuspendedDevice(number: device.number, name: nil).diagnostic
    #expect(unnamed.next?.contains("dmsetup resume NAME") == true)
  }
}

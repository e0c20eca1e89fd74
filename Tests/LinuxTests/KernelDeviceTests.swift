import Base
import KernelABI
import Linux
import Testing

/// Device nodes, and what was put in their place.
@Suite(
  .enabled(if: ProcessIdentity.effectiveUser == 0, "mounts need root"),
  .enabled(if: (try? FileStatus.of(path: "/dev/loop-control")) != nil, "no loop devices here"))
struct KernelDeviceTests {
  /// What opening comes to: the device, no device in the kernel, or not the kernel's.
  private enum Outcome: Equatable {
    case opened, absent
    case unanswered(KernelStatement)
    case failed(String)
  }

  private static func open(_ statement: KernelStatement, _ words: String...) -> Outcome {
    do throws(SystemError) {
      let device =
        words.isEmpty
        ? try KernelDevice.open(statement, flags: .readOnly)
        : try KernelDevice.open(statement, words[0], flags: .readOnly)
      try? device.close()
      return .opened
    } catch {
      if let statement = error.unanswered {
        return error.diagnostic.code == "provenance.cannot-ask" ? .unanswered(statement) : .failed("\(error)")
      }
      return error.code == .enoent ? .absent : .failed("\(error)")
    }
  }

  @Test func onlyTheKernelsDeviceIsOpened() throws {
    let directory = try PrivateDirectory(prefix: "kernel-device")
    let (file, empty) = ("\(directory.path)/file", "\(directory.path)/empty")
    try OwnedFD.open(file, [.writeOnly, .create]).writeAll([0x4e].rawSpan)
    try Directory.create(empty)
    #expect(Self.open(.loopControl) == .opened)
    #expect(Self.open(.loopNode, "999999") == .absent)
    #expect(Self.open(.lockdown) == .unanswered(.lockdown))
    let faults = IsolatedThread.run {
      var faults: [String] = []
      func expect(_ outcome: Outcome, _ wanted: Outcome, _ what: String) {
        if outcome != wanted { faults.append("\(what): \(outcome)") }
      }
      let control = KernelStatement.loopControl
      // An ordinary file, another character device, a block device.
      for source in [file, "/dev/null", "/dev/loop0"] where (try? FileStatus.of(path: source)) != nil {
        let isPut = try IsolatedThread.bind(source, over: control.place()) {
          expect(Self.open(control), .unanswered(control), "\(source) as the control device")
        }
        if !isPut { faults.append("\(source) cannot be put over it") }
      }
      let other = KernelStatement.loopNode
      if (try? FileStatus.of(path: other.place("0"))) != nil {
        _ = try IsolatedThread.bind("/dev/null", over: other.place("0")) {
          expect(Self.open(other, "0"), .unanswered(other), "another device as a loop device")
        }
      }
      // Without a node, and without sysfs: the kernel has the device all the same.
      _ = try IsolatedThread.bind(empty, over: "/dev") {
        expect(Self.open(control), .unanswered(control), "no node")
      }
      _ = try IsolatedThread.bind(empty, over: "/sys") {
        expect(Self.open(control), .unanswered(.loopControlNumber), "no sysfs")
        if (try? DeviceMapper.open()) != nil { faults.append("device-mapper without sysfs") }
      }
      return faults
    }
    #expect(faults.isEmpty, "\(faults)")
  }

  /// A block device is opened by its number.
  @Test func blockDevicesHaveTheirNumber() throws {
    let number = DeviceNumber(major: 7, minor: 0)
    guard (try? KernelDevice.nodePath(of: number)) != nil else { return print("skipped: no loop device") }
    #expect(try KernelDevice.openBlock(number).status().specialDevice == number)
    #expect(throws: SystemError.self) { try KernelDevice.requireBlock(number, at: "/dev/null") }
    #expect(throws: SystemError.self) { try KernelDevice.nodePath(of: DeviceNumber(major: 0, minor: 99)) }
    #expect(DeviceNumber("7:0") == number && DeviceNumber("7:0:") == nil && DeviceNumber("7") == nil)
  }
}

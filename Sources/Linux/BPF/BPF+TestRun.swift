internal import CLinuxShim
internal import KernelABI

extension BPF {
  /// What a test run gave.
  public struct TestRun: Equatable, Sendable {
    /// What the program returned.
    public let returned: UInt32
    /// The packet afterwards.
    public let packet: [UInt8]
    /// The mean time of one run, nanoseconds.
    public let nanoseconds: UInt32
  }

  /// BPF_PROG_TEST_RUN: runs a program on a packet, without any interface.
  public static func testRun(
    _ program: KernelObject, packet: [UInt8], times: UInt32 = 1
  ) throws(SystemError) -> TestRun {
    var attributes = vb_bpf_test_run()
    attributes.prog_fd = UInt32(bitPattern: program.descriptor.withRaw { $0 })
    attributes.repeat = times
    // A program may make the packet longer; the kernel says how long it is.
    var output = [UInt8](repeating: 0, count: packet.count + 256)
    let outcome: Result<CInt, SystemError> = unsafe packet.withUnsafeBytes { input in
      unsafe output.withUnsafeMutableBytes { room in
        attributes.data_in = unsafe address(input)
        attributes.data_size_in = UInt32(clamping: input.count)
        attributes.data_out = unsafe address(UnsafeRawBufferPointer(room))
        attributes.data_size_out = UInt32(clamping: room.count)
        return Result { () throws(SystemError) in
          try call(.progTestRun, &attributes)
        }
      }
    }
    withExtendedLifetime(program) {}
    _ = try outcome.get()
    return TestRun(
      returned: attributes.retval, packet: Array(output.prefix(Int(attributes.data_size_out))),
      nanoseconds: attributes.duration)
  }

  /// BPF_PROG_TEST_RUN of a program of type `syscall`: calls it once.
  ///
  /// - Parameter context: what it is called with, at most 64 KiB.
  /// - Returns: what it returned, and the context afterwards.
  public static func testRun(
    _ program: KernelObject, context: [UInt8]
  ) throws(SystemError) -> (returned: UInt32, context: [UInt8]) {
    var attributes = vb_bpf_test_run()
    attributes.prog_fd = UInt32(bitPattern: program.descriptor.withRaw { $0 })
    attributes.ctx_size_in = UInt32(clamping: context.count)
    var copy = context
    let outcome: Result<CInt, SystemError> = unsafe copy.withUnsafeMutableBytes { bytes in
      attributes.ctx_in = unsafe address(UnsafeRawBufferPointer(bytes))
      return Result { () throws(SystemError) in
        try call(.progTestRun, &attributes)
      }
    }
    withExtendedLifetime(program) {}
    _ = try outcome.get()
    return (attributes.retval, copy)
  }
}

import KernelABI
import Linux
import Testing

@testable import Loader

/// The demo's packet programs, loaded by us, on packets.
@Suite(.enabled(if: Machine.loads)) struct PacketProgramTests {
  private static let pass: UInt32 = 2  // XDP_PASS

  @Test func countsPacketsByProtocol() throws {
    let object = try Objects.load(Objects.demo("xdp_counter"))
    let program = try object.program("xdp_counter")
    let counters = try object.map("counters")
    let udp = Packet.ethernet(0x0800, Packet.ipv4(Packet.udp, to: 53))
    let tagged = Packet.ethernet(0x0800, vlanTags: 2, Packet.ipv4(Packet.tcp, to: 22))
    for _ in 0..<3 { #expect(try BPF.testRun(program, packet: udp).returned == Self.pass) }
    #expect(try BPF.testRun(program, packet: tagged).returned == Self.pass)

    let seen = try BPF.lookup(counters, key: bytes(UInt32(17)), valueSize: 16)
    #expect(try number(seen) == 3)
    #expect(try number(seen, at: 8) == UInt64(3 * udp.count))
    #expect(try number(BPF.lookup(counters, key: bytes(UInt32(6)), valueSize: 16)) == 1, "behind two VLAN tags")
    #expect(try number(BPF.lookup(counters, key: bytes(UInt32(1)), valueSize: 16)) == 0)
  }

  @Test func usesItsThreeDataSections() throws {
    let object = try Objects.load(Objects.demo("xdp_counter"))
    let program = try object.program("xdp_counter")
    let counters = try object.map("counters")
    let key = bytes(UInt32(6))

    // .rodata says two VLAN tags, and nobody can say otherwise any more.
    let deep = Packet.ethernet(0x0800, vlanTags: 3, Packet.ipv4(Packet.tcp, to: 22))
    _ = try BPF.testRun(program, packet: deep)
    #expect(try number(BPF.lookup(counters, key: key, valueSize: 16)) == 0)
    let rodata = try object.map(".rodata")
    #expect(try BPF.lookup(rodata, key: bytes(UInt32(0)), valueSize: 4) == bytes(UInt32(2)))
    let refused = #expect(throws: SystemError.self) {
      try BPF.update(rodata, key: bytes(UInt32(0)), value: bytes(UInt32(9)))
    }
    #expect(refused?.code == .eperm)

    // .bss counted the frame that was not IP behind two tags.
    let bss = try BPF.lookup(object.map(".bss"), key: bytes(UInt32(0)), valueSize: 16)
    #expect(try [number(bss), number(bss, at: 8)].sorted() == [0, 1])

    // .data pauses the counting.
    let plain = Packet.ethernet(0x0800, Packet.ipv4(Packet.tcp, to: 22))
    try BPF.update(object.map(".data"), key: bytes(UInt32(0)), value: bytes(UInt32(0)))
    _ = try BPF.testRun(program, packet: plain)
    #expect(try number(BPF.lookup(counters, key: key, valueSize: 16)) == 0)
    try BPF.update(object.map(".data"), key: bytes(UInt32(0)), value: bytes(UInt32(1)))
    _ = try BPF.testRun(program, packet: plain)
    #expect(try number(BPF.lookup(counters, key: key, valueSize: 16)) == 1)
  }

  @Test(arguments: [
    (Packet.ipv4(Packet.tcp, to: 80), 0), (Packet.ipv4(Packet.tcp, to: 873), 1), (Packet.ipv4(Packet.udp, to: 53), 2),
    (Packet.ipv4(Packet.tcp, to: 80, dscp: 46), 2), (Packet.ipv4(Packet.tcp, to: 179), 3),
    (Packet.ipv4(Packet.tcp, to: 22, dscp: 56), 3),
  ])
  func classifies(packet: [UInt8], expected: Int) throws {
    let object = try Objects.load(Objects.demo("tcx_classifier"))
    let program = try object.program("tcx_classifier")
    let run = try BPF.testRun(program, packet: Packet.ethernet(0x0800, packet))
    #expect(Int32(bitPattern: run.returned) == -1)

    // Per-CPU values: one number a processor, one after the other.
    let processors = try #require(KernelSettings.possibleProcessors())
    for index in 0..<4 {
      let values = try #require(
        try BPF.lookup(object.map("classes"), key: bytes(UInt32(index)), valueSize: 8 * processors))
      let total = try (0..<processors).reduce(0) { try $0 + number(values, at: 8 * $1) }
      #expect(total == (index == expected ? 1 : 0), "class \(index)")
    }
  }

  @Test func filtersForItsPort() throws {
    let object = try Objects.load(Objects.demo("socket_filter"))
    let program = try object.program("socket_filter")
    let domain = Packet.ethernet(0x0800, Packet.ipv4(Packet.udp, to: 53))
    let web = Packet.ethernet(0x0800, Packet.ipv4(Packet.tcp, to: 80))
    #expect(try BPF.testRun(program, packet: domain).returned == 96)
    #expect(try BPF.testRun(program, packet: web).returned == 0)

    try BPF.update(object.map(".data"), key: bytes(UInt32(0)), value: bytes(UInt16(80)))
    #expect(try BPF.testRun(program, packet: domain).returned == 0)
    #expect(try BPF.testRun(program, packet: web).returned == 96)
    let counts = try BPF.lookup(object.map(".bss"), key: bytes(UInt32(0)), valueSize: 16)
    #expect(try Set([number(counts), number(counts, at: 8)]) == [2])
  }

  @Test func refusesBlockedNetworksAndPorts() throws {
    let object = try Objects.load(Objects.demo("egress_filter"))
    let program = try object.program("egress_filter")
    let networks = try object.map("blocked_networks")
    let ports = try object.map("blocked_ports")
    let bad = Packet.ethernet(0x0800, Packet.ipv4(Packet.udp, to: 9, destination: [192, 0, 2, 7]))
    let good = Packet.ethernet(0x0800, Packet.ipv4(Packet.tcp, to: 80, destination: [198, 51, 100, 1]))
    #expect(try BPF.testRun(program, packet: bad).returned == 1, "empty maps refuse nothing")

    let network: [UInt8] = bytes(UInt32(24)) + [192, 0, 2, 0]
    try BPF.update(networks, key: network, value: bytes(UInt64(0)))
    try BPF.update(ports, key: bytes(UInt16(80)), value: bytes(UInt64(0)))
    #expect(try BPF.testRun(program, packet: bad).returned == 0)
    #expect(try BPF.testRun(program, packet: good).returned == 0)
    #expect(try number(BPF.lookup(networks, key: network, valueSize: 8)) == 1)
    #expect(try number(BPF.lookup(ports, key: bytes(UInt16(80)), valueSize: 8)) == 1)
  }
}

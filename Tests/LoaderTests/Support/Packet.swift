/// Ethernet frames with IPv4 inside, for test runs. Checksums are left at zero: the programs do not look at them.
enum Packet {
  static let tcp: UInt8 = 6
  static let udp: UInt8 = 17

  /// An Ethernet frame around a payload; VLAN tags are 802.1Q with tag control 1.
  static func ethernet(_ type: UInt16, vlanTags: Int = 0, _ payload: [UInt8]) -> [UInt8] {
    var frame = [UInt8](repeating: 2, count: 12)
    for _ in 0..<vlanTags { frame += [0x81, 0x00, 0x00, 0x01] }
    return frame + bigEndian(type) + payload
  }

  /// An IPv4 packet with a TCP or UDP header of which only the ports count, 40 bytes in all.
  static func ipv4(
    _ protocolNumber: UInt8, to port: UInt16, from: UInt16 = 40000, dscp: UInt8 = 0,
    destination: [UInt8] = [127, 0, 0, 1]
  ) -> [UInt8] {
    let header: [UInt8] = [0x45, dscp << 2, 0, 40, 0, 1, 0, 0, 64, protocolNumber, 0, 0, 127, 0, 0, 1] + destination
    return header + bigEndian(from) + bigEndian(port) + [UInt8](repeating: 0, count: 16)
  }

  private static func bigEndian(_ value: UInt16) -> [UInt8] {
    [UInt8(truncatingIfNeeded: value >> 8), UInt8(truncatingIfNeeded: value)]
  }
}

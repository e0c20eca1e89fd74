import Linux
import TestSupport

/// Which devices count as the volumes that their root hashes name.
enum GateDeviceCases {
  static let cases = [
    GateCases.gateCase("device-that-ignores-corruption") {
      try GateUnderTest.require()
      try expectRefused("gate-flipped", ["ignore_corruption"], isTampered: true)
    },
    GateCases.gateCase("device-that-verifies-once") {
      try GateUnderTest.require()
      try expectRefused("gate-tools", ["check_at_most_once"], isTampered: false)
    },
    GateCases.gateCase("device-that-restarts-the-machine") {
      try GateUnderTest.require()
      try expectRefused("gate-tools", ["restart_on_corruption"], isTampered: false)
    },
    // Pages of the other table may be cached, whatever the table is now.
    GateCases.gateCase("table-swapped-and-back") {
      try GateUnderTest.require()
      let tools = try GateTools(name: "swapped")
      try tools.setRows()
      try tools.judging.expectLoad(0, "before")
      let twin = try LoopDevices.attachReadOnly(OwnedFD.open("/images/gate-twin.raw", .readOnly))
      defer { try? LoopDevices.detach(twin) }
      try tools.volume.load(loop: twin, rootHash: Machine.text("/images/gate-twin.roothash").trimmed)
      try tools.volume.resume()
      try tools.judging.expectLoad(1, "with the other table")
      try tools.volume.load(loop: tools.volume.loop)
      try tools.volume.resume()
      try tools.judging.expectLoad(1, "with the first table again")
      try expectEqual(try GateUnderTest.device(tools.volume)?.events, 3, "root hashes announced")
      try expectFresh(after: tools)
    },
    GateCases.gateCase("device-suspended-and-resumed") {
      try GateUnderTest.require()
      let tools = try GateTools(name: "resumed")
      try tools.judging.expectLoad(0, "before")
      try tools.volume.suspend()
      try tools.volume.resume()
      try tools.judging.expectLoad(1, "after")
      try expectFresh(after: tools)
    },
    GateCases.gateCase("device-from-before") {
      try GateUnderTest.require()
      let before = try GateCases.before()
      try before.setRows()
      try expect(try GateUnderTest.device(before.volume) == nil, "a row for a device from before the gate")
      try before.judging.expectLoad(1, "a device that nobody has announced")
      let rootHash = try GateLayouts.rootHash(before.volume.rootHash)
      try GateUnderTest.setDevice(before.volume, .init(rootHash: rootHash, flags: .seeded))
      try before.judging.expectLoad(0, "a device whose row is seeded")
      try before.volume.suspend()
      try before.volume.resume()
      try before.judging.expectLoad(1, "a seeded device that is announced")
      try expect(try GateUnderTest.device(before.volume)?.flags.contains(.tainted) == true, "it is not tainted")
      before.volume.close()
      // A device that is only announced late.
      try expect(try GateUnderTest.device(GateCases.tools().volume)?.events == 1, "events of the tools' device")
    },
  ]

  /// A volume opened in a way that lets damaged blocks pass: its listed program runs, and loads nothing.
  private static func expectRefused(_ image: String, _ options: [String], isTampered: Bool) throws {
    let tools = try GateTools(image, name: "lenient", options: options)
    try tools.setRows()
    let marker = try tools.judging.run("marker").text.trimmed
    try expectEqual(marker, isTampered ? "damaged by purpose" : "damaged on purpose", "what the program says")
    try expect(try GateUnderTest.device(tools.volume)?.flags == .lenient, "how the device is known")
    try tools.judging.expectLoad(1, "a device that is not strict")
    // The attack works where nobody asks for the mode.
    guard var device = try GateUnderTest.device(tools.volume) else { throw Failure(description: "no row") }
    device.flags = []
    try GateUnderTest.setDevice(tools.volume, device)
    try tools.judging.expectLoad(0, "the mode does not count")
    tools.volume.close()
  }

  /// Opened anew, the same image is known again.
  private static func expectFresh(after tools: GateTools) throws {
    tools.volume.close()
    let again = try GateTools(name: "again")
    try expect(try GateUnderTest.device(again.volume)?.flags == [], "how the new device is known")
    try again.judging.expectLoad(0, "the volume, opened again")
    again.volume.close()
  }
}

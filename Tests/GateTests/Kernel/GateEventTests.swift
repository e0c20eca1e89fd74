import Base
import Gate
import Testing

/// What a gate records, and what is made of it.
struct GateEventTests {
  /// A record as gate.h lays it out.
  static func record(
    hook: UInt32 = 1, reason: UInt32 = 20, verdict: UInt32 = 2, type: UInt32 = 6, digest: UInt8 = 0,
    rootHash: [UInt8] = [UInt8](repeating: 5, count: 32)
  ) -> [UInt8] {
    var bytes: [UInt8] = []
    bytes.appendLittleEndian(UInt64(1_500_000_000))
    for number in [41, 42, 1000, hook, reason, verdict] as [UInt32] { bytes.appendLittleEndian(number) }
    bytes += Array("ip".utf8) + [UInt8](repeating: 0, count: 14)
    bytes.appendLittleEndian(UInt32(253 << 20 | 3))
    bytes.appendLittleEndian(type)
    bytes.appendLittleEndian(UInt64(1234))
    for number in [37, 0, 2, 17, UInt32.max, 0] as [UInt32] { bytes.appendLittleEndian(number) }
    bytes += [UInt8](repeating: digest, count: 32) + rootHash + [UInt8](repeating: 0, count: 64 - rootHash.count)
    return bytes
  }

  static func event(_ bytes: [UInt8]) throws -> GateEvent { try GateEvent(bytes.rawSpan) }

  @Test func fieldsAreWhereTheGatePutsThem() throws {
    let bytes = Self.record(digest: 1)
    #expect(bytes.count == GateLayout.eventSize)
    let event = try Self.event(bytes)
    #expect(event.time == 1_500_000_000 && event.pid == 41 && event.thread == 42 && event.uid == 1000)
    #expect(event.hook == .programLoad && event.reason == .unknownExecutable && event.verdict == .wouldRefuse)
    #expect(event.commandText == "ip" && event.deviceText == "253:3" && event.inode == 1234)
    #expect(event.programText == "xdp/xdp" && event.coreRelocations == 2 && event.number == 17 && event.row == nil)
    #expect(event.digestHex == String(repeating: "01", count: 32))
    #expect(event.volume?.description == "sha256:" + String(repeating: "05", count: 32))
    #expect(event.isLoad && event.isRefusal)
    for count in 0..<bytes.count {
      #expect(throws: ByteError.self) { try Self.event(Array(bytes.prefix(count))) }
    }
  }

  @Test func rootHashesHaveTheSizeOfTheirFunction() throws {
    let long = try Self.event(Self.record(rootHash: [UInt8](repeating: 5, count: 64)))
    #expect(long.volume?.algorithm == .sha512)
    #expect(try Self.event(Self.record(rootHash: [])).volume == nil)
  }

  @Test func wordsAreOneForEachNumber() {
    #expect(Set(GateReason.allCases.map(\.word)).count == GateReason.allCases.count)
    #expect(Set(GateHook.allCases.map(\.name)).count == GateHook.allCases.count)
    #expect(Set(GateVerdict.allCases.map(\.word)).count == GateVerdict.allCases.count)
  }

  @Test func programsMadeAtRunTimeHaveNoScript() throws {
    let made = try Self.event(Self.record(reason: GateReason.scope.rawValue, verdict: 0, digest: 7))
    #expect(made.isGenerated && made.line.hasSuffix("script not known"))
    let members = JSONValue.object(made.jsonMembers)
    #expect(members["script"] == "not known" && members["sha256"] != .null && members["number"] == 17)
    for other in [
      Self.record(reason: GateReason.scope.rawValue), Self.record(reason: GateReason.digest.rawValue, verdict: 0),
      Self.record(hook: 5, reason: GateReason.scope.rawValue, verdict: 0),
    ] {
      #expect(JSONValue.object(try Self.event(other).jsonMembers)["script"] == .null)
    }
  }

  @Test func equalRefusalsAreCounted() throws {
    let events = try [
      Self.record(), Self.record(), Self.record(reason: 22, digest: 3), Self.record(verdict: 0), Self.record(hook: 5),
      Self.record(reason: 999),
    ].map { try Self.event($0) }
    let summary = WatchSummary(events)
    #expect(summary.loads.map(\.count) == [2, 1, 1])
    #expect(summary.admitted == 1 && summary.others == 1)
    #expect(summary.loads[0].advice.contains("x_requester_dmverity_roothash=sha256:0505"))
    #expect(summary.loads[1].advice.contains("--image"))
    #expect(summary.loads[2].event.line.contains("reason 999"))
    #expect(summary.loads[0].json["count"] == 2 && summary.loads[0].json["reason"] == "unknown-executable")
  }
}

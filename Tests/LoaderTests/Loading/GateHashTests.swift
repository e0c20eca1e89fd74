import Base
import Linux
import Testing

@testable import Loader

/// The SHA-256 of the gate's programs (images/gate/include/sha256.h), run on messages of ours.
@Suite(.enabled(if: Machine.loads)) struct GateHashTests {
  /// The program, and what it works on.
  private struct Hasher: ~Copyable {
    let object: LoadedObject
    let messages: KernelObject
    let hashes: KernelObject
    let program: KernelObject
    static let messageSize = 131072

    static func load() throws -> Hasher {
      let object = try Objects.load(Objects.fixture("gate_hash"))
      let messages = try object.map("messages")
      let hashes = try object.map("hashes")
      let program = try object.program("hash_message")
      return Hasher(object: object, messages: messages, hashes: hashes, program: program)
    }

    /// The digest of a message, and what one of `times` took, in nanoseconds.
    func hash(_ message: [UInt8], times: UInt64 = 1) throws -> (digest: [UInt8], nanoseconds: UInt64) {
      // What lies behind the message must not matter.
      let rest = [UInt8](repeating: 0xee, count: Self.messageSize - message.count)
      try BPF.update(messages, key: bytes(UInt32(0)), value: message + rest)
      let run = try BPF.testRun(program, context: bytes(UInt64(message.count)) + bytes(times) + bytes(UInt64(0)))
      try #require(run.returned == 0)
      let value = try #require(
        try BPF.lookup(hashes, key: bytes(UInt32(0)), valueSize: Int(BPF.mapInfo(hashes).valueSize)))
      return (Array(value[..<32]), try number(run.context, at: 16) / times)
    }
  }

  /// Every length of a last block, and the lengths around one more and around many.
  @Test func isSHA256() throws {
    let hasher = try Hasher.load()
    for size in Array(0...130) + [511, 512, 513, 8000, 131071, 131072] {
      let message = (0..<size).map { UInt8(truncatingIfNeeded: $0 &* 31 &+ size) }
      #expect(try hasher.hash(message).digest == Digest.of(message.rawSpan).bytes, "\(size) bytes")
    }
  }

  /// What a load pays for its digest. Printed and not judged: it says more of the machine than of the code.
  @Test func printsItsCost() throws {
    let hasher = try Hasher.load()
    for count in [100, 1000, 10_000] {
      let message = [UInt8](repeating: 0xb7, count: 8 * count)
      let times = try (0..<10).map { _ in try hasher.hash(message, times: 20).nanoseconds }
      print("gate: the digest of \(count) instructions takes \((times.min() ?? 0) / 1000) us")
    }
  }
}

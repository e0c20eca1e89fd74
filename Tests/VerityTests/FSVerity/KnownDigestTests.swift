import Base
import Verity
import Testing

/// The table of fsverity-utils' programs/test_compute_digest.c.
@Suite struct KnownDigestTests {
  struct Answer: Sendable, CustomTestStringConvertible {
    let size: Int
    var algorithm = HashAlgorithm.sha256
    var blockSize = 4096
    var salt = ""
    let digest: String
    var testDescription: String { "\(size) bytes, \(algorithm.rawValue), \(blockSize), salt `\(salt)`" }
  }

  static let answers = [
    Answer(size: 1_000_000, digest: "48df0c462329cd879661bd05b39aa81b05cc16afd27a7196a559da83531d39d9"),
    Answer(size: 100_000, digest: "f2096a36c5cdca4fa33ee8852833150bb324992e5417a9d571f1bffff73b9efc"),
    Answer(size: 4096, digest: "6ac39979016e3ddf3d39fff6cb984f7c118acdf1852919f5c100c4b142c1818e"),
    Answer(size: 1, digest: "b803429503d95915829b29fdbc8bbad142f3abfd11b1cadf5526582e685c0551"),
    Answer(size: 0, digest: "3d248ca542a24fc62d1c43b916eae5016878e2533c88238480b26128a1f1af95"),
    Answer(
      size: 1_000_000, salt: "abcd", digest: "917900b0d299454aa304d5debc6f39e4af7b5abe33bdbc568d5d8f1e5c4d8652"),
    Answer(
      size: 1_000_000, salt: "0123456789:;<=>?@ABCDEFGHIJKLMNO",
      digest: "bc2d70324c048c220a2cb190832140863eb268e680427939e5d467bea5ec5ad9"),
    Answer(
      size: 1_000_000, blockSize: 1024, digest: "e9df927c14fcb961d5f51c666d8ae4c14fe4ff98a374c733e898d00c9e74a8e3"),
    Answer(
      size: 1_000_000, blockSize: 65536, digest: "f3b6418f26d4d0e74728193bae76f15cb4bb2ce9777448d76bd8138b69ec61c2"),
    Answer(
      size: 1_000_000, algorithm: .sha512, salt: "abcd",
      digest: "8425c6d0c94f84ed904c12936845fbb7af9953753789712dcc3be142db3d4b6b"
        + "47a399ad52aa609256ce29a960bf4bb0e595ec386ca58c06519d546dc5b197bb"),
  ]

  @Test(arguments: answers)
  func isTheirs(answer: Answer) throws {
    let content = (0..<answer.size).map { UInt8(truncatingIfNeeded: $0 % 11 + $0 % 439 + $0 % 1103) }
    let descriptor = try VerityDescriptor.describing(
      content.rawSpan, algorithm: answer.algorithm, blockSize: answer.blockSize, salt: Array(answer.salt.utf8))
    #expect(try descriptor.digest.hex == answer.digest)
  }

  /// The kernel has no fs-verity with smaller blocks than 1024 bytes, which the tool computes too.
  @Test func smallerBlocksAreRefused() {
    let content = [UInt8](repeating: 0, count: 1000)
    #expect(throws: FSVerityError.self) { try VerityDescriptor.describing(content.rawSpan, blockSize: 512) }
  }
}

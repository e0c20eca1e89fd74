import Base
import Testing

@testable import Provenance

/// Hash functions as tables name them.
@Suite struct HashFunctionTests {
  /// A table may name an implementation of a hash function.
  @Test(arguments: [
    ("sha256", HashAlgorithm.sha256), ("sha256-lib", .sha256), ("sha256-ni", .sha256), ("sha512-avx2", .sha512),
    ("sha512", .sha512), ("sha256-", nil), ("sha256-other", nil), ("sha3-256", nil), ("lib", nil), ("", nil),
    ("hmac(sha256)", nil), ("sha256-lib-x", nil),
  ])
  func hashFunctionsOfTables(name: String, algorithm: HashAlgorithm?) {
    #expect(HashAlgorithm(kernelName: name) == algorithm)
  }
}

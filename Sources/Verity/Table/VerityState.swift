/// How a verity target goes (`verity_status` of STATUSTYPE_INFO).
public struct VerityState: Equatable, Sendable {
  /// A block that does not verify has been seen since the table is in force. It stays said.
  public let hasSeenCorruption: Bool
  /// How many blocks error correction has repaired, where the kernel counts them.
  public let corrected: UInt64?

  /// Reads `V` or `C`; later kernels add the number of corrected blocks, or `-` without error correction.
  public init(_ text: String) throws(TableError) {
    let words = text.split(separator: " ")
    guard let first = words.first, first == "V" || first == "C", words.count <= 2 else { throw .state(text: text) }
    hasSeenCorruption = first == "C"
    guard words.count == 2, words[1] != "-" else {
      corrected = nil
      return
    }
    guard let count = UInt64(words[1]) else { throw .state(text: text) }
    corrected = count
  }
}

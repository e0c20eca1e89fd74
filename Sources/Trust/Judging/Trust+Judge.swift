internal import Base
internal import Signatures

/// What counts no more, whatever vouches for it: a text of lines `signer DIGEST`, `object DIGEST` and `root-hash DIGEST`,
/// with digests as `sha256:HEX`; `#` begins a comment.
///
/// The list can be made anywhere in this module and asked in this file alone, where ``Trust/judge(_:at:)`` is.
struct Revocations: Sendable {
  /// A line. What its digest is beyond the ``key`` stays in the text: a list may have a hundred thousand lines, of which a
  /// run asks for a handful, and a value for each would take longer than everything else that a load does.
  private struct Entry {
    /// The first eight bytes of the digest.
    let key: UInt64
    let kind: Revocation.Kind
    /// The word `sha256:HEX` in the text.
    let digest: Range<Int>
    /// From 1.
    let line: Int
    /// The index of the next entry in the same slot; -1 behind the last.
    var next = -1
  }

  private let path: String
  private let list: RevocationList.Identity?
  private let text: [UInt8]
  private var entries: [Entry] = []
  private var heldKinds: Set<Revocation.Kind> = []
  /// The index of the first entry of each slot, -1 for none. There is a power of two of them, one at least for each entry.
  private var first: [Int] = [-1]

  /// How many lines say something.
  var count: Int { entries.count }

  /// Reads the text. A line that is not understood could be the one that matters, so it is an error.
  ///
  /// - Parameters:
  ///   - path: where the text is from.
  ///   - list: the signed list that it is of.
  ///   - start: where its lines begin: behind the head of a signed list, which is then the first line.
  init(
    text: [UInt8], path: String, list: RevocationList.Identity? = nil, from start: Int = 0
  ) throws(TrustError) {
    (self.path, self.list, self.text) = (path, list, text)
    let bytes = text.span
    let kinds = Revocation.Kind.allCases.map { (kind: $0, word: Array($0.rawValue.utf8)) }
    let algorithms = HashAlgorithm.allCases.map { (word: Array("\($0.rawValue):".utf8), digits: 2 * $0.digestSize) }
    var (start, line) = (start, start == 0 ? 1 : 2)
    while start < bytes.count {
      var reader = LineReader(bytes, from: start)
      let words = reader.words()
      guard reader.isASCII || String(validating: text[start..<reader.end], as: UTF8.self) != nil,
        words.count == 0 || words.count == 2
      else { throw .revocations(path: path, line: line) }
      if words.count == 2 {
        guard let (kind, word) = kinds.first(where: { bytes.begins(with: $0.word, at: words.first) }),
          word.count == words.first.count,
          let algorithm = algorithms.first(where: { bytes.begins(with: $0.word, at: words.second) }),
          words.second.count == algorithm.word.count + algorithm.digits,
          let key = Self.key(bytes, words.second.dropFirst(algorithm.word.count))
        else { throw .revocations(path: path, line: line) }
        heldKinds.insert(kind)
        entries.append(Entry(key: key, kind: kind, digest: words.second, line: line))
      }
      (start, line) = (reader.end + 1, line + 1)
    }
    first = Array(repeating: -1, count: 1 << (Int.bitWidth - entries.count.leadingZeroBitCount))
    // From the last line, so that of two that say the same the first is found.
    for index in entries.indices.reversed() {
      let slot = slot(of: entries[index].key)
      entries[index].next = first[slot]
      first[slot] = index
    }
  }

  /// The first eight bytes that digits stand for; nil when they are not all digits.
  private static func key(_ text: Span<UInt8>, _ digits: Range<Int>) -> UInt64? {
    var key: UInt64 = 0
    for index in digits {
      guard let value = Hex.value(of: text[index]) else { return nil }
      if index - digits.lowerBound < 16 { key = key << 4 | UInt64(value) }
    }
    return key
  }

  /// Digests are spread evenly by themselves.
  private func slot(of key: UInt64) -> Int { Int(truncatingIfNeeded: key) & (first.count - 1) }

  /// Whether a line of that kind is among them.
  fileprivate func hold(_ kind: Revocation.Kind) -> Bool { heldKinds.contains(kind) }

  fileprivate func entry(_ kind: Revocation.Kind, _ digest: Digest?) -> Revocation? {
    guard let digest else { return nil }
    let key = digest.bytes.prefix(8).reduce(0) { $0 << 8 | UInt64($1) }
    var index = first[slot(of: key)]
    while index >= 0 {
      let entry = entries[index]
      if entry.key == key, entry.kind == kind,
        Digest(String(decoding: text[entry.digest], as: UTF8.self)) == digest
      {
        return Revocation(kind: kind, digest: digest, path: path, line: entry.line, list: list)
      }
      index = entry.next
    }
    return nil
  }
}

extension Trust {
  /// Says whether something is trusted, and by whom: the only place that does. What was revoked comes before everything
  /// else.
  ///
  /// - Parameter time: seconds since 1970-01-01T00:00:00Z, against which the dates of certificates are held.
  public func judge(_ subject: Subject, at time: Int64) -> Verdict {
    if let revocation = revocation(of: subject) { return .revoked(revocation) }
    let verdict = checkSignature(of: subject, at: time)
    switch verdict {
    case .trusted(let voucher), .expired(let voucher), .wrongPurpose(let voucher):
      // A signer who was revoked is refused as that, also with a certificate that has run out.
      return revocation(of: voucher).map { .revoked($0) } ?? verdict
    case .unsigned, .nobodyTrusted, .untrusted, .malformed, .unchecked, .revoked:
      return verdict
    }
  }

  /// Whether a signer is revoked. While one is, a signature whose signer is not known may be that one's.
  public var revokesSigners: Bool { revocations.contains { $0.hold(.signer) } }

  /// The entry that names the subject itself.
  private func revocation(of subject: Subject) -> Revocation? {
    switch subject {
    case .rootHash(let rootHash, signature: _): entry(.rootHash, rootHash)
    case .object(_, let digest): entry(.object, digest)
    // These have no entries of their own: a file is revoked as an object, a policy or a list by its signer, who is asked
    // about later.
    case .file, .policy, .revocations, .signer: nil
    }
  }

  /// The entry that names who vouches, or what they vouch for.
  private func revocation(of voucher: Voucher) -> Revocation? {
    entry(.object, voucher.object?.content) ?? entry(.signer, voucher.signer)
  }

  /// The first entry of all lists, the machine's own before others.
  private func entry(_ kind: Revocation.Kind, _ digest: Digest?) -> Revocation? {
    for list in revocations {
      if let found = list.entry(kind, digest) { return found }
    }
    return nil
  }
}

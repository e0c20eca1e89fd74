import BPFObject
import Base
import Signatures

/// PKCS#7 messages, and objects with signatures in and behind them.
///
/// The signer of the corpus has signed a policy, a statement, a root hash and an object, and has no key any more: whatever
/// libFuzzer makes of a message, it may vouch for nothing else.
enum SignatureTarget {
  static func check(_ bytes: [UInt8]) throws(BrokenPromise) -> Bool {
    let attached = try checkAttached(bytes)
    let detached = try checkDetached(bytes)
    let object = try checkObject(bytes)
    return attached || detached || object
  }

  private static func checkAttached(_ message: [UInt8]) throws(BrokenPromise) -> Bool {
    try accepts {
      try Fixtures.trusted.use { trusted in
        let verified = try SignedMessage.verify(message, trusted: trusted)
        try require(
          verified.content == Fixtures.policy || verified.content == Fixtures.statement,
          "a signer vouches for what was signed, and for nothing else")
        try require(Fixtures.trusted.fingerprints == [verified.signer], "and is named")
        try require((try? SignedMessage.verify(message, content: [], trusted: trusted)) == nil, "it is attached")
        let strict = try? SignedMessage.verify(message, trusted: trusted, allowsAttributes: false)
        try require(strict == nil || strict == verified, "without attributes the same is said, or nothing")
      }
      try Fixtures.strangers.use { strangers in
        try require((try? SignedMessage.verify(message, trusted: strangers)) == nil, "a stranger signed nothing")
      }
      try SignedMessage.checkForm(message, isDetached: false)
    }
  }

  private static func checkDetached(_ message: [UInt8]) throws(BrokenPromise) -> Bool {
    try accepts {
      try Fixtures.trusted.use { trusted in
        let content = Fixtures.rootHash
        let verified = try SignedMessage.verify(message, content: content, trusted: trusted)
        try require(verified.content == content, "what was signed is the content")
        for changed in [content + [0x0a], Array(content.dropLast()), [], content.map { $0 ^ 1 }] {
          let answer = try? SignedMessage.verify(message, content: changed, trusted: trusted)
          try require(answer == nil, "a signature is over one content alone")
        }
        try require((try? SignedMessage.verify(message, trusted: trusted)) == nil, "it is detached")
      }
      try SignedMessage.checkForm(message, isDetached: true)
    }
  }

  // MARK: - Objects

  private static let plain = linked(Fixtures.object)

  private static func linked(_ object: [UInt8]) -> LinkedObject? {
    try? BPFObject.link(bytes: object.rawSpan, allowsExterns: true)
  }

  private static func checkObject(_ bytes: [UInt8]) throws(BrokenPromise) -> Bool {
    let isSigned = ObjectVerifier.isSigned(bytes.rawSpan)
    return try accepts {
      let verified = try Fixtures.trusted.use { try ObjectVerifier.verify(bytes.rawSpan, trusted: $0) }
      try require(isSigned, "an object whose signature holds has one")
      let object = Fixtures.object
      let text = try ObjectSigner.bytesToSign(of: object.rawSpan)
      switch verified.format {
      case .companion:
        try require(verified.content == (try Digest.of(text.rawSpan)), "a signature is over the object's manifest")
      case .module:
        try require(
          try ModuleSignature.bytesToSign(of: bytes.rawSpan) == object, "a trailer is over the whole file")
      }
      // Whatever was stripped or moved: what is loaded is what was signed.
      try require(linked(bytes) == plain, "an object whose signature holds is linked to what was signed")
      _ = try ObjectSigner.kernelSignatures(of: bytes.rawSpan)
    }
  }
}

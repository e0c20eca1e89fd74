internal import Admission
internal import ByteKit
internal import Diagnostics
internal import PolicyStore
internal import PolicySyntax
internal import Signatures

extension SelfTest {
  /// What is older than what was there before.
  static func rollbackControls(_ specimen: borrowing Specimen) -> [Control] {
    imageRollback(specimen) + policyRollback()
  }

  /// A rule that asks for a newer image than this one.
  private static func imageRollback(_ specimen: borrowing Specimen) -> [Control] {
    let object = AdmissionRequest.Object.image(path: specimen.path, object: specimen.object)
    func ask(_ version: [UInt32]) -> Answer {
      let text = version.map { String($0) }.joined(separator: ".")
      return Question(rule: "dmverity_roothash=\(specimen.rootHash) x_image_version_min=\(text)").ask(object)
    }
    let current = "an image of just the version that the policy asks for"
    let older = "an image older than the policy asks for"
    guard let version = specimen.version, let last = version.last, last < 65535 else {
      let reason = "the image's manifest has no version of numbers"
      return [
        Control("version", current, .allowed, .skipped(reason: reason)),
        Control("older-image", older, .refused(["policy.denied"]), .skipped(reason: reason)),
      ]
    }
    return [
      Control("version", current, .allowed, answer: ask(version)),
      Control(
        "older-image", older, .refused(["policy.denied"]), answer: ask(version.dropLast() + [last + 1])),
    ]
  }

  /// The store's rule about versions, on a state of its own: this machine's store is neither read nor changed.
  private static func policyRollback() -> [Control] {
    guard let digest = Digest(.sha256, bytes: [UInt8](repeating: 7, count: 32)),
      let other = Digest(.sha256, bytes: [UInt8](repeating: 8, count: 32))
    else { return [] }
    var state = StoreState(trusted: digest)
    func install(_ version: PolicyVersion, _ message: Digest) -> Answer {
      do throws(StoreRefusal) {
        _ = try state.install("self-test", StoreState.Entry(version: version, message: message))
        return .allowed
      } catch {
        return .refused(PolicyStoreError.refused(error).diagnostic)
      }
    }
    return [
      Control("policy", "a signed policy goes into a store", .allowed, answer: install(PolicyVersion(2, 0, 0), digest)),
      Control(
        "older-policy", "an older version of it, as validly signed, afterwards", .refused(["store.stale"]),
        answer: install(PolicyVersion(1, 9, 9), other)),
    ]
  }

  /// Signatures by a key that is trusted, by one that is not, and over something else.
  static func signatureControls() -> [Control] {
    func verify(_ message: [UInt8], over content: [UInt8]) -> Answer {
      do throws(SignatureError) {
        let certificates = try Certificates(pem: KnownSignatures.certificate)
        _ = try SignedMessage.verify(message, content: content, trusted: certificates)
        return .allowed
      } catch {
        return .refused(error.diagnostic)
      }
    }
    let content = KnownSignatures.content
    return [
      Control(
        "signed", "a root hash's signature by a trusted key", .allowed,
        answer: verify(KnownSignatures.signature, over: content)),
      Control(
        "untrusted-signer", "a signature as good, by a key that is not trusted", .refused(["signature.untrusted"]),
        answer: verify(KnownSignatures.strangersSignature, over: content)),
      Control(
        "signature-moved", "the trusted signature, put beside another root hash", .refused(["signature.bad"]),
        answer: verify(KnownSignatures.signature, over: content.dropLast() + [0x31])),
    ]
  }
}

internal import Base
internal import ImageFormat
internal import Linux
internal import Trust
internal import Policy
internal import Signatures

extension SelfTest {
  /// Images that are sound, with signatures by a key that is trusted, by one that is not, and over something else: by
  /// a rule that lets any trusted signer's image in, with trust anchors of the test's own. The keys are made for this and
  /// forgotten.
  static func signatureControls(_ specimen: borrowing Specimen) -> [Control] {
    let trusted = "a sound image whose root hash a trusted key signed"
    let stranger = "the same image, signed as well by a key that is not trusted"
    let moved = "the same image with the trusted key's signature of another root hash"
    do {
      let signer = try ThrowawaySigner(name: "verity-bpf self-test")
      let other = try ThrowawaySigner(name: "verity-bpf self-test, stranger")
      let anchors = "\(specimen.directory.path)/trust"
      try Directory.create(anchors)
      try Directory.create("\(anchors)/image")
      try write(signer.certificate, to: "\(anchors)/image/signer.pem")
      let content = Array(RootHashFile.text(specimen.rootHash).utf8)
      // Any other root hash.
      let elsewhere = content.map { $0 == UInt8(ascii: "0") ? UInt8(ascii: "1") : UInt8(ascii: "0") }
      var question = Question(rule: "x_sig_source=USERSPACE")
      question.trust = try Trust(directory: anchors)
      func ask(_ name: String, _ message: [UInt8]) throws -> Answer {
        let path = try specimen.variant(name) { _ throws(SystemError) in }
        try write(message, to: Sidecars(imagePath: path).signature)
        return question.ask(.image(path: path, object: specimen.object, at: specimen.place))
      }
      return [
        Control("signed", trusted, .allowed, answer: try ask("signed", signer.sign(content, form: .rootHash))),
        Control(
          "untrusted-signer", stranger, .refused(["signature.untrusted"]),
          answer: try ask("untrusted-signer", other.sign(content, form: .rootHash))),
        Control(
          "signature-moved", moved, .refused(["signature.bad"]),
          answer: try ask("signature-moved", signer.sign(elsewhere, form: .rootHash))),
      ]
    } catch {
      let verdict = Control.Verdict.failed(reason: reason(error))
      return [
        Control("signed", trusted, .allowed, verdict),
        Control("untrusted-signer", stranger, .refused(["signature.untrusted"]), verdict),
        Control("signature-moved", moved, .refused(["signature.bad"]), verdict),
      ]
    }
  }

  /// Signed policies, installed in a store as this machine's is, in a directory of the test's own: this machine's store is
  /// neither read nor changed.
  static func policyControls(in directory: String) -> [Control] {
    let current = "a signed policy goes into a store"
    let older = "an older version of it, as validly signed, afterwards"
    let foreign = "a newer version of it, signed by a key that the store does not trust"
    do {
      let signer = try ThrowawaySigner(name: "verity-bpf self-test")
      let other = try ThrowawaySigner(name: "verity-bpf self-test, stranger")
      let store = PolicyStore(directory: "\(directory)/store", trust: .none)
      try store.create(trusting: signer.certificate)
      func policy(_ version: PolicyVersion) -> [UInt8] {
        Array("policy_name=self-test policy_version=\(version)\nDEFAULT action=DENY\n".utf8)
      }
      func install(_ message: [UInt8]) -> Answer {
        do throws(PolicyStoreError) {
          _ = try store.install(message)
          return .allowed
        } catch {
          return .refused(error.diagnostic)
        }
      }
      return [
        Control(
          "policy", current, .allowed, answer: install(try signer.sign(policy(PolicyVersion(2, 0, 0)), form: .policy))),
        Control(
          "older-policy", older, .refused(["store.stale"]),
          answer: install(try signer.sign(policy(PolicyVersion(1, 9, 9)), form: .policy))),
        Control(
          "foreign-policy", foreign, .refused(["signature.untrusted"]),
          answer: install(try other.sign(policy(PolicyVersion(3, 0, 0)), form: .policy))),
      ]
    } catch {
      let verdict = Control.Verdict.failed(reason: reason(error))
      return [
        Control("policy", current, .allowed, verdict),
        Control("older-policy", older, .refused(["store.stale"]), verdict),
        Control("foreign-policy", foreign, .refused(["signature.untrusted"]), verdict),
      ]
    }
  }

  private static func write(_ bytes: [UInt8], to path: String) throws(SystemError) {
    try OwnedFD.open(path, [.writeOnly, .create, .exclusive]).writeAll(bytes.rawSpan)
  }
}

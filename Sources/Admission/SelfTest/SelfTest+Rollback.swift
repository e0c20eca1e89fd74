internal import Base

extension SelfTest {
  /// A rule that asks for a newer image than this one.
  static func imageRollback(_ specimen: borrowing Specimen) -> [Control] {
    let object = AdmissionRequest.Object.image(path: specimen.path, object: specimen.object, at: specimen.place)
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
}

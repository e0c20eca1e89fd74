import Admission
import Image
import Policy
import Provenance

/// Where `policy explain` gets facts from when it is given an object instead of a file of facts: the same way that
/// `load` goes, up to the policy.
enum FactsSource {
  /// The facts about each program of the object behind a descriptor that the caller has open.
  static func facts(descriptor: Int32) throws -> [(program: String, facts: Facts)] {
    try Admission.facts(about: .descriptor(descriptor))
  }

  /// The facts about each program of an object inside an image file.
  static func facts(image: String, at location: ImageLocation, object: String) throws -> [(
    program: String, facts: Facts
  )] {
    try Admission.facts(about: .image(path: image, object: object, at: location))
  }
}

import Admission
import Provenance

/// The objects a user named: descriptors, or paths inside an image.
struct ObjectChoice {
  var fd: [Int32] = []
  var image: String?
  var object: [String] = []

  init(fd: [Int32] = [], image: String? = nil, object: [String] = []) {
    self.fd = fd
    self.image = image
    self.object = object
  }

  /// How many there are: one or more.
  var count: Int { max(fd.count, object.count) }

  /// The objects. Asked for before the command opens anything itself: a descriptor that is not open now was not handed
  /// over, and its number may be taken by the next open.
  func requested() throws -> [AdmissionRequest.Object] {
    for number in fd { try Examination.requireOpen(fd: number) }
    guard let image else { return fd.map { .descriptor($0) } + object.map { .file($0) } }
    return object.map { .image(path: image, object: $0) }
  }
}

/// A file in an image, as the command line names it: `IMAGE:PATH`.
struct ExecutableName: ArgumentValue, Equatable {
  static var expectation: String { "an image, a colon, and a path in it that begins with a slash" }
  static var kind: ValueKind { .word("IMAGE:PATH") }

  let image: String
  /// From the image's root, with the slash in front.
  let path: String

  init?(argument: String) {
    // Images may have colons in their names, and what follows the last one before a slash is the path.
    let bytes = Array(argument.utf8)
    let colon = bytes.indices.dropLast().last { bytes[$0] == UInt8(ascii: ":") && bytes[$0 + 1] == UInt8(ascii: "/") }
    guard let colon, colon > 0, colon + 2 < bytes.count else { return nil }
    image = String(decoding: bytes[..<colon], as: UTF8.self)
    path = String(decoding: bytes[(colon + 1)...], as: UTF8.self)
  }

  var argument: String { "\(image):\(path)" }
}

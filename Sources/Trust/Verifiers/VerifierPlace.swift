/// A place for certificates in the File Hierarchy for the Verification of OS Artifacts (VOA, UAPI.11): below a load path
/// `OS/PURPOSE/CONTEXT/x509/`.
///
/// A purpose `trust-anchor-…` is of certificates that other certificates are held against. Nothing here follows a chain,
/// so they are not read.
struct VerifierPlace: Equatable {
  /// What signatures the certificates there count for.
  enum Use { case objects, images, files }

  let purpose: String
  let context: String
  let use: Use
  /// The set that they belong to, see ``AnchorGroup/set(of:)``.
  let set: String

  /// The load paths in system mode, the most important first.
  static let loadPaths = ["/etc/voa", "/run/voa", "/usr/local/share/voa", "/usr/share/voa"]
  /// The one in which no link may lead anywhere.
  static let ephemeralPath = "/run/voa"
  static let technology = "x509"
  static let suffix = ".pem"

  /// The places that are read. Those of the role `kernel-keyring` are systemd-keyring-setup's, which fills the kernel's
  /// own rings from them. In the specification's role `image` the context says what an image is used for.
  static let all = [
    VerifierPlace(purpose: "bpf", context: "default", use: .objects, set: "bpf"),
    VerifierPlace(purpose: "kernel-keyring", context: "bpf", use: .objects, set: "bpf"),
    VerifierPlace(purpose: "image", context: "verity-bpf", use: .images, set: "image"),
    VerifierPlace(purpose: "kernel-keyring", context: "dm-verity", use: .images, set: "dm-verity"),
    VerifierPlace(purpose: "kernel-keyring", context: "fs-verity", use: .files, set: "fs-verity"),
  ]

  /// The path of the place below a load path, for an operating system.
  func components(os: String) -> [String] { [os, purpose, context, Self.technology] }

  /// The names of an operating system in the hierarchy, from its os-release(5) text, the most specific first:
  /// `ID:VERSION_ID:VARIANT_ID:IMAGE_ID:IMAGE_VERSION`, then without its last parts, down to `ID`.
  static func operatingSystems(osRelease text: [UInt8]) -> [String] {
    let keys = ["ID", "VERSION_ID", "VARIANT_ID", "IMAGE_ID", "IMAGE_VERSION"]
    var values: [String: String] = [:]
    for line in text.split(separator: 0x0a) {
      guard let line = String(validating: line, as: UTF8.self), let equals = line.firstIndex(of: "=") else { continue }
      let value = unquoted(line[line.index(after: equals)...])
      values[String(line[..<equals])] = isName(value) ? value : nil
    }
    // os-release(5): without ID it is `linux`.
    values["ID"] = values["ID"] ?? "linux"
    var names: [String] = []
    for count in stride(from: keys.count, through: 1, by: -1) {
      let parts = keys.prefix(count).map { values[$0] ?? "" }
      guard let last = parts.last, !last.isEmpty else { continue }
      names.append(parts.joined(separator: ":"))
    }
    return names
  }

  private static func unquoted(_ text: Substring) -> String {
    guard let quote = text.first, quote == "\"" || quote == "'", text.count > 1, text.last == quote else {
      return String(text)
    }
    return String(text.dropFirst().dropLast())
  }

  /// Whether a text is a part of a path in the hierarchy: `0–9`, `a–z`, `.`, `_` and `-`, and no way up.
  private static func isName(_ text: String) -> Bool {
    !text.isEmpty && text != "." && text != ".."
      && text.utf8.allSatisfy {
        (0x30...0x39).contains($0) || (0x61...0x7a).contains($0) || [0x2d, 0x2e, 0x5f].contains($0)
      }
  }
}

internal import Base
internal import KernelABI
internal import Verity
internal import ImageFormat
internal import Linux

/// What an earlier build of the same image left beside it and this build does not write: an old signature or root hash
/// beside a new image would be taken for the new one's.
///
/// Only what is recognisably such a file is removed. Anything else under one of these names was put there by somebody
/// for another purpose, and the build is refused before it begins.
struct StaleSidecars {
  /// A name beside the image, and what is known by its first bytes.
  private enum Kind: CaseIterable {
    case rootHash, signature, hashTree

    func path(_ sidecars: Sidecars) -> String {
      switch self {
      case .rootHash: sidecars.rootHash
      case .signature: sidecars.signature
      case .hashTree: sidecars.hashTree
      }
    }

    var description: String {
      switch self {
      case .rootHash: "a root hash"
      case .signature: "a PKCS#7 message in DER"
      case .hashTree: "a dm-verity superblock"
      }
    }

    func matches(_ bytes: [UInt8]) -> Bool {
      switch self {
      case .rootHash: return (try? RootHashFile.parse(bytes)) != nil
      case .signature:
        // A sequence that begins with the object identifier of signedData (RFC 2315, section 14).
        let signedData: [UInt8] = [0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x07, 0x02]
        let lengthBytes = bytes.count > 1 && bytes[1] > 0x80 ? Int(bytes[1] & 0x7f) : 0
        return bytes.first == 0x30 && bytes.dropFirst(2 + lengthBytes).starts(with: signedData)
      case .hashTree: return bytes.starts(with: Superblock.signature)
      }
    }
  }

  /// The files to remove.
  let paths: [String]
  /// A signature that stays, because the root hash that stood beside it is the new image's too: equal input was built
  /// again, and its signature may have been made elsewhere.
  let keptSignature: String?

  /// Looks for them.
  ///
  /// - Parameters:
  ///   - outputs: what the build writes.
  ///   - rootHash: the new image's, when it is known.
  init(beside request: BuildRequest, outputs: [String], rootHash: Digest?) throws(BuildError) {
    let written = outputs + outputs.compactMap { Self.canonical($0) }
    var paths: [String] = []
    var kept: String?
    let names = Sidecars.all(imagePath: request.output).flatMap { sidecars in
      let isSame =
        sidecars == request.sidecars && rootHash != nil && Self.rootHash(in: sidecars.rootHash) == rootHash
      return Kind.allCases.map { (kind: $0, path: $0.path(sidecars), isSame: isSame) }
    }
    for (kind, path, isSame) in names {
      guard !written.contains(path), !written.contains(Self.canonical(path) ?? path),
        let status = try? FileStatus.of(path: path, followLinks: false)
      else { continue }
      guard status.kind == .regular, let bytes = Self.beginning(of: path), kind.matches(bytes) else {
        throw .foreignSidecar(path: path, expected: kind.description)
      }
      switch (kind, isSame) {
      case (.rootHash, true): continue
      case (.signature, true): kept = path
      case (.rootHash, false), (.signature, false), (.hashTree, _): paths.append(path)
      }
    }
    self.paths = paths
    keptSignature = kept
  }

  /// The path with its directory's own name, so that `./x` and `x` are one.
  private static func canonical(_ path: String) -> String? {
    let slash = path.lastIndex(of: "/")
    let parent = slash.map { $0 == path.startIndex ? "/" : String(path[..<$0]) } ?? "."
    guard let status = try? FileStatus.of(path: parent) else { return nil }
    return "\(status.device):\(status.inode)/\(path[(slash.map { path.index(after: $0) } ?? path.startIndex)...])"
  }

  private static func beginning(of path: String) -> [UInt8]? {
    guard let file = try? OwnedFD.open(path, [.readOnly, .noFollow]), let size = try? file.contentSize() else {
      return nil
    }
    var bytes = [UInt8](repeating: 0, count: Int(min(size, 256)))
    return (try? file.readFully(at: 0, into: &bytes)) == true ? bytes : nil
  }

  static func rootHash(in path: String) -> Digest? {
    guard let bytes = beginning(of: path) else { return nil }
    return try? RootHashFile.parse(bytes)
  }
}

/// Files that were put out of the way, and can come back when the image does not get its name.
struct SetAside {
  private var moved: [(path: String, place: String)] = []

  init(_ paths: [String], in workshop: borrowing Workshop) throws(BuildError) {
    for (index, path) in paths.enumerated() {
      let place = workshop.name("stale-\(index)")
      do throws(SystemError) {
        try Directory.rename(path, to: place)
      } catch {
        // Elsewhere, so not beside the image: it stays until the new one takes its place.
        if error.code == .exdev { continue }
        restore()
        throw .output(path: path, error)
      }
      moved.append((path, place))
    }
  }

  /// Puts them back.
  func restore() {
    for file in moved { try? Directory.rename(file.place, to: file.path) }
  }
}

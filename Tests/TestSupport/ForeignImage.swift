/// An image that other people's programs made: mkfs.erofs and veritysetup.
public struct ForeignImage: Sendable {
  public let path: String
  /// Lower-case hexadecimal digits.
  public let rootHash: String
  /// Bytes of data, which is where the dm-verity superblock begins.
  public let dataSize: UInt64

  /// Packs a directory.
  ///
  /// - Parameters:
  ///   - options: more of mkfs.erofs's.
  ///   - change: called with the path of the file system before it gets its tree.
  public static func build(
    _ source: String, at path: String, salt: String? = nil, options: [String] = [],
    change: (String) throws -> Void = { _ in }
  ) throws -> ForeignImage {
    try Tools.run(["mkfs.erofs", "-T0", "--all-root", "-x-1"] + options + [path, source])
    try change(path)
    let size = try Tools.run("stat", "-c", "%s", path).split(separator: "\n").first.flatMap { UInt64($0) } ?? 0
    let saltArguments = salt.map { ["--salt=\($0)"] } ?? []
    let report = try Tools.run(
      ["veritysetup", "format", path, path, "--hash-offset=\(size)"] + saltArguments)
    let line = report.split(separator: "\n").first { $0.hasPrefix("Root hash:") } ?? ""
    return ForeignImage(path: path, rootHash: String(line.split(separator: "\t").last ?? ""), dataSize: size)
  }

  /// A policy that allows programs of this image and nothing else.
  public var policy: String {
    """
    policy_name=test policy_version=1.0.0
    DEFAULT action=DENY
    op=BPF_PROG_LOAD dmverity_roothash=sha256:\(rootHash.trimmed) action=ALLOW

    """
  }
}

extension String {
  /// Without blanks at either end.
  public var trimmed: String {
    String(drop { $0.isWhitespace }.reversed().drop { $0.isWhitespace }.reversed())
  }
}

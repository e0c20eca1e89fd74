internal import ByteKit
public import JSONText

extension Manifest {
  /// Characters the number of data blocks is padded to, with spaces in front: enough for any 32-bit number.
  static let blockCountWidth = 10
  /// What stands before it.
  private static let blockCountKey = #""data_blocks": "#

  /// The manifest as it lies in the image. Its size does not depend on ``dataBlocks``.
  public var text: [UInt8] {
    json(blockCount: .number(Self.padded(String(dataBlocks)))).prettyUTF8 + [UInt8(ascii: "\n")]
  }

  /// Where in ``text`` the number of data blocks stands, and the characters that say `count`.
  ///
  /// The number is known only when the file system is made, and the manifest is in it. So it has a field of fixed
  /// width, and the builder overwrites the field instead of making the file system a second time.
  public static func blockCountField(in text: [UInt8], count: UInt64) -> (offset: Int, characters: [UInt8])? {
    let key = Array(blockCountKey.utf8)
    let digits = String(count)
    // The key stands before anything of the user's but the name and version, which can hold no quote.
    guard digits.utf8.count <= blockCountWidth,
      let start = (0..<max(0, text.count - key.count)).first(where: { text[$0..<($0 + key.count)].elementsEqual(key) })
    else { return nil }
    return (start + key.count, Array(padded(digits).utf8))
  }

  private static func padded(_ digits: String) -> String {
    String(repeating: " ", count: max(0, blockCountWidth - digits.utf8.count)) + digits
  }

  /// The manifest as JSON.
  public var json: JSONValue { json(blockCount: .unsigned(dataBlocks)) }

  private func json(blockCount: JSONValue) -> JSONValue {
    .object([
      .init("schema", .string(Self.schema)), .init("name", .optional(name)), .init("version", .optional(version)),
      .init("data_blocks", blockCount),
      .init("objects", .array(objects.map(\.json))), .init("files", .array(files.map { .object($0.members) })),
    ])
  }
}

extension Manifest.File {
  var members: [JSONValue.Member] {
    [
      .init("path", .string(path)), .init("sha256", .string(digest.hex)), .init("size", .unsigned(size)),
    ]
  }
}

extension Manifest.Program {
  fileprivate var json: JSONValue {
    var members: [JSONValue.Member] = [
      .init("name", .string(name)), .init("section", .string(section)), .init("type", .string(type)),
      .init("attach_type", .optional(attachType)),
    ]
    if let analysis { members.append(.init("analysis", analysis.json)) }
    return .object(members)
  }
}

extension Manifest.Analysis {
  fileprivate var json: JSONValue {
    [
      "minimum_kernel": .string(minimumKernel), "capabilities": .array(capabilities.map { .string($0) }),
      "kernel_reads": .array(kernelReads.map { .string($0) }),
      "user_writes": .array(userWrites.map { .string($0) }), "restricted": .bool(isRestricted),
      "revision": .unsigned(revision),
    ]
  }
}

extension Manifest.Object {
  /// The object as JSON.
  public var json: JSONValue {
    .object(
      file.members + [
        .init("license", .string(license)),
        .init(
          "programs",
          .array(
            programs.map(\.json))),
        .init("maps", .array(maps.map { ["name": .string($0.name), "type": .string($0.type)] })),
        .init("helpers", .array(helpers.map { .string($0) })),
        .init("core_relocations", .integer(Int64(coreRelocations))),
        .init(
          "lockdown",
          .object(
            lockdown.map {
              .init(
                $0.mode,
                ["loadable": .bool($0.forbidden.isEmpty), "forbidden": .array($0.forbidden.map { .string($0) })])
            })),
      ])
  }
}

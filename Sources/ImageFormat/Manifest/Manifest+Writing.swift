public import Base

extension Manifest {
  /// The manifest as it lies in the image. Its size does not depend on ``dataBlocks``.
  public var text: [UInt8] {
    var text = ManifestText(name: name, version: version)
    for object in objects { text.add(objectEntry: object.entry) }
    for file in files { text.add(file) }
    if let loadList { text.add(loadList: loadList) }
    return text.finish(dataBlocks: dataBlocks)
  }

  /// The manifest as JSON.
  public var json: JSONValue {
    .object(
      ManifestHead(self).members + [
        .init("objects", .array(objects.map(\.json))), .init("files", .array(files.map(\.json))),
      ] + (loadList.map { [.init("load_list", .array($0.map(\.json)))] } ?? []))
  }
}

extension ManifestHead {
  /// The head as it begins the manifest's JSON.
  public var members: [JSONValue.Member] {
    [
      .init("schema", .string(Manifest.schema)), .init("name", .optional(name)), .init("version", .optional(version)),
      .init("data_blocks", .unsigned(dataBlocks)),
    ]
  }
}

extension Manifest.File {
  /// The file as JSON.
  public var json: JSONValue { .object(members) }

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
    if let instructions { members.append(.init("instructions", instructions.json)) }
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
  /// The object's entry in a manifest's text, see ``ManifestText``.
  public var entry: [UInt8] { json.prettyUTF8(level: 2) }

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
      ] + statements.members)
  }
}

extension Manifest.Statements {
  fileprivate var members: [JSONValue.Member] {
    var members: [JSONValue.Member] = []
    if !sectionTypes.isEmpty {
      members.append(
        .init(
          "section_types", .array(sectionTypes.map { ["section": .string($0.section), "type": .string($0.type)] })))
    }
    if let isConfigurable { members.append(.init("configurable", .bool(isConfigurable))) }
    return members
  }
}

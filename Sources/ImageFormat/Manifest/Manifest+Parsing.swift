internal import Base

extension Manifest {
  /// The largest manifest that is written, and read in pieces, in bytes. 100,000 objects take about 130 MB.
  public static let maximumByteCount = 256 << 20
  /// The largest that is read whole, because it has another layout than ``text`` gives it, in bytes; and so much one entry may
  /// have.
  public static let wholeByteCount = 64 << 20
  /// What is allowed, for the messages of those who keep to it.
  static let allowed = "a manifest of at most \(maximumByteCount) bytes"
  /// Lists and objects within one another, the document itself included; the analysis of a program has the most.
  static let maximumDepth = 8
  /// Bytes that a value takes in ``text`` on the average, at least: each stands on a line of its own, indented. So a
  /// text that is not too long has not too many values either.
  static let bytesPerValue = 16

  /// Reads a manifest strictly: every member must be there, none may be unknown.
  public init(parsing text: [UInt8]) throws(ManifestError) {
    let document: JSONValue
    do throws(JSONError) {
      let limits = JSONLimits(
        bytes: Self.wholeByteCount, depth: Self.maximumDepth, values: Self.wholeByteCount / Self.bytesPerValue)
      document = try JSONValue.parse(text, limits: limits)
    } catch {
      throw .json(error)
    }
    let root = try MemberReader(document, place: "")
    try root.allow(ManifestHead.memberNames + ["objects", "files", "load_list"])
    let schema = try root.string("schema")
    guard schema == Self.schema else { throw .member(place: "schema", expected: Self.schema, found: schema) }
    name = try root.name("name")
    version = try root.name("version")
    dataBlocks = try root.unsigned("data_blocks")
    objects = try root.list("objects") { item throws(ManifestError) in try Object(item) }
    files = try root.list("files") { item throws(ManifestError) in
      try item.allow(File.memberNames)
      return try File(item)
    }
    loadList = root.has("load_list") ? try LoadEntry.list(root, "load_list") : nil
    try Self.requireRisingPaths(objects.map(\.file.path), place: "objects")
    try Self.requireRisingPaths(files.map(\.path), place: "files")
    // A path named twice would have two digests, and a manifest cannot hold its own.
    let objectPaths = Set(objects.map { Array($0.file.path.utf8) }).union([Array(Self.path.utf8)])
    if let twice = files.first(where: { objectPaths.contains(Array($0.path.utf8)) })
      ?? objects.map(\.file).first(where: { $0.path == Self.path })
    {
      throw .member(place: "files", expected: "paths other than the objects' and the manifest's", found: twice.path)
    }
    if let entry = (loadList ?? []).first(where: { !objectPaths.contains(Array($0.object.utf8)) }) {
      throw .member(place: "load_list", expected: "objects of the image", found: entry.object)
    }
  }

  /// Sorted and without repetition, so that a path has one entry and a manifest one text.
  private static func requireRisingPaths(_ paths: [String], place: String) throws(ManifestError) {
    for (first, second) in zip(paths, paths.dropFirst()) where !first.precedesBytewise(second) {
      throw .member(place: place, expected: "paths in strictly rising order", found: "`\(second)` after `\(first)`")
    }
  }
}

extension Manifest.File {
  static let memberNames = ["path", "sha256", "size"]

  init(_ reader: MemberReader) throws(ManifestError) {
    path = try reader.string("path")
    guard path.isPathInImage else {
      throw reader.error("path", expected: "a path relative to the image's root", found: path)
    }
    let hex = try reader.string("sha256")
    guard let digest = Digest(.sha256, hex: hex), digest.hex == hex else {
      throw reader.error("sha256", expected: "64 lower-case hexadecimal digits", found: hex)
    }
    self.digest = digest
    size = try reader.unsigned("size")
  }
}

extension Manifest.Object {
  init(_ reader: MemberReader) throws(ManifestError) {
    try reader.allow(
      Manifest.File.memberNames + ["license", "programs", "maps", "helpers", "core_relocations", "lockdown"]
        + Manifest.Statements.memberNames)
    file = try Manifest.File(reader)
    license = try reader.string("license")
    programs = try reader.list("programs") { item throws(ManifestError) in
      try item.allow(["name", "section", "type", "attach_type", "analysis", "instructions"])
      return Manifest.Program(
        name: try item.string("name"), section: try item.string("section"), type: try item.string("type"),
        attachType: try item.optionalString("attach_type"),
        analysis: item.has("analysis") ? try Manifest.Analysis(try item.object("analysis")) : nil,
        instructions: item.has("instructions") ? try Manifest.Instructions(try item.object("instructions")) : nil)
    }
    maps = try reader.list("maps") { item throws(ManifestError) in
      try item.allow(["name", "type"])
      return Manifest.Map(name: try item.string("name"), type: try item.string("type"))
    }
    helpers = try reader.strings("helpers")
    coreRelocations = Int(clamping: try reader.unsigned("core_relocations"))
    lockdown = []
    let modes = try reader.object("lockdown")
    try modes.allow(["none", "integrity", "confidentiality"])
    for mode in ["none", "integrity", "confidentiality"] {
      let verdict = try modes.object(mode)
      try verdict.allow(["loadable", "forbidden"])
      let forbidden = try verdict.strings("forbidden")
      guard try verdict.bool("loadable") == forbidden.isEmpty else {
        throw verdict.error("loadable", expected: "true exactly when nothing is forbidden", found: "the contrary")
      }
      lockdown.append(Manifest.LockdownVerdict(mode: mode, forbidden: forbidden))
    }
    statements = try Manifest.Statements(reader)
  }
}

extension Manifest.Statements {
  static let memberNames = ["section_types", "configurable"]

  /// Each is there only where something is said.
  init(_ reader: MemberReader) throws(ManifestError) {
    sectionTypes =
      try reader.has("section_types")
      ? reader.list("section_types") { item throws(ManifestError) in
        try item.allow(["section", "type"])
        return Manifest.StatedType(section: try item.string("section"), type: try item.string("type"))
      } : []
    isConfigurable = try reader.has("configurable") ? reader.bool("configurable") : nil
  }
}

extension Manifest.Analysis {
  init(_ reader: MemberReader) throws(ManifestError) {
    try reader.allow(["minimum_kernel", "capabilities", "kernel_reads", "user_writes", "restricted", "revision"])
    minimumKernel = try reader.string("minimum_kernel")
    capabilities = try reader.strings("capabilities")
    kernelReads = try reader.strings("kernel_reads")
    userWrites = try reader.strings("user_writes")
    isRestricted = try reader.bool("restricted")
    revision = reader.has("revision") ? try reader.unsigned("revision") : 1
  }
}

/// An object's members with the object's place in the document, for error messages.
struct MemberReader {
  private let members: [JSONValue.Member]
  private let place: String

  init(_ value: JSONValue, place: String) throws(ManifestError) {
    guard case .object(let members) = value else {
      throw .member(place: place, expected: "an object", found: "something else")
    }
    self.members = members
    self.place = place
  }

  func error(_ name: String, expected: String, found: String) -> ManifestError {
    .member(place: place + name, expected: expected, found: String(found.prefix(128)))
  }

  func allow(_ names: [String]) throws(ManifestError) {
    for member in members where !names.contains(member.name) {
      throw error(member.name, expected: "one of \(names.joined(separator: ", "))", found: "an unknown member")
    }
  }

  /// Whether there is a member of that name.
  func has(_ name: String) -> Bool { members.contains { $0.name == name } }

  private func value(_ name: String) throws(ManifestError) -> JSONValue {
    guard let member = members.first(where: { $0.name == name }) else {
      throw error(name, expected: "a value", found: "nothing")
    }
    return member.value
  }

  func string(_ name: String) throws(ManifestError) -> String {
    guard case .string(let text) = try value(name) else {
      throw error(name, expected: "a string", found: "something else")
    }
    return text
  }

  func optionalString(_ name: String) throws(ManifestError) -> String? {
    switch try value(name) {
    case .null: return nil
    case .string(let text): return text
    default: throw error(name, expected: "a string or null", found: "something else")
    }
  }

  func name(_ name: String) throws(ManifestError) -> String? {
    guard let text = try optionalString(name) else { return nil }
    guard Manifest.isAcceptableName(text) else {
      throw error(name, expected: "1 to 64 letters, digits and `._+~-`", found: text)
    }
    return text
  }

  func unsigned(_ name: String) throws(ManifestError) -> UInt64 {
    guard case .integer(let number) = try value(name), let number = UInt64(exactly: number) else {
      throw error(name, expected: "a number from 0 to 2^63 - 1", found: "something else")
    }
    return number
  }

  func bool(_ name: String) throws(ManifestError) -> Bool {
    guard case .bool(let flag) = try value(name) else {
      throw error(name, expected: "true or false", found: "something else")
    }
    return flag
  }

  func object(_ name: String) throws(ManifestError) -> MemberReader {
    try MemberReader(try value(name), place: "\(place)\(name).")
  }

  private func array(_ name: String) throws(ManifestError) -> [JSONValue] {
    guard case .array(let values) = try value(name) else {
      throw error(name, expected: "an array", found: "something else")
    }
    return values
  }

  func strings(_ name: String) throws(ManifestError) -> [String] {
    var texts: [String] = []
    for value in try array(name) {
      guard case .string(let text) = value else { throw error(name, expected: "strings", found: "something else") }
      texts.append(text)
    }
    return texts
  }

  func list<Item>(
    _ name: String, _ item: (MemberReader) throws(ManifestError) -> Item
  ) throws(ManifestError) -> [Item] {
    var items: [Item] = []
    for (index, value) in try array(name).enumerated() {
      items.append(try item(try MemberReader(value, place: "\(place)\(name)[\(index)].")))
    }
    return items
  }
}

internal import Base

extension Manifest.LoadEntry {
  /// The name and version of the file that `build-image --load-list` takes.
  public static let schema = "verity-bpf/load-list/1"
  /// The largest such file, in bytes.
  public static let maximumByteCount = 1 << 20
  /// Entries of a list, patterns and maps of an entry, and bytes of a text.
  static let (maximumCount, maximumPatterns, maximumText) = (4096, 256, 4096)

  /// Reads the file that `build-image --load-list` takes, as strictly as a manifest.
  public static func list(parsing text: [UInt8]) throws(ManifestError) -> [Manifest.LoadEntry] {
    let document: JSONValue
    do throws(JSONError) {
      document = try JSONValue.parse(
        text, limits: JSONLimits(bytes: maximumByteCount, depth: Manifest.maximumDepth, values: maximumByteCount / 4))
    } catch {
      throw .json(error)
    }
    let root = try MemberReader(document, place: "")
    try root.allow(["schema", "load"])
    let schema = try root.string("schema")
    guard schema == Self.schema else { throw root.error("schema", expected: Self.schema, found: schema) }
    return try list(root, "load")
  }

  /// Reads a list of entries. Each has a place of its own for its pins.
  static func list(_ root: MemberReader, _ name: String) throws(ManifestError) -> [Manifest.LoadEntry] {
    let entries = try root.list(name) { item throws(ManifestError) in try Manifest.LoadEntry(item) }
    guard 1...maximumCount ~= entries.count else {
      throw root.error(name, expected: "1 to \(maximumCount) entries", found: "\(entries.count)")
    }
    var pins: Set<String> = []
    for entry in entries where !pins.insert(entry.pin).inserted {
      throw root.error(name, expected: "another `pin` for each entry", found: "`\(entry.pin)` twice")
    }
    return entries
  }

  private init(_ reader: MemberReader) throws(ManifestError) {
    try reader.allow([
      "object", "programs", "without_programs", "attach", "interface", "cgroup", "target", "pin", "map_entries",
    ])
    self.init(object: try Self.text(reader, "object"))
    guard object.isPathInImage else {
      throw reader.error("object", expected: "a path relative to the image's root", found: object)
    }
    programs = try Self.patterns(reader, "programs") ?? []
    withoutPrograms = try Self.patterns(reader, "without_programs") ?? []
    attach = try Self.patterns(reader, "attach")
    interface = try Self.optionalText(reader, "interface")
    cgroup = try Self.optionalText(reader, "cgroup")
    target = try Self.optionalText(reader, "target")
    if attach == nil, interface != nil || cgroup != nil {
      throw reader.error("attach", expected: "the programs to attach there", found: "nothing")
    }
    if let pin = try Self.optionalText(reader, "pin") {
      let isName = pin.utf8.count <= Self.maximumPinBytes && !pin.utf8.contains { ".: /".utf8.contains($0) }
      guard isName else {
        throw reader.error(
          "pin", expected: "1 to \(Self.maximumPinBytes) bytes without dots, slashes and blanks", found: pin)
      }
      self.pin = pin
    }
    guard reader.has("map_entries") else { return }
    mapEntries = try reader.list("map_entries") { item throws(ManifestError) in
      try item.allow(["map", "entries"])
      let entries = try item.unsigned("entries")
      guard let entries = UInt32(exactly: entries), entries > 0 else {
        throw item.error("entries", expected: "1 to \(UInt32.max)", found: "\(entries)")
      }
      return MapSize(map: try Self.text(item, "map"), entries: entries)
    }
    guard 1...Self.maximumPatterns ~= mapEntries.count, Set(mapEntries.map(\.map)).count == mapEntries.count else {
      throw reader.error(
        "map_entries", expected: "1 to \(Self.maximumPatterns) maps, each once", found: "\(mapEntries.count) entries")
    }
  }

  private static func patterns(_ reader: MemberReader, _ name: String) throws(ManifestError) -> [String]? {
    guard reader.has(name) else { return nil }
    let texts = try reader.strings(name)
    guard 1...maximumPatterns ~= texts.count else {
      throw reader.error(name, expected: "1 to \(maximumPatterns) names or patterns", found: "\(texts.count)")
    }
    for text in texts { try check(text, reader, name) }
    return texts
  }

  private static func optionalText(_ reader: MemberReader, _ name: String) throws(ManifestError) -> String? {
    reader.has(name) ? try text(reader, name) : nil
  }

  private static func text(_ reader: MemberReader, _ name: String) throws(ManifestError) -> String {
    let text = try reader.string(name)
    try check(text, reader, name)
    return text
  }

  /// What goes to a system call has no NUL, and what is printed no controls.
  private static func check(_ text: String, _ reader: MemberReader, _ name: String) throws(ManifestError) {
    guard 1...maximumText ~= text.utf8.count, text.utf8.allSatisfy({ $0 >= 0x20 && $0 != 0x7f }) else {
      throw reader.error(
        name, expected: "1 to \(maximumText) bytes of text without control characters",
        found: "\(text.utf8.count) bytes")
    }
  }
}

extension String {
  /// Whether it can be the path of a file of an image: names with slashes between them, none of which is `.` or `..`.
  var isPathInImage: Bool {
    utf8.split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false).allSatisfy {
      !$0.isEmpty && !$0.elementsEqual(".".utf8) && !$0.elementsEqual("..".utf8)
    }
  }
}

import BPFAnalysis
import BPFObject
import Base
import FileSystems
import Image
import ImageFormat
import Linux

/// What a file holds that `inspect` compares, or holds against kernels: one object, or those of an image.
struct InspectedRelease {
  struct Object {
    /// Its path in the image; nil for an object that is the file itself.
    let path: String?
    let digest: Digest
    let bytes: [UInt8]
    /// What the programs of sections are whose names do not say it: by an option, or by the image's manifest.
    let types: [SectionType]
  }

  let file: String
  /// The root hash of an image; nil for an object.
  let rootHash: Digest?
  let objects: [Object]
  /// The other files of an image, each with its size.
  let others: [String]

  /// Reads an object.
  init(object file: String, types: [SectionType]) throws {
    let bytes = try OwnedFD.open(file, .readOnly).readToEnd(of: file, limit: BPFObject.maximumByteCount)
    self.file = file
    rootHash = nil
    objects = [Object(path: nil, digest: try Digest.of(bytes.rawSpan), bytes: bytes, types: types)]
    others = []
  }

  /// Reads an image: every block is verified up to its root hash, which has to be the one beside it where there is one.
  init(image file: String, at location: ImageLocation, rootHash named: Digest? = nil) throws {
    let stored = named == nil ? try StoredRootHash.of(image: file) : nil
    let opened = try ImageFile.open(file, at: location, rootHash: named ?? stored?.digest)
    let rootHash = opened.ownRootHash
    try InspectCommand.require(rootHash, expected: named ?? stored?.digest, stored: stored?.place)
    let image = try AnyFileSystem(try opened.device(rootHash: rootHash))
    let manifest = try? Manifest.read(from: image)
    let stated = Dictionary(
      (manifest?.objects ?? []).map { ($0.file.path, $0.statements.sectionTypes) },
      uniquingKeysWith: { first, _ in first })
    var objects: [Object] = []
    var others: [String] = []
    for (path, inode) in try image.files() where inode.kind == .regular {
      guard let bytes = try ForeignObject.contents(of: inode, in: image) else {
        others.append("\(path), \(inode.size) bytes")
        continue
      }
      let types = (stated[path] ?? []).compactMap { SectionType(section: $0.section, type: $0.type) }
      objects.append(Object(path: path, digest: try Digest.of(bytes.rawSpan), bytes: bytes, types: types))
    }
    self.file = file
    self.rootHash = rootHash
    self.objects = objects
    self.others = others
  }

  /// The identity of the whole.
  var digest: String { (rootHash ?? objects.first?.digest)?.description ?? "" }
}

/// What changed between two releases.
struct ReleaseComparison {
  enum Fate: String {
    case added, removed, changed, same
  }

  private struct Entry {
    /// Nil where the files themselves are the objects.
    let path: String?
    let fate: Fate
    let before: Digest?
    let after: Digest?
    let changes: [ObjectDiff.Change]
    /// Why an object could not be compared.
    let error: Diagnostic?
  }

  private let old: InspectedRelease
  private let new: InspectedRelease
  private let entries: [Entry]
  private let gone: [String]
  private let added: [String]

  init(_ old: InspectedRelease, _ new: InspectedRelease) {
    self.old = old
    self.new = new
    let before = Dictionary(old.objects.map { ($0.path, $0) }, uniquingKeysWith: { first, _ in first })
    let after = Set(new.objects.map(\.path))
    entries =
      new.objects.map { Self.compare(before[$0.path], $0) }
      + old.objects.filter { !after.contains($0.path) }.map { Self.compare($0, nil) }
    let (oldFiles, newFiles) = (Set(old.others), Set(new.others))
    gone = old.others.filter { !newFiles.contains($0) }
    added = new.others.filter { !oldFiles.contains($0) }
  }

  private static func compare(_ old: InspectedRelease.Object?, _ new: InspectedRelease.Object?) -> Entry {
    let fate: Fate =
      old == nil ? .added : new == nil ? .removed : old?.digest == new?.digest ? .same : .changed
    var changes: [ObjectDiff.Change] = []
    var failure: Diagnostic?
    if fate != .same {
      do throws(BPFObjectError) {
        changes = ObjectDiff(from: try report(old), to: try report(new)).changes
      } catch {
        failure = error.diagnostic
      }
    }
    return Entry(
      path: new?.path ?? old?.path, fate: fate, before: old?.digest, after: new?.digest, changes: changes,
      error: failure)
  }

  private static func report(_ object: InspectedRelease.Object?) throws(BPFObjectError) -> ObjectReport? {
    guard let object else { return nil }
    return try BPFObject.report(
      bytes: object.bytes.rawSpan, objectName: object.path ?? "", allowsExterns: true, sectionTypes: object.types)
  }

  /// Whether both have the same bytes.
  var isSame: Bool { old.digest == new.digest }

  var lines: [String] {
    var lines = ["old      \(old.file)  \(old.digest)", "new      \(new.file)  \(new.digest)"]
    if isSame { return lines + ["same     both have the same bytes"] }
    for entry in entries where entry.fate != .same {
      lines.append("object   \(entry.path ?? new.file)  \(entry.fate.rawValue)")
      if let error = entry.error { lines.append(Output.row("error", "not compared: \(error.message)")) }
      for change in entry.changes {
        lines.append(Output.row("", "\(change.subject): \(change.aspect)"))
        lines += change.gone.map { Output.row("", "  - \($0)") } + change.new.map { Output.row("", "  + \($0)") }
      }
      if entry.changes.isEmpty, entry.error == nil {
        lines.append(Output.row("", "other bytes, and no difference in what is compared: \(ObjectDiff.compared)"))
      }
    }
    lines += gone.map { "file     - \($0)" } + added.map { "file     + \($0)" }
    if entries.allSatisfy({ $0.fate == .same }) {
      lines.append("same     all objects have the same bytes; other files are compared by their names and sizes alone")
    }
    return lines
  }

  func json(schema: String) -> JSONValue {
    [
      "schema": .string(schema), "kind": "comparison", "file": .string(new.file), "old": .string(old.file),
      "old_digest": .string(old.digest), "new_digest": .string(new.digest), "same": .bool(isSame),
      "objects": .array(
        entries.map { entry in
          [
            "path": .optional(entry.path), "change": .string(entry.fate.rawValue),
            "before": .optional(entry.before?.description), "after": .optional(entry.after?.description),
            "error": entry.error?.json ?? .null,
            "changes": .array(
              entry.changes.map {
                [
                  "subject": .string($0.subject), "aspect": .string($0.aspect),
                  "gone": .array($0.gone.map { .string($0) }), "new": .array($0.new.map { .string($0) }),
                ]
              }),
          ]
        }), "files_gone": .array(gone.map { .string($0) }), "files_new": .array(added.map { .string($0) }),
    ]
  }
}

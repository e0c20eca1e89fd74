internal import Base
public import FileSystems

extension Manifest {
  /// What an image's manifest says of one object; nil when it lists no object of that path.
  ///
  /// Of a manifest as ``text`` writes it only a few blocks are read and proven. One in other words is read whole.
  ///
  /// - Parameters:
  ///   - path: from the image's root, without a slash in front.
  ///   - inode: as ``inode(in:)`` returned it for this image.
  public static func entry<Volume: VerifiedFileSystem & ~Copyable>(
    of path: String, from inode: FileSystemInode, in image: borrowing Volume
  ) throws(ManifestError) -> Entry? {
    let text: [UInt8]?
    do throws(FileSystemError) {
      text = try EntrySearch.entry(of: path, byteCount: inode.size) { range throws(FileSystemError) in
        try image.readFile(inode, in: range)
      }
    } catch {
      throw .fileSystem(error)
    }
    if let text { return Entry(words: .text(text)) }
    // One that is not read whole is laid out as the search found it, or nothing of it is believed.
    guard inode.size <= UInt64(wholeByteCount) else {
      let scanned = try ManifestScan.of(inode) { range throws(ManifestError) in
        do throws(FileSystemError) { return try image.readFile(inode, in: range) } catch { throw .fileSystem(error) }
      }
      guard scanned != nil else {
        throw .fileSystem(
          FileSystemError.tooLarge(
            self.path, allowed: "at most \(wholeByteCount) bytes in this layout", found: "\(inode.size) bytes"))
      }
      return nil
    }
    return try read(from: image)?.objects.first { $0.file.path == path }.map { Entry(words: .object($0)) }
  }

  /// What a manifest says of one object, in its own words as long as nobody needs more.
  public struct Entry: Equatable, Sendable {
    fileprivate enum Words: Equatable {
      /// As ``Object/entry`` would write it, or in another way.
      case text([UInt8])
      case object(Object)
    }

    fileprivate let words: Words

    /// Refuses the object when it describes something else than what was found in the same bytes; see
    /// ``Object/check(against:)``. What ``text`` would say in the same words is the same, and is not read again.
    public func check(against found: Object) throws(ManifestError) {
      switch words {
      case .object(let object): try object.check(against: found)
      case .text(let text):
        if text == found.entry { return }
        try object().check(against: found)
      }
    }

    /// All that is said of the object.
    public func object() throws(ManifestError) -> Object {
      switch words {
      case .object(let object): return object
      case .text(let text):
        let value: JSONValue
        do throws(JSONError) { value = try JSONValue.parse(text) } catch { throw .json(error) }
        return try Object(MemberReader(value, place: "objects."))
      }
    }

    /// What is said of the object besides what its bytes say.
    public func statements() throws(ManifestError) -> Statements {
      switch words {
      case .object(let object): return object.statements
      case .text(let text): return try Statements(entry: text)
      }
    }
  }
}

extension Manifest.Statements {
  private static let marks = (memberNames + ["\\"]).map { Array($0.utf8) }

  /// Reads what the text of an object's entry states. Most state nothing, and are not parsed for it; behind a backslash a
  /// name may be spelled otherwise.
  init(entry text: [UInt8]) throws(ManifestError) {
    self.init()
    guard Self.marks.contains(where: { text.rawSpan.firstOffset(of: $0.rawSpan) != nil }) else { return }
    let value: JSONValue
    do throws(JSONError) { value = try JSONValue.parse(text) } catch { throw .json(error) }
    self = try Manifest.Object(MemberReader(value, place: "objects.")).statements
  }
}

extension Manifest.Object {
  /// Refuses the object when it describes something else than what was found in the same bytes.
  ///
  /// What an older or newer revision of the analysis concluded is not held against this one's conclusions; what the
  /// object plainly holds is.
  public func check(against found: Manifest.Object) throws(ManifestError) {
    if found == self { return }
    try same("sha256", found.file.digest.description, file.digest.description)
    try same("size", "\(found.file.size)", "\(file.size)")
    try same("license", found.license, license)
    try same("programs", list(found.programs.map(\.identity)), list(programs.map(\.identity)))
    try same("maps", list(found.maps.map { "\($0.name) (\($0.type))" }), list(maps.map { "\($0.name) (\($0.type))" }))
    try same("core_relocations", "\(found.coreRelocations)", "\(coreRelocations)")
    for (ours, theirs) in zip(found.programs, programs) {
      // Builders before this one did not say.
      guard let stated = theirs.instructions else { continue }
      try same("programs.\(ours.name).instructions", ours.instructions?.text ?? "none", stated.text)
    }
    let isComparable = programs.contains { $0.analysis?.revision == Manifest.Analysis.currentRevision }
    guard isComparable else { return }
    try same("helpers", list(found.helpers), list(helpers))
    try same("lockdown", list(found.lockdown.map(\.text)), list(lockdown.map(\.text)))
    for (ours, theirs) in zip(found.programs, programs) {
      try same("programs.\(ours.name).analysis", ours.analysis?.text ?? "none", theirs.analysis?.text ?? "none")
    }
  }

  private func same(_ member: String, _ expected: String, _ found: String) throws(ManifestError) {
    guard expected == found else {
      throw .description(path: file.path, member: member, expected: expected, found: found)
    }
  }

  private func list(_ words: [String]) -> String { words.isEmpty ? "none" : words.separated(by: ", ") }
}

extension Manifest.Program {
  fileprivate var identity: String { "\(name) (\(section), \(type), \(attachType ?? "no attach type"))" }
}

extension Manifest.LockdownVerdict {
  fileprivate var text: String { "\(mode) forbids \(forbidden.isEmpty ? "nothing" : forbidden.separated(by: " "))" }
}

extension Manifest.Analysis {
  fileprivate var text: String {
    let words = { (list: [String]) in list.isEmpty ? "nothing" : list.separated(by: " ") }
    return
      "from \(minimumKernel), needs \(words(capabilities)), reads \(words(kernelReads)), writes \(words(userWrites)), "
      + (isRestricted ? "restricted" : "full")
  }
}

public import BPFObject
internal import Base

/// The list of everything a signature of an object covers, as the text that is signed.
///
/// The first line is ``title``; then one line an entry, in the order of ``BPFObject/ObjectInventory``:
///
///     header SHA256
///     section SHA256 TYPE FLAGS SIZE ALIGNMENT ENTRYSIZE ADDRESS NAME
///     relocations SHA256 NAME
///     symbols SHA256
///
/// with the word `removable` before what stripping may take away. Digests are 64 lower-case digits, numbers are decimal.
public struct ObjectManifest: Equatable, Sendable {
  /// One line.
  public struct Entry: Equatable, Hashable, Sendable {
    public let kind: ObjectInventory.Entry.Kind
    /// The section's name; empty for header and symbols.
    public let name: String
    /// The section's type, flags, size, alignment, entry size and address.
    public let attributes: [UInt64]
    /// SHA-256 of what it stands for, 64 digits.
    public let digest: String
    /// Whether stripping may take it away.
    public let isRemovable: Bool

    /// What it is, for people: "section `xdp`".
    public var label: String {
      switch kind {
      case .header: "the file header"
      case .section: "section `\(name)`"
      case .relocations: "the relocations of `\(name)`"
      case .symbols: isRemovable ? "the names of source files" : "the symbol table"
      }
    }
  }

  /// The first line. It keeps a signature of anything else from being one of an object.
  public static let title = "verity-bpf object manifest 1"

  public let entries: [Entry]

  /// The names of the sections that hold instructions, in the object this was taken of; nil when it was read as text.
  let codeSections: Set<String>?

  /// Lists what an object is made of. A signature section in it is left out.
  public init(of object: RawSpan) throws(ObjectSignatureError) {
    let inventory: ObjectInventory
    do throws(BPFObjectError) {
      inventory = try BPFObject.inventory(object, excluding: SignatureSection.name)
    } catch {
      throw .object(error)
    }
    var entries: [Entry] = []
    for entry in inventory.entries {
      let digest: Digest
      do throws(HashingError) {
        digest = try Digest.of(entry.contents.rawSpan)
      } catch {
        throw .hashing(error)
      }
      entries.append(
        Entry(
          kind: entry.kind, name: entry.name, attributes: entry.attributes, digest: digest.hex,
          isRemovable: entry.isRemovable))
    }
    self.entries = entries
    codeSections = Set(inventory.entries.filter(\.holdsInstructions).map(\.name))
  }

  /// The bytes that are signed.
  public var text: [UInt8] {
    var lines = [Self.title]
    for entry in entries {
      var words = entry.isRemovable ? ["removable"] : []
      words += [entry.kind.rawValue, entry.digest]
      words += entry.attributes.map { String($0) }
      if entry.kind == .section || entry.kind == .relocations { words.append(entry.name) }
      lines.append(words.joined(separator: " "))
    }
    return Array((lines.joined(separator: "\n") + "\n").utf8)
  }

  /// Reads the text; only the text that ``text`` would write for it is taken.
  ///
  /// - Throws: ``ObjectSignatureError/manifest(line:reason:)``.
  public init(text: [UInt8]) throws(ObjectSignatureError) {
    let lines = text.split(separator: 0x0a, omittingEmptySubsequences: false)
    guard let first = lines.first, first.elementsEqual(Self.title.utf8) else {
      throw .manifest(line: 1, reason: "it does not begin with `\(Self.title)`")
    }
    guard lines.last?.isEmpty == true else { throw .manifest(line: lines.count, reason: "the last line is cut short") }
    var entries: [Entry] = []
    for (index, bytes) in lines.dropFirst().dropLast().enumerated() {
      guard let line = String(validating: bytes, as: UTF8.self), let entry = Self.entry(line) else {
        throw .manifest(line: index + 2, reason: "it is no entry")
      }
      entries.append(entry)
    }
    self.entries = entries
    codeSections = nil
    guard self.text == text else { throw .manifest(line: 1, reason: "it is not in its canonical form") }
  }

  private static func entry(_ line: String) -> Entry? {
    var rest = line[...]
    func word() -> String {
      let word = rest.prefix { $0 != " " }
      rest = rest.dropFirst(word.count + 1)
      return String(word)
    }
    var first = word()
    let isRemovable = first == "removable"
    if isRemovable { first = word() }
    guard let kind = ObjectInventory.Entry.Kind(rawValue: first) else { return nil }
    let digest = word()
    guard digest.utf8.count == 64 else { return nil }
    var attributes: [UInt64] = []
    if kind == .section {
      for _ in 0..<6 {
        guard let number = UInt64(word()) else { return nil }
        attributes.append(number)
      }
    }
    let hasName = kind == .section || kind == .relocations
    guard hasName || rest.isEmpty else { return nil }
    return Entry(
      kind: kind, name: hasName ? String(rest) : "", attributes: attributes, digest: digest, isRemovable: isRemovable)
  }

  /// Holds what was signed against an object.
  ///
  /// Every line must be the object's in the same order, but for lines that stripping took away; and the object may have
  /// nothing that no line is about.
  func check(against object: ObjectManifest) throws(ObjectSignatureError) {
    var signed = entries[...]
    for entry in object.entries {
      // Lines that may be missing are passed over until one fits.
      while let next = signed.first, next != entry, next.isRemovable, !(next.isSame(as: entry)) { signed.removeFirst() }
      guard let next = signed.first, next.isSame(as: entry) else {
        throw difference(at: entry, object: object)
      }
      guard next == entry else { throw .changed(entry.label) }
      signed.removeFirst()
    }
    if let missing = signed.first(where: { !$0.isRemovable }) { throw .missing(missing.label) }
  }

  /// What to say of an entry of the object that is not the next one that was signed.
  private func difference(at entry: Entry, object: ObjectManifest) -> ObjectSignatureError {
    guard entries.contains(where: { $0.isSame(as: entry) }) else {
      let holdsCode = entry.kind == .section && object.codeSections?.contains(entry.name) == true
      return .notCovered(entry.label, holdsCode: holdsCode)
    }
    let names = Set(object.entries.map(\.label))
    if let missing = entries.first(where: { !$0.isRemovable && !names.contains($0.label) }) {
      return .missing(missing.label)
    }
    return .changed(entry.label)
  }
}

extension ObjectManifest.Entry {
  /// Whether both are about the same part of an object.
  fileprivate func isSame(as other: Self) -> Bool {
    kind == other.kind && name == other.name && isRemovable == other.isRemovable
  }
}

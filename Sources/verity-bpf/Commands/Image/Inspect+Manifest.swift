import Base
import FileSystems
import Image
import ImageFormat
import Verity

extension InspectCommand {
  /// Prints what an image is and what its manifest says, some objects at a time: their number is no reason to need more memory.
  func tell(
    _ description: ImageDescription, manifest inode: FileSystemInode,
    in image: inout AnyFileSystem<VerifiedDevice<ImageFile.Source>>
  ) throws {
    // Everything is read before anything is printed, so that it is shown whole or not at all.
    var reader = try ManifestReader(inode, in: &image)
    while try reader.next(in: &image) != nil {}
    try reader.head.check(superblock: description.layout.superblock)
    reader = try ManifestReader(inode, in: &image)
    if json {
      let files = try image.passFiles()
      return try printJSON(description, &reader, files, in: &image)
    }
    try image.passNames { _, _, _ in }
    var printout = Printout()
    for line in description.lines { printout.line(line) }
    let label = [reader.head.name, reader.head.version].compactMap { $0 }.joined(separator: " ")
    printout.line(Output.row("manifest", label.isEmpty ? "without name" : label))
    while let listed = try reader.next(in: &image) {
      for one in listed {
        switch one {
        case .object(let object): for line in object.lines { printout.line(line) }
        case .file(let file): printout.line("file     \(file.path)  \(file.digest)")
        }
      }
      try printout.print()
      printout = Printout()
    }
    for entry in reader.loadList ?? [] { printout.line("load     \(entry.line)") }
    try printout.print()
  }

  /// The same document as a value would give, on one line.
  private func printJSON(
    _ description: ImageDescription, _ reader: inout ManifestReader,
    _ files: [(path: String, inode: FileSystemInode)],
    in image: inout AnyFileSystem<VerifiedDevice<ImageFile.Source>>
  ) throws {
    var text = OpenDocument(description.members(schema: Self.schema))
    text.open("manifest", reader.head.members)
    text.openList("objects")
    var isAmongFiles = false
    while let listed = try reader.next(in: &image) {
      for one in listed {
        switch one {
        case .object(let object): text.element(object.json)
        case .file(let file):
          if !isAmongFiles {
            text.close("]")
            text.openList("files")
            isAmongFiles = true
          }
          text.element(file.json)
        }
      }
      try text.print()
    }
    text.close("]")
    if !isAmongFiles {
      text.openList("files")
      text.close("]")
    }
    if let list = reader.loadList {
      text.openList("load_list")
      for entry in list { text.element(entry.json) }
      text.close("]")
    }
    text.close("}")
    text.openList("objects")
    text.close("]")
    text.openList("files")
    for file in files {
      text.element(FileSystemFile(file).json)
      try text.print(atLeast: 1 << 16)
    }
    text.close("]}\n")
    try text.print()
  }
}

extension Manifest.LoadEntry {
  /// What `load --all` does with an object, for people.
  fileprivate var line: String {
    let place = [interface.map { "interface \($0)" }, cgroup.map { "cgroup \($0)" }, target].compactMap { $0 }
    return "\(object)  pinned as \(pin)"
      + (attach.map { ", attaches \($0.joined(separator: ", "))" } ?? "")
      + (place.isEmpty ? "" : " to \(place.joined(separator: ", "))")
  }
}

/// A JSON document that is printed while it is written.
private struct OpenDocument {
  private var text: [UInt8]
  /// Whether something stands before the next member or element.
  private var isContinued: Bool

  /// Begins with some members of an object; there is one at least.
  init(_ members: [JSONValue.Member]) {
    text = JSONValue.object(members).compactUTF8
    text.removeLast()
    isContinued = true
  }

  /// Begins a member that is an object, with some members of it; there is one at least.
  mutating func open(_ name: String, _ members: [JSONValue.Member]) {
    begin(name)
    text += JSONValue.object(members).compactUTF8.dropLast()
    isContinued = true
  }

  /// Begins a member that is a list.
  mutating func openList(_ name: String) {
    begin(name)
    text.append(UInt8(ascii: "["))
    isContinued = false
  }

  private mutating func begin(_ name: String) {
    separate()
    text += JSONValue.string(name).compactUTF8
    text.append(UInt8(ascii: ":"))
  }

  mutating func element(_ value: JSONValue) {
    separate()
    text += value.compactUTF8
  }

  private mutating func separate() {
    if isContinued { text.append(UInt8(ascii: ",")) }
    isContinued = true
  }

  /// Ends what was begun.
  mutating func close(_ brackets: String) {
    text += brackets.utf8
    isContinued = true
  }

  /// Prints what there is, if it is that much.
  mutating func print(atLeast byteCount: Int = 1) throws(OutputFailure) {
    guard text.count >= byteCount else { return }
    try Output.bytes(text)
    text = []
  }
}

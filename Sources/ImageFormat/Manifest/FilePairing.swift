internal import Base
internal import FileSystems

/// Pairs the files of a manifest with the names of an image, one name after another: no path of the image is kept.
struct FilePairing {
  private struct Listed {
    let directory: String
    let name: String
    let file: Manifest.File
    var nid: UInt64?
  }

  /// By directory, then by name, bytewise.
  private var listed: [Listed]
  /// The directory that the last name was in, and which of ``listed`` are in it and not passed yet.
  private var directory: String?
  private var rest = 0..<0
  private var unlisted: String?

  init(_ files: [Manifest.File]) {
    listed = files.map { file in
      let slash = file.path.utf8.lastIndex(of: UInt8(ascii: "/"))
      let name = slash.map { file.path[file.path.utf8.index(after: $0)...] } ?? file.path[...]
      return Listed(directory: slash.map { String(file.path[..<$0]) } ?? "", name: String(name), file: file)
    }
    listed.sort {
      if !$0.directory.hasSameBytes(as: $1.directory) { return $0.directory.precedesBytewise($1.directory) }
      return $0.name.precedesBytewise($1.name)
    }
  }

  /// Takes a name of the image that is not a directory's. Names of one directory come one after another, in bytewise order.
  mutating func take(_ place: FileSystemPath, _ kind: FileSystemInode.Kind, _ nid: UInt64) {
    if directory?.hasSameBytes(as: place.directory) != true { enter(place.directory) }
    while let next = rest.first, listed[next].name.precedesBytewise(place.name) { rest = next + 1..<rest.upperBound }
    if let next = rest.first, kind == .regular, listed[next].name.hasSameBytes(as: place.name) {
      listed[next].nid = nid
      rest = next + 1..<rest.upperBound
      return
    }
    let path = place.text
    guard !path.hasSameBytes(as: Manifest.path) else { return }
    if unlisted.map({ path.precedesBytewise($0) }) ?? true { unlisted = path }
  }

  private mutating func enter(_ directory: String) {
    self.directory = directory
    let start = firstPlace { !$0.precedesBytewise(directory) }
    rest = start..<max(start, firstPlace { directory.precedesBytewise($0) })
  }

  /// The first of ``listed`` whose directory is as asked; what is asked holds from some place on.
  private func firstPlace(where holds: (String) -> Bool) -> Int {
    var start = 0
    var end = listed.count
    while start < end {
      let middle = start + (end - start) / 2
      if holds(listed[middle].directory) { end = middle } else { start = middle + 1 }
    }
    return start
  }

  /// - Returns: the files with their inodes, in bytewise order of their paths.
  /// - Throws: ``ManifestError`` when the image has a name that is not listed, or lacks one that is.
  func finish() throws(ManifestError) -> [Manifest.Located] {
    if let unlisted { throw .unlisted(path: unlisted) }
    var located: [Manifest.Located] = []
    located.reserveCapacity(listed.count)
    var missing: String?
    for entry in listed {
      let path = entry.file.path
      if let nid = entry.nid {
        located.append(Manifest.Located(file: entry.file, nid: nid))
      } else if missing.map({ path.precedesBytewise($0) }) ?? true {
        missing = path
      }
    }
    if let missing { throw .fileSystem(FileSystemError.missing(missing)) }
    return located.sorted { $0.file.path.precedesBytewise($1.file.path) }
  }
}

import Base
import BPFAnalysis
import BPFObject
import Image
import ImageFormat

/// What `build-image` warns of.
extension BuildImageCommand {
  func warn(about skipped: [SkippedFile]) {
    for file in skipped.prefix(10) { Output.warning("build.skipped", "`\(file.path)` is not packed: \(file.reason)") }
    if skipped.count > 10 { Output.warning("build.skipped", "\(skipped.count - 10) more files are not packed") }
  }

  func warn(aboutUnreadable files: [SkippedFile]) {
    for file in files.prefix(10) {
      Output.warning("build.no-object", "`\(file.path)` is packed as a file like any other: \(file.reason)")
    }
    if files.count > 10 { Output.warning("build.no-object", "\(files.count - 10) more ELF files are no objects") }
  }

  func warn(about unknown: UnknownPart) {
    let object = "`\(unknown.path)`"
    switch unknown.part {
    case .section(let name):
      Output.warning(
        "build.unknown-section",
        "\(object): section name `\(name)` is not that of a program type (near it are "
          + "\(SectionType.near(name).map { "`\($0)`" }.joined(separator: ", "))); where it says no type, "
          + "--section-type \(name)=TYPE states it, here or at the load")
    case .mapType(let map, let type):
      Output.warning(
        "build.unknown-map-type",
        "\(object): map `\(map)` is of \(type), which this build does not know: what its programs do with it is not "
          + "followed, and the kernel decides whether it takes it")
    case .contents(let map, let type):
      Output.warning(
        "build.unfilled-map",
        "\(object): map `\(map)` is of type \(type), which is not filled when it is loaded; the kernel decides whether it "
          + "takes it so")
    }
  }

  func warn(of notes: [PackedNote]) {
    for code in ObjectNote.Code.allCases {
      let notes = notes.filter { $0.note.code == code }
      for note in notes.prefix(10) { Output.warning(code.rawValue, "`\(note.path)`: \(note.note.message)") }
      if notes.count > 10 { Output.warning(code.rawValue, "\(notes.count - 10) more of this kind") }
    }
  }

  func warnAboutVersion() {
    guard let version, Manifest.versionNumbers(version) == nil else { return }
    Output.warning(
      "build.version",
      "version `\(version)` is not made of numbers with dots, so no x_image_version_min of a policy ever matches it")
  }
}

extension UnknownPart {
  var json: JSONValue {
    switch part {
    case .section(let name): ["path": .string(path), "section": .string(name)]
    case .mapType(let map, let type), .contents(let map, let type):
      ["path": .string(path), "map": .string(map), "type": .string(type)]
    }
  }
}

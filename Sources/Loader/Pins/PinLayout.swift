internal import BPFObject

/// The directories of an object's pins, in the order in which unloading empties them: a program that is still attached
/// would outlive its pin, and a map its program.
enum PinKind: String, CaseIterable {
  case link, prog, map

  /// The directory of this kind in an object's own.
  func directory(below object: String) -> String { "\(object)/\(rawValue)" }

  /// Where something of this kind is pinned.
  func path(_ name: String, below object: String) -> String { "\(directory(below: object))/\(name)" }
}

/// Which map and which program is pinned where: `DIR/map/<name>`, `DIR/prog/<name>`, `DIR/link/<name>`.
struct PinLayout: Equatable {
  /// Nil when nothing is pinned.
  let directory: String?
  /// Absolute paths in the order of the object's maps, struct_ops last; empty when nothing is pinned.
  let maps: [String]
  /// Absolute paths in the order of the programs that are loaded.
  let programs: [String]

  init(
    _ path: String?, maps: [LinkedMap], programs: [LinkedProgram], structures: [String] = []
  ) throws(BPFLoadError) {
    guard var path else {
      (directory, self.maps, self.programs) = (nil, [], [])
      return
    }
    while path.count > 1, path.hasSuffix("/") { path.removeLast() }
    directory = path
    self.maps = (maps.map { Self.fileName(of: $0) } + structures.map { Self.fileName($0) }).map {
      PinKind.map.path($0, below: path)
    }
    self.programs = programs.map { PinKind.prog.path(Self.fileName($0.name), below: path) }
    for names in [self.maps, self.programs] {
      var seen: Set<String> = []
      for name in names where !seen.insert(name).inserted { throw .pinNameTwice(path: name) }
    }
  }

  /// Where the link of a program or structure is pinned; nil when nothing is.
  func link(_ name: String) -> String? { directory.map { PinKind.link.path(Self.fileName(name), below: $0) } }

  /// A data section is pinned under its name without the leading dot: `rodata`, `data_custom`.
  private static func fileName(of map: LinkedMap) -> String {
    switch map.origin {
    case .declared, .jumpTable: fileName(map.name)
    case .data(let section): fileName(section.hasPrefix(".") ? String(section.dropFirst()) : section)
    }
  }

  /// The BPF file system refuses names with dots; slashes would leave the directory.
  private static func fileName(_ name: String) -> String {
    let characters = name.utf8.prefix(255).map { byte in
      byte == UInt8(ascii: ".") || byte == UInt8(ascii: "/") || byte < 0x21 || byte > 0x7e ? UInt8(ascii: "_") : byte
    }
    return characters.isEmpty ? "_" : String(decoding: characters, as: UTF8.self)
  }
}

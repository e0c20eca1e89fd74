internal import BPFObject
internal import Base
internal import KernelABI
internal import Linux

/// An object that is pinned where another is to take its place, read from its pins.
struct PinnedObject {
  /// A program, by its pin.
  struct Program {
    let name: String
    let id: UInt32
    let object: KernelObject
  }

  /// A map, by its pin.
  struct Map {
    let name: String
    let path: String
    let info: BPF.MapInfo
    let object: KernelObject
  }

  /// A link, by its pin.
  struct Link {
    let name: String
    let path: String
    let info: BPF.LinkInfo
    let object: KernelObject
  }

  /// The directory of the pins.
  let directory: String
  let programs: [Program]
  let maps: [Map]
  let links: [Link]

  /// Reads what is pinned in a directory.
  ///
  /// - Returns: nil where nothing is pinned and nothing was.
  /// - Throws: ``BPFLoadError/replacesOthers(path:isImage:found:)`` where anything else is there than the pins of one object.
  static func read(_ directory: String) throws(BPFLoadError) -> PinnedObject? {
    let tree: PinTree
    do throws(UnloadError) {
      tree = try PinTree(directory)
    } catch {
      switch error {
      case .system(let error) where error.code == .enoent: return nil
      case .system(let error): throw .system(error)
      case .notOurs(_, let found): throw .replacesOthers(path: directory, isImage: false, found: found)
      }
    }
    guard let pins = tree.objects.first else { return nil }
    let own = Set(PinKind.allCases.map { $0.directory(below: directory) } + [directory])
    guard pins.path == directory, tree.directories.allSatisfy(own.contains) else {
      throw .replacesOthers(path: directory, isImage: false, found: "directories of other objects")
    }
    do throws(SystemError) {
      return try PinnedObject(pins)
    } catch {
      throw .system(error)
    }
  }

  private init(_ pins: PinTree.ObjectPins) throws(SystemError) {
    var programs: [Program] = []
    var maps: [Map] = []
    var links: [Link] = []
    for (name, path) in pins.named(.prog) {
      let object = try BPF.pinned(at: path)
      guard try BPF.isProgram(object) else { throw SystemError("bpf BPF_OBJ_GET", path: path, .einval) }
      programs.append(Program(name: name, id: try BPF.programInfo(object).id, object: object))
    }
    for (name, path) in pins.named(.map) {
      let object = try BPF.pinned(at: path)
      guard try BPF.isMap(object) else { throw SystemError("bpf BPF_OBJ_GET", path: path, .einval) }
      maps.append(Map(name: name, path: path, info: try BPF.mapInfo(object), object: object))
    }
    for (name, path) in pins.named(.link) {
      let object = try BPF.pinned(at: path)
      guard try BPF.isLink(object) else { throw SystemError("bpf BPF_OBJ_GET", path: path, .einval) }
      links.append(Link(name: name, path: path, info: try BPF.linkInfo(object), object: object))
    }
    directory = pins.path
    (self.programs, self.maps, self.links) = (programs, maps, links)
  }

  /// What a link holds, by the ids that are pinned beside it; nil where something else has put another program there.
  func held(by link: Link) -> KernelObject? {
    switch link.info.place {
    case .structure(let id): maps.first { $0.info.id == id }?.object
    case .interface, .cgroup, .networkNamespace, .sockets, nil:
      programs.first { $0.id == link.info.programID }?.object
    }
  }
}

internal import BPFObject
internal import KernelABI
internal import Linux

/// A link that is to hold another program, or register another structure's map, from one moment to the next.
struct LinkMove {
  /// The program's or structure's name in the new object.
  let program: String
  /// In words.
  let place: String
  let link: PinnedObject.Link
  let new: KernelObject
  let old: KernelObject
}

/// The links that are pinned where another object takes the place of theirs, each given away once.
struct MovableLinks {
  private let old: PinnedObject?
  /// Objects that have no successor.
  private let ended: [PinnedObject]
  /// Where the new object's own links are pinned.
  private let claimed: Set<String>
  private(set) var moves: [LinkMove] = []

  init(_ old: PinnedObject?, ended: [PinnedObject], claimed: Set<String>) {
    self.old = old
    self.ended = ended
    self.claimed = claimed
  }

  /// Takes the link that is on a place already: that of the same name, else one whose program has no successor, else that of an object
  /// that has none. Nil where the new object needs a link of its own.
  mutating func take(
    _ name: String, _ pin: String?, on place: BPF.LinkInfo.Place, in words: String, for new: KernelObject
  ) throws(BPFLoadError) -> KernelObject? {
    for object in [old].compactMap(\.self) + ended {
      let fitting = object.links.filter { link in
        link.info.place == place && !moves.contains { $0.link.info.id == link.info.id }
      }
      guard let link = fitting.first(where: { $0.path == pin }) ?? fitting.first(where: { !claimed.contains($0.path) })
      else { continue }
      guard let held = object.held(by: link) else {
        throw .notReplaceable(
          path: object.directory, found: "link `\(link.name)`, which holds a program that is not pinned")
      }
      moves.append(LinkMove(program: name, place: words, link: link, new: new, old: held))
      return link.object
    }
    return nil
  }

  /// The same for a structure of functions, whose link says only which map it registers now.
  mutating func takeStructure(
    _ name: String, _ pin: String?, in words: String, for map: KernelObject
  ) throws(BPFLoadError) -> KernelObject? {
    guard let link = old?.links.first(where: { $0.path == pin && $0.info.kind == .structOps }),
      let place = link.info.place
    else { return nil }
    return try take(name, pin, on: place, in: words, for: map)
  }
}

extension Attachment {
  /// The place as a link's description has it; nil where links cannot be given another program, and where there is no such
  /// place, which attaching will say.
  func linkPlace(maps: (String) -> KernelObject?) -> BPF.LinkInfo.Place? {
    switch self {
    case .interface(let name, let type):
      guard let index = try? NetworkInterface.index(named: name) else { return nil }
      return .interface(index, type == .xdp ? nil : type.rawValue)
    case .cgroup(let path, let type):
      return (try? FileStatus.of(path: path)).map { .cgroup($0.inode, type.rawValue) }
    case .networkNamespace(let path, let type):
      let inode =
        path.map { path in (try? FileStatus.of(path: path))?.inode }
        ?? (try? KernelFile.openNetworkNamespace().status().inode)
      return inode.map { .networkNamespace(UInt32(truncatingIfNeeded: $0), type.rawValue) }
    case .sockets(let map, let type):
      return maps(map).flatMap { try? BPF.mapInfo($0).id }.map { .sockets(map: $0, type.rawValue) }
    case .rawTracepoint, .typed, .iterator, .structure, .tracepoint, .kernelProbe, .kernelProbes, .userProbe,
      .userProbes, .marked, .samples, .netfilter:
      return nil
    }
  }
}

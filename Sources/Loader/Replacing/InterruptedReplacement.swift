internal import Base
internal import Glibc
internal import KernelABI
internal import Linux

/// The pins beside an object's that a run was to exchange for them, `DIR_replaced_PID`: the new object's before the exchange, the
/// old one's after it. A run that was killed leaves them there.
public struct InterruptedReplacement: Sendable {
  /// Where its pins are.
  let staging: String
  /// Where the object is that was to be replaced.
  let directory: String
  /// The run's process.
  public let process: Int32

  private static let infix = "_replaced_"

  /// Where a process pins what is to take the place of the object in a directory. The BPF file system takes no names with dots.
  public static func staging(of directory: String, process: Int32) -> String { "\(directory)\(infix)\(process)" }

  /// The same for this process.
  static func staging(of directory: String) -> String { staging(of: directory, process: getpid()) }

  /// Nil for directories of other names.
  public init?(staging path: String) {
    let name = path.lastIndex(of: "/").map { path[path.index(after: $0)...] } ?? path[...]
    guard let mark = name.lastIndex(of: "_"), case let digits = name[name.index(after: mark)...],
      digits.utf8.allSatisfy({ (0x30...0x39).contains($0) }), let process = Int32(digits), process > 0,
      case let head = name[...mark], head.hasSuffix(Self.infix), head.count > Self.infix.count
    else { return nil }
    staging = path
    self.process = process
    directory = String(path.dropLast(digits.count + Self.infix.count))
  }

  /// Those beside a directory whose runs are gone, in the order of their names.
  static func ended(beside directory: String) -> [InterruptedReplacement] {
    let parent = directory.lastIndex(of: "/").map { directory[..<$0] } ?? ""
    let names = (try? Directory.names(parent.isEmpty ? "/" : String(parent))) ?? []
    return names.sortedBytewise().compactMap { InterruptedReplacement(staging: "\(parent)/\($0)") }.filter {
      $0.directory == directory && $0.hasEnded
    }
  }

  /// Whether nobody will exchange it any more. A run holds the lock of the directory that it makes; between making and locking,
  /// and from the exchange on, its process is what says so.
  var hasEnded: Bool {
    // One of this process's own number is of an earlier one, where this one has not locked it.
    let isAlive = process != getpid() && (kill(process, 0) == 0 || errno != ESRCH)
    guard !isAlive, let file = try? OwnedFD.open(staging, [.readOnly, .directory, .noFollow]),
      let isFree = try? file.tryLockExclusively()
    else { return false }
    return isFree
  }

  /// Gives links that were moved to the new object, before the exchange that did not come, the programs again that are pinned
  /// beside them. Nothing happens where the exchange came, since those are the new ones then.
  func giveBackLinks() throws(BPFLoadError) {
    guard let old = try PinnedObject.read(directory), let new = try PinnedObject.read(staging) else { return }
    for link in old.links where link.info.place != nil && old.held(by: link) == nil {
      // A link is pinned under the name of the program that it was made for.
      guard let held = new.held(by: link), let own = old.named(link) else { continue }
      do throws(SystemError) {
        try BPF.update(link.object, to: own, replacing: held)
      } catch {
        throw .linkNotMoved(program: link.name, place: link.path, error: error)
      }
    }
  }

  /// Takes away what is there, once its links are given back.
  ///
  /// - Returns: whether it is gone. What is no load's stays.
  func collect() -> Bool { (try? Unloading.unload(pinPath: staging).remaining.isEmpty) ?? false }
}

extension PinnedObject {
  /// The program or structure that a link was made for, by its name.
  fileprivate func named(_ link: Link) -> KernelObject? {
    switch link.info.place {
    case .structure: maps.first { $0.name == link.name }?.object
    case .interface, .cgroup, .networkNamespace, .sockets, nil: programs.first { $0.name == link.name }?.object
    }
  }
}

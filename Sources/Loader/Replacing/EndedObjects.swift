internal import Base
internal import KernelABI
internal import Linux

/// Objects that are pinned where the objects of an image are, and that its successor does not have any more.
public struct EndedObjects: Equatable, Sendable {
  /// The directories of their pins, in the order of their names.
  public let directories: [String]
  /// What could not be removed, each with the reason. Known when they have been taken away.
  public private(set) var remaining: [String] = []

  /// Looks for them; nil where there are none.
  ///
  /// - Parameters:
  ///   - path: the directory that the image's objects are pinned below, each in one of its own.
  ///   - names: those directories' names.
  /// - Throws: ``BPFLoadError/replacesOthers(path:isImage:found:)`` where anything else is there.
  public static func find(below path: String, without names: [String]) throws(BPFLoadError) -> EndedObjects? {
    let tree: PinTree
    do throws(UnloadError) {
      tree = try PinTree(Unloading.absolute(path))
    } catch {
      switch error {
      case .system(let error) where error.code == .enoent: return nil
      case .system(let error): throw .system(error)
      case .notOurs(let path, let found): throw .replacesOthers(path: path, isImage: true, found: found)
      }
    }
    guard let directory = tree.directories.last else { return nil }
    guard tree.objects.first?.path != directory else {
      throw .replacesOthers(path: directory, isImage: true, found: "the pins of one object")
    }
    let kept = Set(names.map { "\(directory)/\($0)" })
    let ended = tree.objects.map(\.path).filter { path in
      guard !kept.contains(path) else { return false }
      // What a killed run has left beside an object is that one's to collect, and what another run is about to exchange its.
      guard let interrupted = InterruptedReplacement(staging: path) else { return true }
      return !kept.contains(interrupted.directory) && interrupted.hasEnded
    }
    return ended.isEmpty ? nil : EndedObjects(directories: ended.sorted())
  }

  private init(directories: [String]) { self.directories = directories }

  /// Takes them away.
  public mutating func end() {
    for directory in directories {
      do throws(UnloadError) {
        remaining += try Unloading.unload(pinPath: directory).remaining
      } catch {
        remaining.append("\(directory): \(error.diagnostic.message)")
      }
    }
  }
}

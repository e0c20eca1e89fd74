/// What a layer says of a path, found out one component after the other.
enum LayerWalk {
  enum Kind: Equatable { case directory, regular, other }

  /// What a layer has at one component.
  struct Component: Equatable {
    var kind: Kind
    /// It stands for nothing: a character device 0:0, or a file that is marked so.
    var isWhiteout = false
    /// A directory that hides those of the same path below it.
    var isOpaque = false
    /// A directory that those below it have under another path.
    var isRenamed = false
  }

  enum Answer: Equatable {
    /// The layer has nothing there, and the next one is to be asked.
    case absent
    /// It has a regular file, which is what the overlay shows.
    case file
    /// It has something else, or hides what is below it.
    case hidden
    /// Below it another path is the same file's.
    case renamed
  }

  /// - Parameters:
  ///   - found: what the layer has, from the first component as far as there is anything.
  ///   - count: components of the path.
  static func answer(_ found: [Component], of count: Int) -> Answer {
    for (index, component) in found.enumerated() {
      if component.isWhiteout { return .hidden }
      if index == count - 1 { return component.kind == .regular ? .file : .hidden }
      if component.kind != .directory { return .hidden }
    }
    if found.contains(where: { $0.isOpaque }) { return .hidden }
    return found.contains { $0.isRenamed } ? .renamed : .absent
  }
}

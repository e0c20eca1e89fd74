internal import Base
internal import KernelABI
internal import Linux

/// What `load --pin-path` has made below a directory, read back: `KIND/NAME` of one object (``PinLayout``), and
/// `OBJECT/KIND/NAME` where several were loaded.
///
/// Reading refuses whatever no load makes, so that who acts on the result meets nothing of others.
struct PinTree: Equatable {
  /// The pins of one object.
  struct ObjectPins: Equatable {
    /// The directory with the kinds in it.
    let path: String
    /// Names by kind, in bytewise order; a kind without a directory has none.
    fileprivate(set) var names: [PinKind: [String]] = [:]

    /// A kind's pins by their names, with their absolute paths.
    func named(_ kind: PinKind) -> [(name: String, path: String)] {
      (names[kind] ?? []).map { ($0, kind.path($0, below: path)) }
    }
  }

  /// Those that have pins; the directory itself first, where it holds pins of one object.
  fileprivate(set) var objects: [ObjectPins] = []
  /// Every directory, those within another before it; the tree's own last.
  fileprivate(set) var directories: [String] = []

  /// All links, then all programs, then all maps.
  var pins: [String] { PinKind.allCases.flatMap { kind in objects.flatMap { $0.named(kind).map(\.path) } } }

  /// Reads a directory.
  ///
  /// - Throws: ``UnloadError/notOurs(path:found:)`` when anything else is there, and for the root of a BPF file system,
  ///   which no load pins in.
  init(_ path: String) throws(UnloadError) {
    let isRoot: Bool
    do throws(SystemError) {
      let own = try OwnedFD.open(path, [.path, .directory, .noFollow]).status()
      isRoot = try OwnedFD.open("\(path)/..", [.path, .directory]).status().device != own.device
    } catch {
      throw .system(error)
    }
    let names = try Self.names(path)
    // Everything of everyone is there.
    if isRoot { throw .notOurs(path: path, found: "the root of the BPF file system") }
    try readObject(path, names, of: path, mayHoldObjects: true)
  }

  /// Reads the kinds of one object, and, where there may be several, the directories of the others.
  private mutating func readObject(
    _ directory: String, _ names: [String], of root: String, mayHoldObjects: Bool
  ) throws(UnloadError) {
    var own = ObjectPins(path: directory)
    var others = PinTree()
    let place = Self.place(directory, in: root)
    let kinds = names.compactMap { PinKind(rawValue: $0) }
    for name in names {
      let child = "\(directory)/\(name)"
      guard try Self.kind(child) == .directory else { throw .notOurs(path: root, found: "also `\(place)\(name)`") }
      let below = try Self.names(child)
      if let kind = PinKind(rawValue: name) {
        try others.readPins(kind, child, below, into: &own, of: root, mayHoldObjects: mayHoldObjects)
        others.directories.append(child)
      } else {
        // What a load leaves empty that was killed is beside other objects, not beside the kinds of one.
        guard mayHoldObjects, !below.isEmpty || kinds.isEmpty else {
          throw .notOurs(path: root, found: "also `\(place)\(name)`")
        }
        try others.readObject(child, below, of: root, mayHoldObjects: false)
      }
    }
    // An object of a kind's name makes that directory too.
    if !own.names.isEmpty { objects.append(own) }
    objects += others.objects
    directories += others.directories + [directory]
  }

  /// Reads the pins in the directory of a kind, which is also that of an object of this name where there are several.
  private mutating func readPins(
    _ kind: PinKind, _ directory: String, _ names: [String], into own: inout ObjectPins, of root: String,
    mayHoldObjects: Bool
  ) throws(UnloadError) {
    var kinds: [String] = []
    for name in names {
      switch try Self.kind("\(directory)/\(name)") {
      case .regular: own.names[kind, default: []].append(name)
      case .directory where mayHoldObjects && PinKind(rawValue: name) != nil: kinds.append(name)
      case .directory, .fifo, .socket, .symbolicLink, .blockDevice, .characterDevice, .other:
        throw .notOurs(path: root, found: "also `\(Self.place(directory, in: root))\(name)`, which is no pin")
      }
    }
    guard !kinds.isEmpty else { return }
    var object = PinTree()
    try object.readObject(directory, kinds, of: root, mayHoldObjects: false)
    objects += object.objects
    // The directory itself is the kind's too.
    directories += object.directories.dropLast()
  }

  /// Nothing yet.
  private init() {}

  /// Where a directory is below the tree's own, for messages: empty, or with a slash at its end.
  private static func place(_ directory: String, in root: String) -> String {
    directory == root ? "" : "\(directory.dropFirst(root.utf8.count + 1))/"
  }

  /// The names in a directory of a BPF file system, in bytewise order.
  private static func names(_ path: String) throws(UnloadError) -> [String] {
    let type: UInt64
    let names: [String]
    do throws(SystemError) {
      type = try OwnedFD.open(path, [.path, .directory, .noFollow]).fileSystemType()
      names = try Directory.names(path)
    } catch {
      throw .system(error)
    }
    guard type == FileSystemMagic.bpf.rawValue else { throw .notOurs(path: path, found: "another file system") }
    return names.sortedBytewise()
  }

  /// A regular file is a pin in a BPF file system.
  private static func kind(_ path: String) throws(UnloadError) -> FileStatus.Kind {
    do throws(SystemError) {
      return try FileStatus.of(path: path, followLinks: false).kind
    } catch {
      throw .system(error)
    }
  }
}

internal import KernelABI
public import Linux

/// The programs that this process sees by their pins: all that is to be seen where the kernel lists none
/// (BPF_PROG_GET_NEXT_ID needs CAP_SYS_ADMIN).
public struct VisiblePins: Sendable {
  /// A program, and its pins in the order in which they were met.
  public struct Program: Sendable {
    public let info: BPF.ProgramInfo
    public fileprivate(set) var pins: [String]
  }

  /// In the order of their ids.
  public var programs: [Program] { found.values.sorted { $0.info.id < $1.info.id } }
  /// BPF file systems that are mounted where this process sees them.
  public let places: [String]
  /// Directories and pins that this process may not look at: at most ``hiddenLimit`` of them.
  public private(set) var hidden: [String] = []
  public private(set) var hiddenCount = 0
  /// Whether there are more names than are looked at.
  public private(set) var isCut = false

  private var found: [UInt32: Program] = [:]
  private var names = 0

  private static let hiddenLimit = 8
  private static let nameLimit = 100_000
  private static let depthLimit = 16

  /// Looks at every pin that this process may open.
  public static func look() -> VisiblePins {
    VisiblePins(below: Mount.places(ofType: "bpf"))
  }

  /// - Parameter places: directories of BPF file systems.
  init(below places: [String]) {
    self.places = places
    for place in places { look(at: place, depth: Self.depthLimit) }
  }

  private mutating func look(at directory: String, depth: Int) {
    let entries: [String]
    do throws(SystemError) {
      guard
        try OwnedFD.open(directory, [.path, .directory, .noFollow]).fileSystemType() == FileSystemMagic.bpf.rawValue
      else { return }
      entries = try Directory.names(directory)
    } catch {
      if error.code != .enoent { hide(directory) }
      return
    }
    for name in entries {
      names += 1
      guard names <= Self.nameLimit else {
        isCut = true
        return
      }
      let path = directory == "/" ? "/\(name)" : "\(directory)/\(name)"
      guard let kind = try? FileStatus.of(path: path, followLinks: false).kind else {
        hide(path)
        continue
      }
      if kind == .directory {
        guard depth > 0 else {
          isCut = true
          continue
        }
        look(at: path, depth: depth - 1)
      } else if kind == .regular {
        take(path)
      }
    }
  }

  private mutating func take(_ path: String) {
    do throws(SystemError) {
      let object = try BPF.pinned(at: path, readOnly: true)
      guard try BPF.isProgram(object) else { return }
      let info = try BPF.programInfo(object)
      found[info.id, default: Program(info: info, pins: [])].pins.append(path)
    } catch {
      // EINVAL: a link, which is no program.
      if error.code != .enoent, error.code != .einval { hide(path) }
    }
  }

  private mutating func hide(_ path: String) {
    hiddenCount += 1
    if hidden.count < Self.hiddenLimit { hidden.append(path) }
  }
}

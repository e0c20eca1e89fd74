internal import Base
internal import KernelABI
internal import Linux

/// A run whose attempts may be open, as an empty file in the audit directory whose name says everything: a file is there
/// with its name or not at all, so that a run that is killed leaves no half-made one.
struct RunName: Equatable, Sendable {
  /// Ties the attempts of the run together: the moment and the process, `SECONDS.NANOSECONDS-PID`.
  let run: String
  /// When its process was started, as ``Linux/ProcessIdentity/startTime``.
  let startTime: UInt64?
  /// The start of the machine.
  let bootID: String?
  /// The namespace of its process id.
  let namespace: UInt64?
  /// The file that its attempts are in, and where they begin there.
  let inode: UInt64
  let offset: UInt64

  private static let prefix = "running"

  /// The name of the file.
  var fileName: String {
    let fields = [
      Self.prefix, run, startTime.map { "\($0)" } ?? "-", bootID ?? "-", namespace.map { "\($0)" } ?? "-", "\(inode)",
      "\(offset)",
    ]
    return fields.separated(by: "_")
  }

  init(run: String, startTime: UInt64?, bootID: String?, namespace: UInt64?, inode: UInt64, offset: UInt64) {
    self.run = run
    self.startTime = startTime
    self.bootID = bootID
    self.namespace = namespace
    self.inode = inode
    self.offset = offset
  }

  /// Reads the name of a file; nil for one of another kind.
  init?(fileName: String) {
    let fields = fileName.split(separator: "_", omittingEmptySubsequences: false).map { String($0) }
    guard fields.count == 7, fields[0] == Self.prefix, Self.process(of: fields[1]) != nil,
      let inode = UInt64(fields[5]),
      let offset = UInt64(fields[6])
    else { return nil }
    self.init(
      run: fields[1], startTime: UInt64(fields[2]), bootID: fields[3] == "-" ? nil : fields[3],
      namespace: UInt64(fields[4]), inode: inode, offset: offset)
  }

  /// Whether the run has ended, as far as that can be known: the machine was started anew since, or nothing holds its
  /// marker and no process of its id was started when its process was.
  ///
  /// - Parameter isHeld: whether an open file has the marker's lock, which the run keeps for as long as it lives.
  func hasEnded(bootID current: String?, namespace own: UInt64?, isHeld: Bool) -> Bool {
    guard let bootID, let current else { return false }
    if bootID != current { return true }
    // In another namespace the same number is another process.
    guard !isHeld, let namespace, namespace == own, let startTime, let pid = Self.process(of: run) else { return false }
    return ProcessIdentity.isGone(pid: pid, startTime: startTime)
  }

  /// The number of its process, in the namespace that it has.
  var process: Int32? { Self.process(of: run) }

  /// The run that an event is of: `RUN.NUMBER`.
  static func run(of event: String) -> String {
    event.split(separator: ".").dropLast().map { String($0) }.separated(by: ".")
  }

  private static func process(of run: String) -> Int32? { run.split(separator: "-").last.flatMap { Int32($0) } }
}

/// The marker of this run. Its lock is held until this value goes, or the process ends.
struct RunMarker: ~Copyable, Sendable {
  let name: RunName
  private let descriptor: OwnedFD

  /// What a marker is called while no run has it. A file system may take long for a new file where many were removed just
  /// now (ext4 does not give the inode of one again for five seconds, and looks at each), so that one is used again.
  static let spareName = "audit.spare"

  /// Makes the marker. Called under the log's lock.
  static func make(_ name: RunName, in directory: borrowing AuditDirectory) throws(AuditError) -> RunMarker {
    let isSpare: Bool
    do throws(SystemError) {
      try directory.descriptor.rename(at: spareName, to: name.fileName)
      isSpare = true
    } catch {
      guard error.code == .enoent else { throw .unwritable(directory: directory.path, error) }
      isSpare = false
    }
    let descriptor = try directory.open(name.fileName, isSpare ? [] : .exclusive)
    _ = try AuditDirectory.recording(in: directory.path) { () throws(SystemError) in
      try descriptor.tryLockExclusively()
    }
    return RunMarker(name: name, descriptor: descriptor)
  }

  /// Says that the run has no open attempts any more.
  consuming func retire(in directory: borrowing AuditDirectory) {
    // Free before another run has it.
    descriptor.unlock()
    guard (try? directory.descriptor.rename(at: name.fileName, to: Self.spareName)) == nil else { return }
    try? directory.descriptor.remove(at: name.fileName)
  }

  /// Those of the runs that are known to have ended.
  static func ended(_ runs: [RunName], in directory: borrowing AuditDirectory) -> [RunName] {
    let (bootID, namespace) = (KernelSettings.bootID(), ProcessIdentity.namespace())
    var ended: [RunName] = []
    for run in runs
    where run.hasEnded(bootID: bootID, namespace: namespace, isHeld: isHeld(run, in: directory)) { ended.append(run) }
    return ended
  }

  /// Whether another run holds a marker.
  static func isHeld(_ name: RunName, in directory: borrowing AuditDirectory) -> Bool {
    // One that cannot be looked at says nothing.
    guard let descriptor = try? directory.descriptor.open(at: name.fileName, [.readOnly, .noFollow, .nonBlocking]),
      let isFree = try? descriptor.tryLockExclusively()
    else { return true }
    return !isFree
  }
}

internal import BPFObject
internal import Gate
internal import KernelABI
internal import Linux
internal import Loader

/// The programs that are loaded, looked through for those that could undo what the gate answers.
public struct ProgramStock: Equatable, Sendable {
  /// A program that could.
  public struct Foreign: Equatable, Sendable {
    public let id: UInt32
    /// Nil for a program that may not be looked at.
    public let name: String?
    /// What about it.
    public let reason: String

    /// One line about it.
    public var text: String { "program \(id)\(name.map { " (\($0))" } ?? ""): \(reason)" }
  }

  /// In the order of their numbers.
  public let foreign: [Foreign]
  /// How many programs were loaded before the gate's.
  public let earlier: Int

  /// Looks at every program.
  ///
  /// Pid 1's are known by its open files: systemd holds the links of its own LSM programs there, and no other process can open
  /// them.
  ///
  /// - Parameter own: the gate's programs.
  /// - Throws: ``GateError`` when the kernel does not list its programs.
  static func take(own: Set<UInt32>) throws(GateError) -> ProgramStock {
    let hooks = GateHook.allCases.map { "security_\($0.name)" }
    let targets = hooks.map { ProgramKind.AttachTarget(name: $0, kind: .function, module: "vmlinux") }
    var functions: [UInt32: String] = [:]
    do throws(BPFLoadError) {
      for (name, id) in zip(hooks, try KernelTypeNumbers.find(targets)) {
        if let id { functions[id] = name }
      }
    } catch {
      throw .load(error)
    }
    let held = programsOfInit()
    var foreign: [Foreign] = []
    var earlier = 0
    let ids: [UInt32]
    do throws(SystemError) { ids = try BPF.programIDs() } catch { throw .system(error) }
    let first = own.min() ?? .max
    for id in ids where !own.contains(id) {
      if id < first { earlier += 1 }
      let info: BPF.ProgramInfo
      do throws(SystemError) {
        info = try BPF.programInfo(BPF.program(id: id))
      } catch {
        // It went meanwhile.
        if error.code == .enoent { continue }
        if !held.contains(id) {
          foreign.append(Foreign(id: id, name: nil, reason: "it may not be looked at (\(error.errnoName))"))
        }
        continue
      }
      guard let reason = Self.reason(info, functions: functions), !held.contains(id) else { continue }
      foreign.append(Foreign(id: id, name: info.name.isEmpty ? nil : info.name, reason: reason))
    }
    return ProgramStock(foreign: foreign, earlier: earlier)
  }

  /// Why a program could undo an answer of the gate; nil for one that cannot.
  ///
  /// What a tracing program does with its function (before, after, or in the place of its result) the kernel does not tell, so
  /// that one on a security hook counts as one that changes the result.
  static func reason(_ info: BPF.ProgramInfo, functions: [UInt32: String]) -> String? {
    switch ProgramType(rawValue: info.type) {
    case .lsm: return "an LSM program; on a cgroup it could run after the gate's and change the answer"
    case .tracing:
      guard let function = functions[info.attachTypeID] else { return nil }
      return "it is on \(function), and could change what that returns"
    case .unspec, .socketFilter, .kprobe, .schedCls, .schedAct, .tracepoint, .xdp, .perfEvent, .cgroupSkb, .cgroupSock,
      .lwtIn, .lwtOut, .lwtXmit, .sockOps, .skSkb, .cgroupDevice, .skMsg, .rawTracepoint, .cgroupSockAddr,
      .lwtSeg6local, .lircMode2, .skReuseport, .flowDissector, .cgroupSysctl, .rawTracepointWritable, .cgroupSockopt,
      .structOps, .ext, .skLookup, .syscall, .netfilter:
      return nil
    // What it may change is not known.
    case nil: return "it is of type \(info.type), which this build does not know"
    }
  }

  /// The numbers of the programs that pid 1 holds itself, or by links.
  static func programsOfInit() -> Set<UInt32> {
    guard let names = try? KernelFile.names(.initFiles) else { return [] }
    var ids: Set<UInt32> = []
    for name in names {
      if let text = KernelFile.text(.initFile, name), let id = program(inFileInformation: text) { ids.insert(id) }
    }
    return ids
  }

  /// The `prog_id` of what /proc/PID/fdinfo says of a program or link (kernel/bpf/syscall.c, bpf_prog_show_fdinfo and
  /// bpf_link_show_fdinfo); nil for anything else.
  static func program(inFileInformation text: String) -> UInt32? {
    for line in text.split(separator: "\n") where line.hasPrefix("prog_id:") {
      return UInt32(line.dropFirst("prog_id:".count).drop { $0 == "\t" || $0 == " " })
    }
    return nil
  }

  /// The inode number of the mount namespace of pid 1: `mnt:[4026531841]`; 0 where it is not known.
  static func mountNamespaceOfInit() -> UInt64 {
    KernelFile.link(.initMounts).flatMap { namespace(inLink: $0) } ?? 0
  }

  static func namespace(inLink text: String) -> UInt64? {
    guard text.hasPrefix("mnt:["), text.hasSuffix("]") else { return nil }
    return UInt64(text.dropFirst("mnt:[".count).dropLast())
  }
}

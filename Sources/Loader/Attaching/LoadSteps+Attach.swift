internal import KernelABI
internal import BPFObject
internal import Linux

/// A link, what it attaches to what, and the name it is pinned under.
struct MadeLink {
  /// The program, or the structure of functions.
  let program: String
  /// In words.
  let place: String
  /// Differs from ``program`` where one program has several links.
  let pinName: String
  let object: KernelObject
}

/// Why a link was not made.
enum AttachFailure: Error {
  /// The place is not there.
  case missing(String)
  /// What says where the place is, is not there, because the kernel is locked down.
  case lockedDown(LockdownMode, SystemError)
  case refused(SystemError)

  /// Runs system calls whose errors are refusals.
  static func calling<Value>(_ body: () throws(SystemError) -> Value) throws(AttachFailure) -> Value {
    do throws(SystemError) { return try body() } catch { throw .refused(error) }
  }
}

extension LoadSteps {
  /// Attaches every program; a link that has been made goes with the load when a later one is refused.
  ///
  /// - Parameter movable: links that are there already and are to hold these programs.
  func attach(
    _ objects: [KernelObject], maps: [KernelObject], _ layout: PinLayout, moving movable: inout MovableLinks
  ) throws(BPFLoadError) -> [MadeLink] {
    var links: [MadeLink] = []
    // Marked places share a map of the object, a key for each kind of arguments.
    var nextKey: UInt32 = 0
    for (program, object) in zip(programs, objects) where options.attaches(program.name) {
      let attachment = try Attachment(program, options)
      // Registered as a whole, by its map.
      guard let place = attachment.place else { continue }
      if let there = attachment.linkPlace(maps: { name in
        linked.maps.firstIndex { $0.name == name }.flatMap { $0 < maps.count ? maps[$0] : nil }
      }),
        let link = try movable.take(program.name, layout.link(program.name), on: there, in: place, for: object)
      {
        links.append(MadeLink(program: program.name, place: place, pinName: program.name, object: link))
        continue
      }
      let made: [KernelObject]
      do throws(AttachFailure) {
        made = try self.links(of: object, attachment, maps: maps, nextKey: &nextKey)
      } catch {
        switch error {
        case .missing(let reason):
          throw .noAttachPlace(program: program.name, section: program.section, place: place, reason: reason)
        case .lockedDown(let mode, let error): throw lockedDown(program, place: place, mode, error)
        case .refused(let error): throw attachRefused(program, place: place, error)
        }
      }
      for (index, link) in made.enumerated() {
        let pinName = made.count == 1 ? program.name : "\(program.name)_\(index)"
        links.append(MadeLink(program: program.name, place: place, pinName: pinName, object: link))
      }
    }
    return links
  }

  /// One link, except where there is one for each processor.
  private func links(
    of program: KernelObject, _ attachment: Attachment, maps: [KernelObject], nextKey: inout UInt32
  ) throws(AttachFailure) -> [KernelObject] {
    switch attachment {
    case .samples(let event): return try Probing.links(of: program, samplesOf: event)
    case .marked(let place):
      guard let index = linked.maps.firstIndex(where: { $0.name == Probing.staticProbeMap }), index < maps.count,
        linked.maps[index].valueSize == StaticProbeArguments.size
      else { throw .missing("the object has no map `\(Probing.staticProbeMap)` as libbpf's usdt.bpf.h declares it") }
      return try Probing.links(
        of: program, place, arguments: maps[index], entries: linked.maps[index].maxEntries, next: &nextKey)
    case .tracepoint(let name): return [try Probing.link(program, tracepoint: name)]
    case .kernelProbe(let probe): return [try Probing.link(program, kernelProbe: probe)]
    case .kernelProbes(let pattern, let atReturn, let type):
      return [try Probing.link(program, type: type, kernelFunctions: pattern, atReturn: atReturn)]
    case .userProbe(let file, let probe): return [try Probing.link(program, file: file, probe)]
    case .userProbes(let file, let pattern, let atReturn, let type):
      return [try Probing.link(program, type: type, file: file, functions: pattern, atReturn: atReturn)]
    case .sockets(let map, let type):
      guard let index = linked.maps.firstIndex(where: { $0.name == map }), index < maps.count else {
        throw .missing("the object has no map `\(map)`")
      }
      return [
        try AttachFailure.calling { () throws(SystemError) in
          try BPF.link(program, type, sockets: maps[index])
        }
      ]
    case .rawTracepoint, .typed, .iterator, .structure, .interface, .cgroup, .networkNamespace, .netfilter:
      return [try AttachFailure.calling { () throws(SystemError) in try link(program, attachment) }]
    }
  }

  /// The attachments that are one system call, or a file and one.
  private func link(_ program: KernelObject, _ attachment: Attachment) throws(SystemError) -> KernelObject {
    switch attachment {
    case .rawTracepoint(let name): return try BPF.openRawTracepoint(program, tracepoint: name)
    case .typed: return try BPF.openRawTracepoint(program)
    case .iterator: return try BPF.linkIterator(program)
    case .interface(let name, let type):
      return try BPF.link(program, type, interface: try NetworkInterface.index(named: name))
    case .cgroup(let path, let type):
      return try BPF.link(program, type, cgroup: try OwnedFD.open(path, [.readOnly, .directory]))
    case .networkNamespace(let path, let type):
      guard let path else { return try BPF.link(program, type, cgroup: try KernelFile.openNetworkNamespace()) }
      return try BPF.link(program, type, cgroup: try OwnedFD.open(path, .readOnly))
    case .netfilter(let hook):
      return try BPF.link(program, netfilter: hook.family, hook: hook.hook, priority: hook.priority)
    case .structure, .samples, .tracepoint, .kernelProbe, .kernelProbes, .userProbe, .userProbes, .marked, .sockets:
      throw SystemError("attach", .einval)
    }
  }
}

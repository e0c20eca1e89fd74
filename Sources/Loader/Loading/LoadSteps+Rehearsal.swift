internal import BPFObject
internal import KernelABI
internal import Linux

/// What a load would meet, as far as that can be known without making anything in the kernel.
extension LoadSteps {
  /// Takes the steps of ``run()`` up to where each would make something, and looks at what it would need there.
  ///
  /// - Returns: what was not looked at, each as the end of a sentence.
  func rehearse() throws(BPFLoadError) -> [String] {
    let layout = try PinLayout(
      pinPath(), maps: linked.maps, programs: programs, structures: linked.structOps.map(\.name))
    let layouts = try structureLayouts()
    _ = try loadTargets(members: layouts.flatMap(\.attachments))
    try requireCapabilities()
    try requireMaps(layout)
    try requireSlotTargets(layouts)
    if let old = try replacedObject(layout) {
      for index in linked.maps.indices { _ = try carriedMap(index, from: old, layout) }
    } else if let directory = layout.directory {
      try PinnedPaths.requireFree(directory, for: pins(layout))
    }
    return unknown
  }

  /// Refuses what lacks a capability, in the words of the refusal that the kernel's answer would lead to.
  private func requireCapabilities() throws(BPFLoadError) {
    let needed = RequiredPrivilege(kinds: programs.map(\.kind), found: options.capabilities)
    // Such a program needs none, and BPF_BTF_LOAD asks for none either then (kernel/bpf/syscall.c, __sys_bpf).
    if needed.isUnprivilegedKind, KernelSettings.unprivilegedBPFDisabled() == 0 { return }
    var inquiry = PermissionInquiry()
    inquiry.held = KernelSettings.effectiveCapabilities()
    inquiry.unprivilegedDisabled = KernelSettings.unprivilegedBPFDisabled()
    let judgement = inquiry.judge(needed: needed.capabilities, isUnprivilegedKind: needed.isUnprivilegedKind)
    switch judgement.cause {
    case .capability, .sysctl:
      throw .notPermitted(
        Refusal.Permission(
          action: "load the object", error: nil, needed: needed.capabilities, cause: judgement.cause,
          found: judgement.found))
    case .userNamespace, .lockdown, .systemCallFilter, .securityModule, .kernelBuild, .unknown: break
    }
  }

  /// Refuses maps without a size, of types that this kernel does not have, or that cannot be shared.
  private func requireMaps(_ layout: PinLayout) throws(BPFLoadError) {
    for (index, map) in linked.maps.enumerated() {
      if map.pinsByName {
        guard layout.directory != nil else { throw .pinByNameWithoutPath(map: map.name) }
        if try sharedMap(map, at: layout.maps[index]) != nil { continue }
      }
      let invalid = SystemError("bpf BPF_MAP_CREATE", .einval)
      if let needs = KernelMapTypes.missing(map) {
        throw .notKnownToKernel(subject: "map `\(map.name)`", needs: needs, error: invalid)
      }
      guard !map.type.needsSize || map.maxEntries != 0 || !linked.mapsWithoutSize.contains(map.name) else {
        throw .mapWithoutSize(map: map.name, shape: shape(of: map), error: invalid)
      }
    }
  }

  /// Refuses maps and structures that are to hold a program which is not loaded.
  private func requireSlotTargets(_ layouts: [StructOps.Layout]) throws(BPFLoadError) {
    let names = Set(linked.maps.map(\.name) + programs.map(\.name))
    for map in linked.maps {
      for slot in map.initialSlots where !names.contains(slot.target) {
        throw .noSuchSlotTarget(map: map.name, target: slot.target)
      }
    }
    for (structure, layout) in zip(linked.structOps, layouts) {
      for slot in layout.programs where !programs.contains(where: { $0.name == slot.program }) {
        throw .noSuchSlotTarget(map: structure.name, target: slot.program)
      }
    }
  }

  /// Where something would be pinned that no earlier load shares.
  private func pins(_ layout: PinLayout) -> [String] {
    let maps = zip(linked.maps, layout.maps).filter { !$0.0.pinsByName }.map(\.1)
    let structures = layout.maps.dropFirst(linked.maps.count)
    let links =
      options.attaches ? programs.filter { options.attaches($0.name) }.compactMap { layout.link($0.name) } : []
    return maps + structures + layout.programs + links
  }

  private var unknown: [String] {
    var unknown = [
      "what the kernel's verifier says of the programs", "what security modules and seccomp filters allow",
    ]
    if signing != nil { unknown.append("whether the kernel takes the programs' signatures") }
    let others = programs.filter { program in
      options.attaches(program.name) && (try? Attachment(program, options))?.isLookedFor == false
    }
    if !others.isEmpty {
      unknown.append("whether the kernel attaches \(others.map { "`\($0.name)`" }.joined(separator: ", "))")
    }
    return unknown
  }
}

extension MapType {
  /// Whether a map of this type has to have entries. Those that are kept with another structure of the kernel have to have
  /// none (kernel/bpf/bpf_local_storage.c, local_storage.c), and an array of events has one for each processor.
  fileprivate var needsSize: Bool {
    switch self {
    case .skStorage, .inodeStorage, .taskStorage, .cgrpStorage, .cgroupStorage, .percpuCgroupStorage, .perfEventArray,
      .structOps, .unspec:
      false
    case .hash, .array, .progArray, .percpuHash, .percpuArray, .stackTrace, .cgroupArray, .lruHash, .lruPercpuHash,
      .lpmTrie, .arrayOfMaps, .hashOfMaps, .devmap, .sockmap, .cpumap, .xskmap, .sockhash, .reuseportSockarray, .queue,
      .stack, .devmapHash, .ringbuf, .bloomFilter, .userRingbuf, .arena, .insnArray, .rhash:
      true
    }
  }
}

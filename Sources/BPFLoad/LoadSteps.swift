internal import BPFObject
@_spi(ProgramLoading) internal import LinuxSys

/// One load on its way. Whatever it has made goes with it when a step throws: descriptors close, pins are removed.
struct LoadSteps {
  let linked: LinkedObject
  let programs: [LinkedProgram]
  let options: LoadOptions
  let kernelTypes: KernelTypes

  func run() throws(BPFLoadError) -> LoadedObject {
    let attachIDs = try attachTargets()
    let btf = try loadBTF()
    let mapObjects = try createMaps(btf: btf)
    var programObjects: [KernelObject] = []
    for (program, attachID) in zip(programs, attachIDs) {
      programObjects.append(try load(program, attachID: attachID, btf: btf, maps: mapObjects))
    }
    try fillSlots(maps: mapObjects, programs: programObjects, btf: btf)

    let layout = try PinLayout(pinPath(), maps: linked.maps, programs: programs)
    let links = options.attaches ? try attach(programObjects) : []
    let pins = try pin(maps: mapObjects, programs: programObjects, links: links, layout)
    return LoadedObject(
      programs: try describe(programObjects, layout), maps: try describe(mapObjects, layout),
      links: zip(programs.indices, links).map { index, link in
        LoadedLink(
          program: programs[index].name, pin: layout.directory == nil ? nil : layout.links[index], object: link)
      }, pins: pins)
  }

  // MARK: What the kernel must be asked first

  /// `attach_btf_id` of each program; 0 where the type needs none.
  private func attachTargets() throws(BPFLoadError) -> [UInt32] {
    let targets = programs.compactMap { $0.kind.attachTarget }
    guard !targets.isEmpty else { return Array(repeating: 0, count: programs.count) }
    let first = programs.first { $0.kind.attachTarget != nil }
    let ids = try kernelTypes.ids(of: targets, for: first?.name ?? "")
    var remaining = ids.makeIterator()
    var result: [UInt32] = []
    for program in programs {
      guard let target = program.kind.attachTarget else {
        result.append(0)
        continue
      }
      guard let id = remaining.next() ?? nil else {
        throw .noAttachTarget(program: program.name, section: program.section, target: target.name)
      }
      result.append(id)
    }
    return result
  }

  // MARK: Type information

  private func loadBTF() throws(BPFLoadError) -> KernelObject {
    do throws(SystemError) {
      return try BPF.loadBTF(linked.btf)
    } catch {
      if let refusal = refusedEntry(error, "the object") { throw refusal }
      var log = BPF.Log(level: 1, capacity: 1 << 16)
      _ = try? BPF.loadBTF(linked.btf, log: &log)
      throw .btfRefused(error: error, log: log.text)
    }
  }

  // MARK: Programs

  private func load(
    _ program: LinkedProgram, attachID: UInt32, btf: KernelObject, maps: [KernelObject]
  ) throws(BPFLoadError) -> KernelObject {
    var attributes = BPF.ProgramAttributes(type: program.kind.type)
    attributes.expectedAttachType = program.kind.expectedAttachType
    attributes.flags = program.kind.flags
    attributes.attachBTFID = attachID
    attributes.name = program.kernelName
    attributes.license = linked.license
    attributes.instructions = program.instructions
    attributes.funcInfo = program.funcInfo
    attributes.funcInfoRecordSize = program.funcInfoRecordSize
    attributes.lineInfo = program.lineInfo
    attributes.lineInfoRecordSize = program.lineInfoRecordSize
    attributes.coreRelocations = program.coreRelocations
    attributes.coreRelocationRecordSize = program.coreRelocationRecordSize
    do throws(SystemError) {
      return try BPF.loadProgram(attributes, btf: btf, maps: maps)
    } catch {
      if let refusal = refusedEntry(error, "program `\(program.name)`") { throw refusal }
      if error.errnoName == "E2BIG", program.coreRelocations.isEmpty == false {
        throw .notKnownToKernel(subject: "program `\(program.name)` (CO-RE in the kernel, Linux 5.17)", error: error)
      }
      // Logging slows the verifier down, so only a program that was refused is verified again with a log.
      let again = RefusedProgram(program: program, attributes: attributes, btf: btf, maps: maps, linked: linked)
      if let refusal = again.explain(error, options: options) { throw .programRefused(refusal) }
      // The verifier always writes something; who refuses without a word has not come so far.
      let subject = "program `\(program.name)` of section `\(program.section)`"
      switch error.errnoName {
      case "EACCES": throw notPermitted(error, subject)
      case "ENOMEM", "EMFILE", "ENFILE", "EAGAIN", "ENOSPC": throw .system(error)
      default: throw .notKnownToKernel(subject: subject, error: error)
      }
    }
  }

  // MARK: Pins and descriptions

  private func pinPath() throws(BPFLoadError) -> String? {
    guard let path = options.pinPath else { return nil }
    do throws(SystemError) {
      return try Directory.absolute(path)
    } catch {
      throw .unusablePinPath(path: path, reason: error.description)
    }
  }

  private func pin(
    maps: [KernelObject], programs: [KernelObject], links: [KernelObject], _ layout: PinLayout
  ) throws(BPFLoadError) -> PinnedPaths {
    var pins = PinnedPaths()
    guard let directory = layout.directory else { return pins }
    try pins.makeDirectory(directory)
    if !maps.isEmpty { try pins.makeOne("\(directory)/map") }
    for (map, path) in zip(maps, layout.maps) { try pins.pin(map, at: path) }
    try pins.makeOne("\(directory)/prog")
    for (program, path) in zip(programs, layout.programs) { try pins.pin(program, at: path) }
    if !links.isEmpty { try pins.makeOne("\(directory)/link") }
    for (link, path) in zip(links, layout.links) { try pins.pin(link, at: path) }
    return pins
  }

  private func describe(_ objects: [KernelObject], _ layout: PinLayout) throws(BPFLoadError) -> [LoadedProgram] {
    var result: [LoadedProgram] = []
    for (index, object) in objects.enumerated() {
      let program = programs[index]
      do throws(SystemError) {
        let info = try BPF.programInfo(object)
        result.append(
          LoadedProgram(
            name: program.name, section: program.section, id: info.id, type: info.type,
            expectedAttachType: program.kind.expectedAttachType, target: program.kind.target, tag: info.tag,
            pin: layout.directory == nil ? nil : layout.programs[index], object: object))
      } catch {
        throw .system(error)
      }
    }
    return result
  }

  private func describe(_ objects: [KernelObject], _ layout: PinLayout) throws(BPFLoadError) -> [LoadedMap] {
    var result: [LoadedMap] = []
    for (index, object) in objects.enumerated() {
      do throws(SystemError) {
        let info = try BPF.mapInfo(object)
        result.append(
          LoadedMap(
            name: linked.maps[index].name, id: info.id, type: info.type,
            pin: layout.directory == nil ? nil : layout.maps[index], object: object))
      } catch {
        throw .system(error)
      }
    }
    return result
  }

  // MARK: Refusals that do not depend on the object's contents

  /// ENOSYS and EPERM, explained; nil for other errors.
  func refusedEntry(_ error: SystemError, _ subject: String) -> BPFLoadError? {
    switch error.errnoName {
    case "ENOSYS": return .noBPF
    case "EPERM": return notPermitted(error, subject)
    default: return nil
    }
  }

  /// What may be behind a refusal, from what the process and the kernel say of themselves now.
  private func notPermitted(_ error: SystemError, _ subject: String) -> BPFLoadError {
    let privilege = RequiredPrivilege(kinds: programs.map(\.kind), held: KernelSettings.effectiveCapabilities())
    return .notPermitted(
      Refusal.Permission(
        subject: subject, error: error, needed: privilege.needed, missing: privilege.missing,
        lockdown: KernelSettings.lockdownMode(), unprivilegedDisabled: KernelSettings.unprivilegedBPFDisabled(),
        isInUserNamespace: KernelSettings.isInUserNamespace()))
  }
}

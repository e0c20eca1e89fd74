internal import KernelABI
internal import BPFObject
@_spi(ProgramLoading) internal import Linux

/// One load on its way. Whatever it has made goes with it when a step throws: descriptors close, pins are removed.
struct LoadSteps {
  let linked: LinkedObject
  let programs: [LinkedProgram]
  let options: LoadOptions
  let kernelTypes: KernelTypes
  let directories: PinDirectories
  let modules: ModuleTable
  /// The signatures that the kernel is to check; nil loads without.
  var signing: ProgramSigning?

  func run() throws(BPFLoadError) -> LoadedObject {
    let layout = try layout(pinPath())
    let layouts = try structureLayouts()
    let attachIDs = try loadTargets(members: layouts.flatMap(\.attachments))
    let collected = collectInterrupted(layout)
    let old = try replacedObject(layout)
    let ended = try endedObjects()
    let (btf, types) = try loadBTF()
    let mapObjects = try createMaps(btf: btf, layout, replacing: old)
    try options.fault?(.maps)
    let descriptors = modules.descriptors(maps: mapObjects)
    var programObjects: [KernelObject] = []
    for (program, target) in zip(programs, attachIDs) {
      programObjects.append(try load(program, target: target, btf: btf, descriptors: descriptors))
    }
    try fillSlots(maps: mapObjects, programs: programObjects, btf: btf)
    try options.fault?(.programs)

    var movable = MovableLinks(old, ended: ended, claimed: attachedPins(layout))
    var registrations = Registrations()
    let structures = try makeStructures(
      layouts, programs: programObjects, btf: btf, registrations: &registrations, pinnedAs: layout,
      moving: &movable)
    let attached = options.attaches ? try attach(programObjects, maps: mapObjects, layout, moving: &movable) : []
    let links = structures.links + attached
    try options.fault?(.links)
    let allMaps = mapObjects + structures.maps
    // What takes the place of another is pinned beside it until it does.
    let replacement =
      old == nil && movable.moves.isEmpty
      ? nil : Replacement(directory: old?.directory, moves: movable.moves, fault: options.fault)
    let staging = old.map { InterruptedReplacement.staging(of: $0.directory) }
    let place = staging == nil ? layout : try self.layout(staging)
    let pins = try pin(maps: allMaps, programs: programObjects, links: links, place, isHeld: staging != nil)
    try options.fault?(.pins)
    let maps: [LoadedMap] = try describe(allMaps, layout)
    return LoadedObject(
      programs: try describe(programObjects, layout), maps: maps,
      links: links.map { link in
        LoadedLink(program: link.program, place: link.place, pin: layout.link(link.pinName), object: link.object)
      }, types: types, pins: pins, registrations: registrations, replacement: replacement,
      replaced: replaced(old, collected, maps: maps, links: links, moves: movable.moves, layout))
  }

  private func layout(_ directory: String?) throws(BPFLoadError) -> PinLayout {
    try PinLayout(directory, maps: linked.maps, programs: programs, structures: linked.structOps.map(\.name))
  }

  // MARK: Programs

  private func load(
    _ program: LinkedProgram, target: LoadTarget, btf: KernelObject?, descriptors: [KernelObject]
  ) throws(BPFLoadError) -> KernelObject {
    var attributes = BPF.ProgramAttributes(program, license: linked.license)
    attributes.expectedAttachType = target.attachType
    attributes.attachBTFID = target.typeID
    attributes.attachOwner = target.owner
    if btf == nil {
      // The kernel would ignore them, and the program would read wrong fields.
      guard program.coreRelocations.isEmpty else { throw .missingFuncInfo(program: program.name) }
      attributes.dropTypes()
    }
    // Linux 7.3 refuses a signed program that is given maps without need.
    let descriptors = signing != nil && !program.usesMaps ? [] : descriptors
    try signing?.sign(program, &attributes, descriptors: descriptors)
    do throws(SystemError) {
      return try BPF.loadProgram(attributes, btf: btf, maps: descriptors)
    } catch {
      // Logging slows the verifier down, so only a program that was refused is verified again with a log. It comes before
      // the errno: most numbers stand for several causes, and a log says that the verifier had begun.
      let again = RefusedProgram(program: program, attributes: attributes, btf: btf, maps: descriptors, linked: linked)
      let log = again.verifierLog()
      if let signing,
        let refusal = KernelSignatureRefusal(error, program: program.name, keyring: signing.keyring, log: log)
      {
        throw .kernelSignature(refusal)
      }
      guard log.isEmpty else { throw .programRefused(again.explain(error, log, options: options)) }
      throw refusedBeforeVerifier(program, error)
    }
  }

  // MARK: Pins and descriptions

  func pinPath() throws(BPFLoadError) -> String? {
    guard let path = options.pinPath else { return nil }
    do throws(SystemError) {
      return try Directory.absolute(path)
    } catch {
      throw .unusablePinPath(path: path, reason: error.description)
    }
  }

  private func pin(
    maps: [KernelObject], programs: [KernelObject], links: [MadeLink], _ layout: PinLayout, isHeld: Bool
  ) throws(BPFLoadError) -> PinnedPaths {
    var pins = PinnedPaths(directories)
    guard let directory = layout.directory else { return pins }
    try pins.makeDirectory(directory)
    if isHeld { try pins.hold(directory) }
    if !maps.isEmpty { try pins.makeOne(PinKind.map.directory(below: directory)) }
    for (index, (map, path)) in zip(maps, layout.maps).enumerated() {
      // Shared: it was pinned by an earlier load, and stays when this one is undone.
      if index < linked.maps.count, linked.maps[index].pinsByName, isPinned(map, at: path) { continue }
      try pins.pin(map, at: path)
    }
    try pins.makeOne(PinKind.prog.directory(below: directory))
    for (program, path) in zip(programs, layout.programs) { try pins.pin(program, at: path) }
    if !links.isEmpty { try pins.makeOne(PinKind.link.directory(below: directory)) }
    for link in links {
      if let path = layout.link(link.pinName) { try pins.pin(link.object, at: path) }
    }
    return pins
  }

  private func isPinned(_ map: KernelObject, at path: String) -> Bool {
    guard let pinned = try? BPF.pinned(at: path), let there = try? BPF.mapInfo(pinned),
      let own = try? BPF.mapInfo(map)
    else { return false }
    return there.id == own.id
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
            loadTime: info.loadTime,
            pin: layout.directory == nil ? nil : layout.programs[index], object: object))
      } catch {
        throw .system(error)
      }
    }
    return result
  }

  private func describe(_ objects: [KernelObject], _ layout: PinLayout) throws(BPFLoadError) -> [LoadedMap] {
    let names = linked.maps.map(\.name) + linked.structOps.map(\.name)
    var result: [LoadedMap] = []
    for (index, object) in objects.enumerated() {
      do throws(SystemError) {
        let info = try BPF.mapInfo(object)
        result.append(
          LoadedMap(
            name: names[index], id: info.id, type: info.type,
            pin: layout.directory == nil ? nil : layout.maps[index], object: object))
      } catch {
        throw .system(error)
      }
    }
    return result
  }
}

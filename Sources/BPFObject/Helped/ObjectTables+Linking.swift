internal import KernelABI
public import LinkProtocol

/// Linking by edits.
extension ObjectTables {
  /// Links the object: every instruction is the object's own, changed by nothing but edits that were found to be right.
  ///
  /// What only its types say of it is not known afterwards (``LinkedObject/isLinkedByHelper``).
  ///
  /// - Parameter edits: held against ``layout`` and the same bytes.
  /// - Throws: ``BPFObjectError`` for what linking in one process refuses as well.
  public func link(_ edits: CheckedEdits) throws(BPFObjectError) -> LinkedObject {
    let declared = try declaredMaps(edits.maps)
    let maps = declared + data.map(\.map)
    var dataMaps: [Int: Int] = [:]
    for (index, entry) in data.enumerated() { dataMaps[entry.section] = declared.count + index }
    var code: [Int: ObjectPart] = [:]
    for section in elf.sections where section.holdsInstructions {
      _ = try elf.section(named: section.name)
      code[section.index] = try elf.contents(of: section)
    }
    var linker = ProgramLinker(
      functions: functions, references: CheckedReferences(edits: edits, functions: functions, dataMaps: dataMaps),
      code: code, ext: ext, mapNames: maps.map(\.name), exceptionCallbacks: [:], jumpTables: nil)
    var programs: [LinkedProgram] = []
    var linked: Set<Int> = []
    var total = 0
    for (index, function) in functions.functions.enumerated() where function.isProgram {
      let result = try linker.link(index, kind: try ProgramKind(sectionOrUnknown: function.sectionName))
      linked.formUnion(result.functions)
      programs.append(result.program)
      total += result.instructions
      guard total <= Limits.linkedInstructions else {
        throw BPFObjectError(
          .tooLarge, "the object's programs are too large with their subprograms",
          expected: "at most \(Limits.linkedInstructions) instructions in all")
      }
    }
    let errors = programs.compactMap(\.linkError)
    if let first = errors.first, errors.count == programs.count { throw first }
    for (index, function) in functions.functions.enumerated()
    where programs.isEmpty || errors.isEmpty && function.sectionName != ".text" && !linked.contains(index) {
      // What there is to say of it, linking in one process says.
      throw BPFObjectError(
        .badFunction, "function `\(function.name)` of section `\(function.sectionName)` is in no program",
        expected: "programs, and what they call", next: "`verity-bpf inspect OBJECT` says more")
    }
    guard !programs.isEmpty else { throw BPFObjectError(.noPrograms, "the object has no programs") }
    var object = LinkedObject(
      license: license, btf: btf.types.count > 1 ? btf.part.bytes : [], maps: maps, programs: programs)
    object.isLinkedByHelper = true
    return object
  }

  /// What is said of programs, by the programs' names.
  public func claims(of edits: CheckedEdits) -> [String: ProgramClaim] {
    var names: [ObjectLayout.Place: String] = [:]
    for function in functions.functions where function.isProgram {
      names[ObjectLayout.Place(section: function.section, offset: function.range.lowerBound)] = function.name
    }
    var claims: [String: ProgramClaim] = [:]
    for claim in edits.programs {
      guard let name = names[ObjectLayout.Place(section: Int(claim.section), offset: Int(claim.start))] else {
        continue
      }
      claims[name] = claim
    }
    return claims
  }

  /// The declared maps as the helper has read their definitions. Their names and places are the object's own.
  private func declaredMaps(_ claims: [MapClaim]) throws(BPFObjectError) -> [LinkedMap] {
    var maps: [LinkedMap] = []
    for (variable, claim) in zip(mapVariables, claims) {
      let known = MapType(rawValue: claim.type)
      guard known?.canBeDeclared ?? true, Int(claim.keyType) < btf.types.count, Int(claim.valueType) < btf.types.count
      else {
        throw BPFObjectError(
          .badMap,
          "map `\(variable.name)` is said to be of a type that cannot be declared, or to have types that are "
            + "not there", found: "type \(claim.type), key \(claim.keyType), value \(claim.valueType)")
      }
      var map = LinkedMap(origin: .declared, name: variable.name, type: known ?? .unspec)
      if known == nil { map.unknownType = claim.type }
      map.keySize = claim.keySize
      map.valueSize = claim.valueSize
      map.maxEntries = claim.maxEntries
      map.flags = claim.flags
      map.mapExtra = claim.extra
      map.numaNode = claim.numaNode
      map.pinsByName = claim.pinsByName
      map.btfKeyTypeID = claim.keyType
      map.btfValueTypeID = claim.valueType
      maps.append(map)
    }
    return maps
  }
}

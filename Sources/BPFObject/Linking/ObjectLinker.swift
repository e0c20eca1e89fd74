internal import KernelABI

/// Links every program of an object.
package struct ObjectLinker {
  private let parts: ObjectParts
  private let functions: FunctionTable
  private let references: References
  private let maps: [LinkedMap]
  private let code: [Int: ObjectPart]
  private let configurationMap: Int?
  private let jumpTables: JumpTables?
  private let pointers: DataPointerSearch
  /// The sections of data maps, by the maps' names.
  private let sections: [String: String]

  package init(_ parts: ObjectParts, objectName: String) throws(BPFObjectError) {
    self.parts = parts
    functions = try FunctionTable(parts.elf)
    var declared = try DeclaredMaps(parts.elf, parts.btf)
    try declared.readInitialSlots(parts.elf, functions: functions)
    var pointers = DataPointerSearch()
    let data = try DataSections.maps(parts.elf, parts.btf, objectName: objectName, pointers: &pointers)
    var maps = declared.maps + data.map(\.map)
    let arena = try ArenaData(parts.elf, parts.btf, maps: &maps, pointers: &pointers)
    var sections: [String: String] = [:]
    for map in maps {
      if case .data(let section) = map.origin { sections[map.name] = section }
    }
    if let arena { sections[maps[arena.map].name] = ArenaData.sectionName }
    self.sections = sections
    self.pointers = pointers
    if let map = DataSections.configurationMap(parts.externs, parts.btf, objectName: objectName) {
      configurationMap = maps.count
      maps.append(map)
    } else {
      configurationMap = nil
    }
    self.maps = maps
    jumpTables = try JumpTables(parts.elf)
    references = try References(
      parts.elf, functions: functions, declared: declared, data: data, externs: parts.externs,
      configurationMap: configurationMap, arena: arena, jumpTables: jumpTables)
    var code: [Int: ObjectPart] = [:]
    for section in parts.elf.sections where section.holdsInstructions {
      // Records in .BTF.ext name their section, so the name must be one section's only.
      _ = try parts.elf.section(named: section.name)
      code[section.index] = try parts.elf.contents(of: section)
    }
    self.code = code
  }

  /// The functions that declaration tags `exception_callback:NAME` name for programs, or what is wrong with the tag.
  private func exceptionCallbacks() throws(BPFObjectError) -> [String: Result<Int, BPFObjectError>] {
    var callbacks: [String: Result<Int, BPFObjectError>] = [:]
    guard !parts.btf.declarationTags.isEmpty else { return callbacks }
    let prefix = "exception_callback:"
    var subprograms: [Substring: Int] = [:]
    var programs: Set<Substring> = []
    for (index, function) in functions.functions.enumerated() {
      if function.isProgram {
        programs.insert(Substring(function.name))
      } else {
        subprograms[Substring(function.name)] = index
      }
    }
    for id in parts.btf.declarationTags {
      let tag = try parts.btf.type(id)
      // Tags may be any text, also what no name can be.
      guard try parts.btf.nameBegins(with: prefix, of: tag) else { continue }
      let text = try parts.btf.name(of: tag)
      let target = try parts.btf.type(tag.sizeOrType)
      let name = text.dropFirst(prefix.count)
      let mistake = BPFObjectError(
        .badFunction, "declaration tag `\(text)` does not name one function of `.text` for one program",
        next: "write __exception_cb(NAME) before the program, and NAME as a global function")
      guard target.kind == .function else { throw mistake }
      let program = try parts.btf.name(of: target)
      guard let callback = subprograms[name], callbacks[program] == nil else {
        // It is one program's alone, where there is such a program.
        guard programs.contains(Substring(program)) else { throw mistake }
        callbacks[program] = .failure(mistake)
        continue
      }
      callbacks[program] = .success(callback)
    }
    return callbacks
  }

  /// What an object without programs is made for, in words.
  private var contentsWithoutPrograms: String {
    if !maps.isEmpty { return "only maps" }
    if !functions.functions.isEmpty { return "only functions that other objects call" }
    return parts.btf.types.count > 1 ? "only types" : "nothing that is loaded"
  }

  /// - Parameter allowsNoPrograms: whether an object is linked that has nothing to load: to say what else is in it.
  package func link(allowsNoPrograms: Bool = false) throws(BPFObjectError) -> LinkedObject {
    var pointers = pointers
    var programs: [LinkedProgram] = []
    var linked: Set<Int> = []
    var total = 0
    var linker = ProgramLinker(
      functions: functions, references: references, code: code, ext: parts.ext, mapNames: maps.map(\.name),
      exceptionCallbacks: try exceptionCallbacks(), jumpTables: jumpTables)
    for (index, function) in functions.functions.enumerated() where function.isProgram {
      let kind = try ProgramKind(sectionOrUnknown: function.sectionName)
      let result = try linker.link(index, kind: kind)
      linked.formUnion(result.functions)
      if result.program.linkError == nil { pointers.note(result.program, sections: sections) }
      programs.append(result.program)
      // Also what was read of a program before its linking failed.
      total += result.instructions
      guard total <= Limits.linkedInstructions else {
        throw BPFObjectError(
          .tooLarge, "the object's programs are too large with their subprograms",
          expected: "at most \(Limits.linkedInstructions) instructions in all")
      }
    }
    // An object of which nothing could be loaded is refused as a whole.
    let errors = programs.compactMap(\.linkError)
    if let first = errors.first, errors.count == programs.count { throw first }
    guard !programs.isEmpty || allowsNoPrograms else {
      throw BPFObjectError(
        .noPrograms, "the object has no programs: \(contentsWithoutPrograms)",
        expected: "a global function in a section such as `xdp`",
        next: "write SEC(\"xdp\") before the program's function, or link the object with others that have programs: "
          + "bpftool gen object all.o one.o two.o")
    }
    // A static function that nothing calls was meant as a program: leaving it out would go unnoticed. Of a program that could not be
    // linked it is not known what it calls.
    for (index, function) in functions.functions.enumerated()
    where errors.isEmpty && function.sectionName != ".text" && !linked.contains(index) {
      throw BPFObjectError(
        .badFunction, "program `\(function.name)` in section `\(function.sectionName)` is static, and nothing calls it",
        expected: "a global function", next: "drop the word `static`")
    }
    let types = parts.submittedTypes
    var object = LinkedObject(
      license: parts.license, btf: types.types.count > 1 ? types.part.bytes : [], maps: maps + linker.tables,
      programs: programs)
    object.typeEdits = parts.typeEdits
    object.dataPointers = pointers.found
    if programs.isEmpty { object.contentsWithoutPrograms = contentsWithoutPrograms }
    object.externs = parts.externs.symbols
    object.configuration = parts.externs.configuration
    object.configurationMap = configurationMap
    object.structOps = try StructOpsMaps.read(parts.elf, parts.btf, functions)
    (object.annotations, object.readDeclarations) = try Annotation.read(
      parts.elf, programs: Set(object.programs.map(\.name)))
    return object
  }
}

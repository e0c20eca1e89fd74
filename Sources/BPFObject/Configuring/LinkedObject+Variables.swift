internal import Base
internal import KernelABI

extension LinkedObject {
  /// The constants that ``set(_:)`` can give other values, in the object's order.
  public func settableVariables() throws(BPFObjectError) -> [String] {
    try DataVariables(self).settable().map(\.name)
  }

  /// Gives constants other values. They are frozen with them when the object is loaded, so what is judged afterwards has to be
  /// this object.
  ///
  /// - Returns: what was set, in the order of the settings.
  /// - Throws: ``BPFObjectError`` for what is no constant of the object, or a value that its type does not have. Nothing
  ///   is set then.
  public mutating func set(_ settings: [VariableSetting]) throws(BPFObjectError) -> [SetVariable] {
    guard !settings.isEmpty else { return [] }
    let variables = try DataVariables(self)
    var values = maps.map(\.initialValue)
    var done: [SetVariable] = []
    var places: Set<String> = []
    for setting in settings {
      guard places.insert(setting.place).inserted else {
        throw BPFObjectError(
          .variableTwice, "`\(setting.place)` is set twice", expected: "one value", next: "leave one --set out")
      }
      let place = try variables.place(setting.place)
      let available = values[place.map].count - place.offset
      let bytes = try VariableValue(btf: variables.btf, place: setting.place, available: available)
        .bytes(of: setting.value, as: place.type)
      guard bytes.count <= available else {
        throw BPFObjectError(
          .malformedBTF, "`\(setting.place)` is not inside map `\(maps[place.map].name)`",
          expected: "at most \(available) bytes", found: "\(bytes.count)")
      }
      values[place.map].replaceSubrange(place.offset..<place.offset + bytes.count, with: bytes)
      done.append(
        SetVariable(
          place: setting.place, type: try variables.btf.spelling(of: place.type), value: setting.value,
          map: maps[place.map].name))
    }
    for index in maps.indices { maps[index].initialValue = values[index] }
    return done
  }
}

/// The variables in an object's data sections.
private struct DataVariables {
  let btf: BTF
  private let maps: [LinkedMap]
  /// In the order of their sections and offsets.
  private let all: [Variable]

  private struct Variable {
    let name: String
    /// The type of its values.
    let type: UInt32
    let map: Int
    let offset: Int
    let isStatic: Bool
  }

  /// A part of a map's value.
  struct Place {
    let map: Int
    /// Bytes from the value's start.
    var offset: Int
    var type: UInt32
  }

  init(_ object: LinkedObject) throws(BPFObjectError) {
    btf = try BTF(object.btf.rawSpan)
    maps = object.maps
    var all: [Variable] = []
    for (index, map) in object.maps.enumerated() {
      guard case .data = map.origin, map.btfValueTypeID != 0 else { continue }
      for variable in try btf.variables(of: btf.type(map.btfValueTypeID)) {
        let declaration = try btf.type(variable.type)
        all.append(
          Variable(
            name: try btf.name(of: declaration), type: declaration.sizeOrType, map: index, offset: Int(variable.offset),
            isStatic: try btf.linkage(ofVariable: declaration) == .static))
      }
    }
    self.all = all
  }

  /// Finds what is named, and refuses what cannot be set.
  func place(_ text: String) throws(BPFObjectError) -> Place {
    guard let path = VariablePath(text) else {
      throw BPFObjectError(.noVariable, "`\(text)` names no variable", expected: "NAME, NAME.MEMBER or NAME[INDEX]")
    }
    // Of one name, other files may have static variables too.
    let named = all.filter { $0.name == path.variable }
    guard let variable = named.first(where: { !$0.isStatic }) ?? named.first else {
      throw BPFObjectError(
        .noVariable, "the object has no variable `\(path.variable)`", expected: "a constant that can be set",
        found: try listed(), next: "name one of these, or leave it out")
    }
    try requireConstant(variable)
    var place = Place(map: variable.map, offset: variable.offset, type: variable.type)
    for step in path.steps { try go(step, from: &place, text) }
    return place
  }

  private func requireConstant(_ variable: Variable) throws(BPFObjectError) {
    let map = maps[variable.map]
    guard case .data(let section) = map.origin else { return }
    guard section != Externs.configurationSection else {
      throw BPFObjectError(
        .variableNotConstant, "`\(variable.name)` is a value of the kernel's configuration", expected: "a constant",
        found: "section `\(section)`", why: "the running kernel says what it is", next: "leave it out")
    }
    guard map.isFrozen else {
      throw BPFObjectError(
        .variableNotConstant, "`\(variable.name)` is no constant", expected: "a variable of `.rodata`",
        found: "section `\(section)`",
        why: "it can be written to at any time, so that what is judged now need not be what the program finds",
        next: "declare it `const volatile`, or write to map `\(map.name)` once it is loaded")
    }
    guard !variable.isStatic else {
      throw BPFObjectError(
        .variableStatic, "`\(variable.name)` is static, or hidden from other objects",
        expected: "a global variable", found: "one that libbpf's skeletons leave out as well",
        why: "several files may have one of that name, and its author has not offered it to others",
        next: "drop the word `static`")
    }
    guard try isVolatile(variable.type) else {
      throw BPFObjectError(
        .variableNotVolatile, "`\(variable.name)` is constant, but not volatile", expected: "`const volatile`",
        why: "the compiler may have put its value into the instructions, where no setting reaches",
        next: "declare it `const volatile`")
    }
  }

  /// Whether the compiler had to leave reading it to the program; of an array its elements say so.
  private func isVolatile(_ id: UInt32) throws(BPFObjectError) -> Bool {
    var current = try btf.type(id)
    for _ in 0..<Limits.typeDepth {
      switch current.kind {
      case .volatile: return true
      case .const, .restrict, .typedef, .typeTag: current = try btf.type(current.sizeOrType)
      case .array: current = try btf.type(btf.array(current).element)
      case .void, .int, .pointer, .structure, .union, .enumeration, .forward, .function, .functionPrototype, .variable,
        .dataSection, .float, .declarationTag, .enumeration64:
        return false
      }
    }
    return false
  }

  /// The variables that can be set.
  func settable() throws(BPFObjectError) -> [(name: String, type: UInt32)] {
    var found: [(name: String, type: UInt32)] = []
    for variable in all where maps[variable.map].isFrozen && !variable.isStatic {
      guard case .data(let section) = maps[variable.map].origin, section != Externs.configurationSection,
        try isVolatile(variable.type)
      else { continue }
      found.append((variable.name, variable.type))
    }
    return found
  }

  /// Their names and types, for messages.
  private func listed() throws(BPFObjectError) -> String {
    let all = try settable()
    guard !all.isEmpty else { return "no constant that can be set" }
    var names: [String] = []
    for (name, type) in all.prefix(Self.shownNames) { names.append("\(name) (\(try btf.spelling(of: type)))") }
    return names.joined(separator: ", ") + (all.count > Self.shownNames ? ", …" : "")
  }

  private static let shownNames = 32

  private func go(_ step: VariablePath.Step, from place: inout Place, _ text: String) throws(BPFObjectError) {
    let type = try btf.resolved(place.type)
    switch step {
    case .element(let index):
      guard type.kind == .array else {
        throw BPFObjectError(
          .noVariable, "`\(text)` asks for an element of what is no array", found: try btf.spelling(of: place.type))
      }
      let (element, count) = try btf.array(type)
      guard index < count, let size = try btf.size(of: element) else {
        throw BPFObjectError(
          .noVariable, "`\(text)` asks for an element that is not there", expected: "an index below \(count)",
          found: "\(index)")
      }
      place.offset += Int(index) * Int(size)
      place.type = element
    case .member(let name):
      guard let member = try btf.member(named: name, of: type) else {
        throw BPFObjectError(
          .noVariable, "`\(text)` asks for a member that is not there", expected: "a member of the structure",
          found: try btf.spelling(of: place.type))
      }
      guard let offset = member.byteOffset else {
        throw BPFObjectError(
          .variableType, "`\(text)` is a bitfield", expected: "a member of whole bytes",
          next: "set the variable that holds it, or have the author give it a type of its own")
      }
      place.offset += offset
      place.type = member.type
    }
  }
}

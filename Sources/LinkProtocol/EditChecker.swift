internal import Base

/// An answer of which each edit has been held against the object's verified bytes.
///
/// Only ``init(_:object:layout:)`` makes one. An edit counts where the relocation entry that it points to says the same of
/// the same instruction, and the instruction has the form for it; and for each entry there is one edit. So there is one
/// answer for an object that is taken, whatever the helper has become.
public struct CheckedEdits: Sendable {
  /// What an instruction refers to.
  public enum Target: Equatable, Sendable {
    /// A declared map, by its number.
    case map(Int)
    /// A byte of a data section.
    case value(section: Int, offset: UInt32)
    /// A function, by its number.
    case function(Int)
  }

  /// The maps' definitions, by the maps' numbers.
  public let maps: [MapClaim]
  /// In the order of their places.
  public let programs: [ProgramClaim]
  private let targets: [Target]
  /// Indexes of ``targets`` by section, and there by instruction, -1 for none; empty where a section has none.
  private let slots: [[Int32]]

  /// What an instruction refers to; nil where it refers to nothing.
  public func target(section: Int, instruction: Int) -> Target? {
    guard slots.indices.contains(section), slots[section].indices.contains(instruction) else { return nil }
    let slot = Int(slots[section][instruction])
    return slot < 0 ? nil : targets[slot]
  }

  /// Holds an answer against the object.
  ///
  /// - Throws: ``LinkViolation`` for the first thing that does not hold.
  public init(_ answer: LinkAnswer, object: RawSpan, layout: ObjectLayout) throws(LinkViolation) {
    let entries = try RelocationEntries(object, layout)
    var slots = [[Int32]](repeating: [], count: layout.sections.count)
    var targets: [Target] = []
    targets.reserveCapacity(answer.edits.count)
    var last: (section: UInt32, instruction: UInt32)?
    for edit in answer.edits {
      if let last, (edit.section, edit.instruction) <= last {
        throw LinkViolation(.order, "the edits are not in the order of their instructions, each once")
      }
      last = (edit.section, edit.instruction)
      let section = Int(edit.section)
      targets.append(try entries.target(of: edit))
      if slots[section].isEmpty {
        slots[section] = [Int32](
          repeating: -1, count: layout.sections[section].size / InstructionForm.size + 1)
      }
      slots[section][Int(edit.instruction)] = Int32(truncatingIfNeeded: targets.count - 1)
    }
    // Each edit has an entry of its own, as no two have one instruction.
    guard targets.count == entries.count else {
      throw LinkViolation(
        .missing, "instructions that refer to something have no edit", expected: "\(entries.count) edits",
        found: "\(targets.count)")
    }
    self.targets = targets
    self.slots = slots
    guard answer.maps.map({ Int($0.start) }) == layout.mapStarts else {
      throw LinkViolation(
        .map, "the maps are not those of the object", expected: "\(layout.mapStarts.count) maps, each where it begins",
        found: "\(answer.maps.count)")
    }
    maps = answer.maps
    let places = answer.programs.map { ObjectLayout.Place(section: Int($0.section), offset: Int($0.start)) }
    guard Set(places).count == places.count, Set(layout.functions).isSuperset(of: places) else {
      throw LinkViolation(.program, "a program is said to be where no function begins, or twice")
    }
    programs = answer.programs
  }
}

/// The relocation entries of the sections with instructions, read one at a time where an edit points.
private struct RelocationEntries: ~Escapable {
  private let object: RawSpan
  private let layout: ObjectLayout
  /// The sections with the entries for a section, by its index.
  private let tables: [Int: [Range<Int>]]
  private let symbols: Range<Int>
  private let functions: [ObjectLayout.Place: Int]
  /// How many entries there are.
  let count: Int

  private static let entrySize = 16
  private static let symbolSize = 24
  /// R_BPF_64_64 and R_BPF_64_32 (Documentation/bpf/llvm_reloc.rst).
  private static let wide: UInt32 = 1
  private static let call: UInt32 = 10

  @_lifetime(copy object)
  init(_ object: RawSpan, _ layout: ObjectLayout) throws(LinkViolation) {
    var tables: [Int: [Range<Int>]] = [:]
    var symbols = 0..<0
    var count = 0
    for section in layout.sections {
      switch section.role {
      case .relocations(let target):
        guard layout.sections.indices.contains(target), layout.sections[target].role == .code else { continue }
        tables[target, default: []].append(section.bytes)
        count += section.bytes.count / Self.entrySize
      case .symbols: symbols = section.bytes
      case .code, .maps, .data, .other: break
      }
    }
    self.object = object
    self.layout = layout
    self.tables = tables
    self.symbols = symbols
    self.count = count
    functions = Dictionary(layout.functions.enumerated().map { ($1, $0) }, uniquingKeysWith: { first, _ in first })
  }

  /// What an edit's instruction refers to by the entry that the edit points to, which is what the edit has to say.
  func target(of edit: LinkEdit) throws(LinkViolation) -> CheckedEdits.Target {
    let index = Int(edit.section)
    let offset = Int(edit.instruction) * InstructionForm.size
    guard layout.sections.indices.contains(index), layout.sections[index].role == .code,
      offset <= layout.sections[index].bytes.count - InstructionForm.size
    else {
      throw LinkViolation(
        .outside, "an edit is for an instruction that the object does not have",
        found: "instruction \(edit.instruction) of section \(edit.section)")
    }
    let bytes = layout.sections[index].bytes
    let code: RawSpan
    do { code = try object.slice(at: bytes.lowerBound, count: bytes.count) } catch {
      throw LinkViolation(.outside, "section \(edit.section) is not inside the object")
    }
    guard try InstructionForm.fits(edit.kind, code, at: offset) else {
      throw LinkViolation(
        .form, "an edit is of a kind that its instruction has no form for",
        found: "\(edit.kind) for instruction \(edit.instruction) of section \(edit.section)")
    }
    let symbol = try symbol(of: edit, at: offset)
    let immediate = Int(Int32(bitPattern: try LinkFrame.u32(code, offset + 4)))
    // A call's operand counts instructions from the next one, a load's bytes; both count from the symbol.
    let place = edit.kind == .call ? symbol.offset + (immediate + 1) * InstructionForm.size : symbol.offset + immediate
    let target = target(edit, ObjectLayout.Place(section: symbol.section, offset: place))
    guard let target else {
      throw LinkViolation(
        .target, "an edit names something else than its relocation entry",
        found: "\(edit.kind) \(edit.index) for instruction \(edit.instruction) of section \(edit.section)")
    }
    return target
  }

  /// The target, where it begins at the place; nil where something else does.
  private func target(_ edit: LinkEdit, _ place: ObjectLayout.Place) -> CheckedEdits.Target? {
    let section = layout.sections[place.section]
    switch edit.kind {
    case .map:
      guard section.role == .maps, let start = layout.mapStarts.element(at: edit.index), start == place.offset else {
        return nil
      }
      return .map(Int(edit.index))
    case .value:
      guard section.role == .data, Int(edit.index) == place.section, Int(edit.offset) == place.offset,
        place.offset < section.size
      else { return nil }
      return .value(section: place.section, offset: edit.offset)
    case .function, .call:
      guard section.role == .code, let number = functions[place], number == Int(edit.index) else { return nil }
      return .function(number)
    }
  }

  /// Where the symbol begins that the edit's entry names.
  private func symbol(of edit: LinkEdit, at offset: Int) throws(LinkViolation) -> ObjectLayout.Place {
    let entry = Int(edit.relocation)
    let wanted = edit.kind == .call ? Self.call : Self.wide
    guard let table = tables[Int(edit.section)]?.first(where: { $0.contains(entry) }),
      (entry - table.lowerBound).isMultiple(of: Self.entrySize), entry + Self.entrySize <= table.upperBound,
      try LinkFrame.u64(object, entry) == UInt64(offset), try LinkFrame.u32(object, entry + 8) == wanted
    else {
      throw LinkViolation(
        .relocation, "an edit points to no relocation entry for its instruction",
        found: "byte \(edit.relocation) for instruction \(edit.instruction) of section \(edit.section)")
    }
    let number = Int(try LinkFrame.u32(object, entry + 12))
    let start = symbols.lowerBound + number * Self.symbolSize
    guard start + Self.symbolSize <= symbols.upperBound else {
      throw LinkViolation(.relocation, "a relocation entry names a symbol that does not exist", found: "\(number)")
    }
    let section = Int(UInt16(truncatingIfNeeded: try LinkFrame.u64(object, start) >> 48))
    let value = try LinkFrame.u64(object, start + 8)
    guard section > 0, layout.sections.indices.contains(section), value <= UInt64(layout.sections[section].size) else {
      throw LinkViolation(.relocation, "a relocation entry names a symbol that is in no section", found: "\(number)")
    }
    return ObjectLayout.Place(section: section, offset: Int(value))
  }
}

extension [Int] {
  fileprivate func element(at index: UInt32) -> Int? { indices.contains(Int(index)) ? self[Int(index)] : nil }
}

/// A function in the object: a program, or a subprogram that programs call.
struct ObjectFunction: Equatable, Sendable {
  let name: String
  /// Index of the section it is in.
  let section: Int
  let sectionName: String
  /// Bytes from the section's start, a multiple of 8.
  let range: Range<Int>
  /// Whether it is loaded by itself, or only with those that call it.
  let isProgram: Bool
}

/// All functions of an object, by their place.
struct FunctionTable: Sendable {
  /// Sorted by section and offset.
  let functions: [ObjectFunction]
  private let byStart: [Int: [Int: Int]]

  /// No functions.
  static var none: FunctionTable { FunctionTable() }

  private init() {
    functions = []
    byStart = [:]
  }

  /// Collects the function symbols of every section with instructions.
  ///
  /// `.text` holds subprograms; in any other section a global function is a program, as in libbpf. Static functions
  /// there are subprograms of the programs beside them.
  init(_ elf: ELFFile) throws(BPFObjectError) {
    var functions: [ObjectFunction] = []
    var names: Set<String> = []
    for symbol in elf.symbols where symbol.type == ELFSymbol.Constant.function && !symbol.isUndefined {
      guard symbol.section < elf.sections.count else { continue }
      let section = elf.sections[symbol.section]
      guard section.holdsInstructions else {
        throw BPFObjectError(
          .badFunction, "function `\(symbol.name)` is in section `\(section.name)`, which holds no instructions")
      }
      guard symbol.size > 0, symbol.size.isMultiple(of: 8), symbol.value.isMultiple(of: 8),
        symbol.value <= UInt64(section.size), symbol.size <= UInt64(section.size) - symbol.value
      else {
        throw BPFObjectError(
          .badFunction, "function `\(symbol.name)` is not a run of instructions in section `\(section.name)`",
          expected: "multiples of 8 bytes, within \(section.size)",
          found: "\(symbol.size) bytes at offset \(symbol.value)")
      }
      guard !symbol.name.isEmpty else {
        throw BPFObjectError(.badFunction, "a function in section `\(section.name)` has no name")
      }
      let isProgram = section.name != ".text" && !symbol.isLocal
      if isProgram, !names.insert(symbol.name).inserted {
        throw BPFObjectError(.badFunction, "two programs are called `\(symbol.name)`", expected: "one")
      }
      let start = Int(symbol.value)
      functions.append(
        ObjectFunction(
          name: symbol.name, section: section.index, sectionName: section.name,
          range: start..<(start + Int(symbol.size)), isProgram: isProgram))
    }
    functions.sort { ($0.section, $0.range.lowerBound) < ($1.section, $1.range.lowerBound) }
    for (left, right) in zip(functions, functions.dropFirst())
    where left.section == right.section && right.range.lowerBound < left.range.upperBound {
      throw BPFObjectError(
        .badFunction, "functions `\(left.name)` and `\(right.name)` of section `\(left.sectionName)` overlap",
        expected: "every instruction in one function")
    }
    self.functions = functions
    var byStart: [Int: [Int: Int]] = [:]
    for (index, function) in functions.enumerated() {
      byStart[function.section, default: [:]][function.range.lowerBound] = index
    }
    self.byStart = byStart
  }

  /// The function that begins at this byte of the section.
  func function(startingAt offset: Int, of section: Int) -> Int? { byStart[section]?[offset] }

  /// The function of the same section that a call goes to which nothing else is said of.
  ///
  /// - Parameter distance: bytes from the call.
  func callee(at offset: Int, distance: Int, in function: ObjectFunction) throws(BPFObjectError) -> Int {
    if let target = self.function(startingAt: offset + distance, of: function.section) { return target }
    throw BPFObjectError(
      .badInstruction, "instruction \(offset / 8) of section `\(function.sectionName)` calls no function",
      expected: "the start of a function of the same section", found: "offset \(offset + distance)")
  }
}

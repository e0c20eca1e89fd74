internal import KernelABI

extension BTF {
  /// Where two types differ, and what each of them has there.
  public struct Difference: Equatable, Sendable {
    /// The way from the type: `.bytes`, `[].flags`; empty for the type itself.
    public let place: String
    public let mine: String
    public let others: String
  }

  /// The first difference between a type and one of other type information, as far as it decides what the bytes of a value mean:
  /// layout, names of structures and members, signs. Typedefs and qualifiers do not, nor does what is behind a pointer but its name.
  ///
  /// - Returns: nil where values of the one are values of the other.
  public func difference(
    _ type: UInt32, from others: BTF, _ other: UInt32
  ) throws(BPFObjectError) -> Difference? {
    var waiting = [Comparison(mine: type, others: other, place: "")]
    var seen: Set<[UInt32]> = [[type, other]]
    while let next = waiting.popLast() {
      let (mine, theirs) = (try resolved(next.mine), try others.resolved(next.others))
      guard try hasSameForm(mine, theirs, others) else {
        return Difference(place: next.place, mine: try summary(of: mine), others: try others.summary(of: theirs))
      }
      // In their order, the first on top.
      for part in try parts(of: mine, theirs, others, place: next.place).reversed()
      where seen.insert([part.mine, part.others]).inserted {
        waiting.append(part)
      }
    }
    return nil
  }

  private struct Comparison {
    let mine: UInt32
    let others: UInt32
    let place: String
  }

  /// Whether two types are the same but for the types that they are made of.
  private func hasSameForm(_ mine: BTFType, _ theirs: BTFType, _ others: BTF) throws(BPFObjectError) -> Bool {
    guard mine.kind == theirs.kind else { return false }
    switch mine.kind {
    case .int: return mine.sizeOrType == theirs.sizeOrType && trailer(of: mine) == others.trailer(of: theirs)
    case .float: return mine.sizeOrType == theirs.sizeOrType
    case .structure, .union:
      guard mine.sizeOrType == theirs.sizeOrType, mine.vlen == theirs.vlen, mine.flag == theirs.flag else {
        return false
      }
      guard try name(of: mine) == others.name(of: theirs) else { return false }
      return try places(in: mine) == others.places(in: theirs)
    case .enumeration, .enumeration64:
      guard mine.sizeOrType == theirs.sizeOrType, mine.vlen == theirs.vlen, mine.flag == theirs.flag else {
        return false
      }
      for index in 0..<mine.vlen {
        guard let own = try enumerator(index, of: mine), let other = try others.enumerator(index, of: theirs),
          own == other
        else { return false }
      }
      return true
    case .array: return try array(mine).count == others.array(theirs).count
    case .pointer:
      let (own, other) = (try resolved(mine.sizeOrType), try others.resolved(theirs.sizeOrType))
      guard own.kind == other.kind else { return false }
      return try name(of: own) == others.name(of: other)
    case .dataSection:
      let (own, other) = (try variables(of: mine), try others.variables(of: theirs))
      guard own.count == other.count else { return false }
      for (left, right) in zip(own, other) {
        guard left.offset == right.offset, left.size == right.size,
          try name(of: type(left.type)) == others.name(of: others.type(right.type))
        else { return false }
      }
      return true
    case .forward, .function: return try name(of: mine) == others.name(of: theirs)
    case .void, .typedef, .volatile, .const, .restrict, .functionPrototype, .variable, .declarationTag, .typeTag:
      return true
    }
  }

  /// The types that two types of one form are made of, each with its counterpart.
  private func parts(
    of mine: BTFType, _ theirs: BTFType, _ others: BTF, place: String
  ) throws(BPFObjectError) -> [Comparison] {
    switch mine.kind {
    case .structure, .union:
      var parts: [Comparison] = []
      for (own, other) in zip(try members(of: mine), try others.members(of: theirs)) {
        let name = try string(at: own.nameOffset)
        parts.append(
          Comparison(mine: own.type, others: other.type, place: name.isEmpty ? place : "\(place).\(name)"))
      }
      return parts
    case .array:
      return [
        Comparison(mine: try array(mine).element, others: try others.array(theirs).element, place: "\(place)[]")
      ]
    case .dataSection:
      var parts: [Comparison] = []
      for (own, other) in zip(try variables(of: mine), try others.variables(of: theirs)) {
        let (variable, counterpart) = (try type(own.type), try others.type(other.type))
        guard variable.kind == .variable, counterpart.kind == .variable else { continue }
        parts.append(
          Comparison(
            mine: variable.sizeOrType, others: counterpart.sizeOrType, place: "\(place).\(try name(of: variable))"))
      }
      return parts
    case .void, .int, .pointer, .enumeration, .forward, .typedef, .volatile, .const, .restrict, .function,
      .functionPrototype, .variable, .float, .declarationTag, .typeTag, .enumeration64:
      return []
    }
  }

  /// The members of a structure: the names, and the words that say where each is and how many bits it has.
  private func places(in type: BTFType) throws(BPFObjectError) -> [String] {
    var places: [String] = []
    for index in 0..<type.vlen {
      let entry = type.offset + 12 + index * type.kind.trailer.each
      places.append("\(try string(at: try part.u32(at: entry))) \(try part.u32(at: entry + 8))")
    }
    return places
  }

  /// The word behind an integer's record: sign, offset and bits.
  private func trailer(of type: BTFType) -> UInt32? { try? part.u32(at: type.offset + 12) }

  /// A type in a few words, as C has it: `struct flow (24 bytes: src, dst)`.
  private func summary(of type: BTFType) throws(BPFObjectError) -> String {
    let name = try name(of: type)
    switch type.kind {
    case .structure, .union:
      var names: [String] = []
      for member in try members(of: type).prefix(16) { names.append(try string(at: member.nameOffset)) }
      if type.vlen > names.count { names.append("…") }
      return "\(type.kind == .union ? "union" : "struct") \(name) (\(type.sizeOrType) bytes: "
        + "\(names.joined(separator: ", ")))"
    case .enumeration, .enumeration64: return "enum \(name) (\(type.vlen) values)"
    case .pointer: return "\(try summaryName(of: resolved(type.sizeOrType))) *"
    case .array:
      let array = try array(type)
      return "\(try summaryName(of: resolved(array.element)))[\(array.count)]"
    case .dataSection:
      var names: [String] = []
      for variable in try variables(of: type).prefix(16) {
        names.append(try self.name(of: self.type(variable.type)))
      }
      if type.vlen > names.count { names.append("…") }
      return "section \(name) (\(type.sizeOrType) bytes: \(names.joined(separator: ", ")))"
    case .void, .int, .forward, .typedef, .volatile, .const, .restrict, .function, .functionPrototype, .variable,
      .float,
      .declarationTag, .typeTag:
      return try summaryName(of: type)
    }
  }

  private func summaryName(of type: BTFType) throws(BPFObjectError) -> String {
    let name = try name(of: type)
    switch type.kind {
    case .structure: return "struct \(name)"
    case .union: return "union \(name)"
    case .enumeration, .enumeration64: return "enum \(name)"
    case .void: return "void"
    case .int, .float: return "\(name) (\(type.sizeOrType) bytes)"
    case .pointer: return "a pointer"
    case .array: return "an array"
    case .dataSection: return "section \(name)"
    case .forward, .typedef, .volatile, .const, .restrict, .function, .functionPrototype, .variable, .declarationTag,
      .typeTag:
      return name.isEmpty ? "a function" : name
    }
  }
}

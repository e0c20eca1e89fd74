internal import BPFObject
internal import KernelABI

/// Where fields, types and enumerators of an object are in a kernel.
struct CorePlaces {
  let match: CoreMatch
  private var object: BTF { match.object }
  private var kernel: BTF { match.kernel }

  init(_ match: CoreMatch) { self.match = match }

  /// There is no answer that is the same on all kernels, or the kernel refuses the record.
  struct Unknown: Error {}

  /// A field that was followed from a root type (struct bpf_core_spec).
  struct Field {
    var bits: UInt64
    /// The last named member: the structure's type and the member in it. Nil where the path ends in an element of an array
    /// or in the root itself.
    var member: (structure: BTFType, member: BTFMember)?
    /// The type of the last element.
    var element: UInt32
  }

  /// bpf_core_calc_relo_insn.
  func change(by record: CoreRecord) throws -> CoreChange {
    if record.kind == .localTypeID {
      return CoreChange(before: UInt64(record.type), after: UInt64(record.type), isChecked: false)
    }
    let root = try match.skippingQualifiers(try object.type(record.type), object)
    let name = StructOpsMaps.withoutFlavour(try object.name(of: root))
    // A type without a name has no candidates; a type that the kernel has not may be a module's.
    guard !name.isEmpty, let named = match.names[name] else { throw Unknown() }
    let candidates = try named.map { try kernel.type($0) }.filter { $0.kind == root.kind }
    guard !candidates.isEmpty else { throw Unknown() }
    var found: CoreChange?
    var place: UInt64?
    for candidate in candidates {
      guard let (change, bits) = try self.change(by: record, root, candidate) else { continue }
      if let found, found.after != change.after || found.isPoison != change.isPoison || place != bits {
        throw Unknown()
      }
      if found == nil { (found, place) = (change, bits) }
    }
    if let found { return found }
    switch record.kind {
    case .fieldExists, .typeExists, .enumeratorExists, .typeMatches: return CoreChange(before: 1, after: 0)
    case .fieldByteOffset, .fieldByteSize, .fieldSigned, .fieldLeftShift, .fieldRightShift, .localTypeID,
      .targetTypeID, .typeSize, .enumeratorValue:
      return CoreChange(before: 0, after: 0, isPoison: true)
    }
  }

  /// What one candidate answers; nil where it has nothing of what is meant.
  private func change(
    by record: CoreRecord, _ root: BTFType, _ candidate: BTFType
  ) throws -> (change: CoreChange, bits: UInt64)? {
    switch record.kind.subject {
    case .field: return try field(record, root, candidate)
    case .type:
      var types = CoreTypeMatch(object: object, kernel: kernel)
      let fits =
        record.kind == .typeMatches
        ? types.matches(root.id, candidate.id) : types.areCompatible(root.id, candidate.id)
      guard fits else { return nil }
      switch record.kind {
      case .typeExists, .typeMatches: return (CoreChange(before: 1, after: 1), 0)
      case .typeSize:
        return (CoreChange(before: try size(root.id, object), after: try size(candidate.id, kernel)), 0)
      case .targetTypeID:
        return (CoreChange(before: UInt64(record.type), after: UInt64(candidate.id), isChecked: false), 0)
      case .fieldByteOffset, .fieldByteSize, .fieldExists, .fieldSigned, .fieldLeftShift, .fieldRightShift,
        .localTypeID, .enumeratorExists, .enumeratorValue:
        throw Unknown()
      }
    case .enumerator:
      let own = try object.resolved(root.id)
      let theirs = try kernel.resolved(candidate.id)
      guard record.access.count == 1, own.kind == theirs.kind,
        let wanted = try object.enumerator(record.access[0], of: own)
      else { throw Unknown() }
      let plain = StructOpsMaps.withoutFlavour(wanted.name)
      for index in 0..<theirs.vlen {
        guard let other = try kernel.enumerator(index, of: theirs), StructOpsMaps.withoutFlavour(other.name) == plain
        else { continue }
        return record.kind == .enumeratorExists
          ? (CoreChange(before: 1, after: 1), 0) : (CoreChange(before: wanted.value, after: other.value), 0)
      }
      return nil
    }
  }

  // MARK: - Fields

  private func field(
    _ record: CoreRecord, _ root: BTFType, _ candidate: BTFType
  ) throws -> (change: CoreChange, bits: UInt64)? {
    let path = try path(record.access, from: object.resolved(root.id))
    guard let there = try follow(path.steps, in: kernel.resolved(candidate.id)) else { return nil }
    if record.kind == .fieldExists { return (CoreChange(before: 1, after: 1), there.bits) }
    let before = try value(record.kind, of: path.field, object)
    let after = try value(record.kind, of: there, kernel)
    var change = CoreChange(
      before: before.value, after: after.value, isChecked: before.isChecked, sizeBefore: before.size,
      sizeAfter: after.size)
    if change.sizeBefore != change.sizeAfter {
      guard let ours = before.type, let theirs = after.type else { throw Unknown() }
      let (own, other) = (try object.resolved(ours), try kernel.resolved(theirs))
      let arePointers = own.kind == .pointer && other.kind == .pointer
      // Signed loads of other sizes became possible in a later release.
      if own.kind == .int, other.kind == .int, object.isSigned(own) || kernel.isSigned(other) { throw Unknown() }
      change.keepsSize = !arePointers && !(own.kind == .int && other.kind == .int)
    }
    return (change, there.bits)
  }

  /// A step of an access path: through a named member, or to an element of an array.
  private enum Step {
    case member(name: String, type: UInt32)
    case element(Int)
  }

  /// bpf_core_parse_spec.
  private func path(_ access: [Int], from root: BTFType) throws -> (steps: [Step], field: Field) {
    guard let first = access.first else { throw Unknown() }
    var steps: [Step] = [.element(first)]
    var field = Field(bits: UInt64(first) * (try size(root.id, object)) * 8, member: nil, element: root.id)
    var current = root
    for index in access.dropFirst() {
      switch current.kind {
      case .structure, .union:
        let members = try object.members(of: current)
        guard index < members.count else { throw Unknown() }
        let member = members[index]
        field.bits += UInt64(member.bitOffset)
        let name = try object.string(at: member.nameOffset)
        if !name.isEmpty {
          steps.append(.member(name: name, type: member.type))
          field.member = (current, member)
        }
        current = try object.resolved(member.type)
      case .array:
        let array = try object.array(current)
        // A flexible array has rules of its own.
        guard array.count > 0, index < Int(array.count) else { throw Unknown() }
        steps.append(.element(index))
        field.bits += UInt64(index) * (try size(array.element, object)) * 8
        field.member = nil
        field.element = array.element
        current = try object.resolved(array.element)
      case .void, .int, .pointer, .enumeration, .forward, .typedef, .volatile, .const, .restrict, .function,
        .functionPrototype, .variable, .dataSection, .float, .declarationTag, .typeTag, .enumeration64:
        throw Unknown()
      }
    }
    return (steps, field)
  }

  /// bpf_core_spec_match; nil where the kernel's type has no such field.
  private func follow(_ steps: [Step], in root: BTFType) throws -> Field? {
    var field = Field(bits: 0, member: nil, element: root.id)
    var current = root
    for (number, step) in steps.enumerated() {
      switch step {
      case .element(let index):
        if number > 0 {
          guard current.kind == .array else { return nil }
          let array = try kernel.array(current)
          guard array.count > 0 else { throw Unknown() }
          guard index < Int(array.count) else { return nil }
          field.element = array.element
          current = try kernel.resolved(array.element)
        }
        field.bits += UInt64(index) * (try size(number > 0 ? field.element : root.id, kernel)) * 8
        field.member = nil
      case .member(let name, let type):
        guard let (structure, member, bits) = try member(named: name, of: current, depth: 0) else { return nil }
        let other = try kernel.resolved(member.type)
        guard try match.areCompatible(try object.resolved(type), other) else { return nil }
        field.bits += bits
        field.member = (structure, member)
        current = other
      }
    }
    return field
  }

  /// bpf_core_match_member: through anonymous structures, in the order of the members.
  private func member(
    named name: String, of type: BTFType, depth: Int
  ) throws -> (structure: BTFType, member: BTFMember, bits: UInt64)? {
    guard type.kind == .structure || type.kind == .union, depth < Self.depth else { return nil }
    for member in try kernel.members(of: type) {
      if member.nameOffset == 0 {
        let inner = try kernel.resolved(member.type)
        if let found = try self.member(named: name, of: inner, depth: depth + 1) {
          return (found.structure, found.member, found.bits + UInt64(member.bitOffset))
        }
      } else if try kernel.string(at: member.nameOffset) == name {
        return (type, member, UInt64(member.bitOffset))
      }
    }
    return nil
  }

  /// Whether a structure of a kernel has a member of that name, be it in an anonymous structure.
  static func hasMember(named name: String, _ type: BTFType, _ kernel: BTF) throws -> Bool {
    try CorePlaces(CoreMatch(object: kernel, kernel: kernel)).member(named: name, of: type, depth: 0) != nil
  }

  /// Anonymous structures in each other that are looked through.
  private static let depth = 32

  private struct FieldValue {
    var value: UInt64
    var isChecked = true
    var size: UInt32 = 0
    var type: UInt32?
  }

  /// bpf_core_calc_field_relo.
  private func value(_ kind: CoreRelocationKind, of field: Field, _ types: BTF) throws -> FieldValue {
    guard let (_, member) = field.member else {
      let size = try self.size(field.element, types)
      switch kind {
      case .fieldByteOffset:
        return FieldValue(value: field.bits / 8, size: UInt32(truncatingIfNeeded: size), type: field.element)
      case .fieldByteSize: return FieldValue(value: size)
      case .fieldExists, .fieldSigned, .fieldLeftShift, .fieldRightShift, .localTypeID, .targetTypeID, .typeExists,
        .typeSize, .enumeratorExists, .enumeratorValue, .typeMatches:
        throw Unknown()
      }
    }
    let type = try types.resolved(member.type)
    let isBitfield = member.bitfieldSize > 0
    var bytes = try size(type.id, types)
    var bits = UInt64(member.bitfieldSize)
    var start = field.bits / 8
    if isBitfield {
      guard bytes > 0 else { throw Unknown() }
      start = start / bytes * bytes
      while field.bits + bits - start * 8 > bytes * 8 {
        guard bytes < 8 else { throw Unknown() }
        bytes *= 2
        start = field.bits / 8 / bytes * bytes
      }
    } else {
      bits = bytes * 8
    }
    switch kind {
    case .fieldByteOffset:
      return FieldValue(
        value: start, isChecked: !isBitfield, size: isBitfield ? 0 : UInt32(truncatingIfNeeded: bytes),
        type: isBitfield ? nil : type.id)
    case .fieldByteSize: return FieldValue(value: bytes, isChecked: !isBitfield)
    case .fieldSigned:
      // Releases differ about enumerations.
      guard type.kind == .int else { throw Unknown() }
      return FieldValue(value: types.isSigned(type) ? 1 : 0)
    case .fieldLeftShift:
      let used = field.bits + bits - start * 8
      guard used <= 64 else { throw Unknown() }
      return FieldValue(value: 64 - used, isChecked: !isBitfield)
    case .fieldRightShift:
      guard bits <= 64 else { throw Unknown() }
      return FieldValue(value: 64 - bits)
    case .fieldExists, .localTypeID, .targetTypeID, .typeExists, .typeSize, .enumeratorExists, .enumeratorValue,
      .typeMatches:
      throw Unknown()
    }
  }

  private func size(_ id: UInt32, _ types: BTF) throws -> UInt64 {
    guard let size = try types.size(of: id) else { throw Unknown() }
    return UInt64(size)
  }
}

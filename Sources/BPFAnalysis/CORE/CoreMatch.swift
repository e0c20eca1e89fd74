internal import BPFObject
internal import KernelABI

/// Whether a CO-RE relocation of an object finds its type, member or enumerator in a kernel.
///
/// After the rules of kernel/bpf/btf.c and tools/lib/bpf/relo_core.c, as far as they decide about existence: members
/// are found by name, through anonymous structures, and must be of a compatible kind.
struct CoreMatch {
  let object: BTF
  let kernel: BTF
  /// The kernel's types by name: with many records, going through all of them for each would take long.
  let names: [String: [UInt32]]

  init(object: BTF, kernel: BTF) {
    self.object = object
    self.kernel = kernel
    var names: [String: [UInt32]] = [:]
    for type in kernel.types where type.nameOffset != 0 {
      if let name = try? kernel.name(of: type) { names[name, default: []].append(type.id) }
    }
    self.names = names
  }

  /// - Parameters:
  ///   - kind: what the record asks.
  ///   - root: the record's type in the object's BTF.
  ///   - access: the record's access string.
  func exists(kind: CoreRelocationKind, root: UInt32, access: String) throws(BPFObjectError) -> Bool {
    let local = try object.type(root)
    // Modifiers come before the name, typedefs are names themselves.
    let named = try skippingQualifiers(local, object)
    let name = StructOpsMaps.withoutFlavour(try object.name(of: named))
    // A type of no name, and the type's own id in the object, need nothing of the kernel.
    guard !name.isEmpty, kind != .localTypeID else { return true }
    let indexes = access.split(separator: ":").compactMap { Int($0) }
    let targets = try (names[name] ?? []).map { id throws(BPFObjectError) in try kernel.type(id) }
    for target in targets where target.kind.isLike(named.kind) {
      switch kind.subject {
      case .type:
        var types = CoreTypeMatch(object: object, kernel: kernel)
        let fits =
          kind == .typeMatches ? types.matches(named.id, target.id) : types.areCompatible(named.id, target.id)
        if fits { return true }
      case .enumerator:
        guard let index = indexes.first,
          let wanted = try object.enumerator(index, of: object.resolved(named.id))
        else { return false }
        if try hasEnumerator(StructOpsMaps.withoutFlavour(wanted.name), kernel.resolved(target.id)) { return true }
      case .field:
        if try hasField(indexes.dropFirst(), from: object.resolved(named.id), in: kernel.resolved(target.id)) {
          return true
        }
      }
    }
    return false
  }

  /// Whether the kernel itself has a type of the name of an object's.
  func hasCandidate(root: UInt32) throws(BPFObjectError) -> Bool {
    let named = try skippingQualifiers(try object.type(root), object)
    let name = StructOpsMaps.withoutFlavour(try object.name(of: named))
    for id in names[name] ?? [] where try kernel.type(id).kind.isLike(named.kind) { return true }
    return false
  }

  func skippingQualifiers(_ type: BTFType, _ btf: BTF) throws(BPFObjectError) -> BTFType {
    var current = type
    for _ in 0..<Limits.typeDepth {
      guard current.kind.isModifier, current.kind != .typedef else { return current }
      current = try btf.type(current.sizeOrType)
    }
    return current
  }

  private func hasEnumerator(_ name: String, _ type: BTFType) throws(BPFObjectError) -> Bool {
    guard type.kind == .enumeration || type.kind == .enumeration64 else { return false }
    for index in 0..<type.vlen where try kernel.enumerator(index, of: type)?.name == name { return true }
    return false
  }

  private func hasField(
    _ indexes: ArraySlice<Int>, from local: BTFType, in target: BTFType
  ) throws(BPFObjectError) -> Bool {
    var local = local
    var target = target
    for index in indexes {
      switch local.kind {
      case .structure, .union:
        let members = try object.members(of: local)
        guard index >= 0, index < members.count else { return false }
        let name = try object.string(at: members[index].nameOffset)
        local = try object.resolved(members[index].type)
        // The kernel may have the members of an anonymous structure under another one, or under none.
        if name.isEmpty { continue }
        guard let found = try member(named: name, of: target) else { return false }
        target = try kernel.resolved(found)
        guard try areCompatible(local, target) else { return false }
      case .array:
        guard target.kind == .array else { return false }
        let bound = try kernel.array(target)
        // A flexible array member says nothing about its length.
        guard bound.count == 0 || index < Int(bound.count) else { return false }
        local = try object.resolved(object.array(local).element)
        target = try kernel.resolved(bound.element)
      case .void, .int, .pointer, .enumeration, .forward, .typedef, .volatile, .const, .restrict, .function,
        .functionPrototype, .variable, .dataSection, .float, .declarationTag, .typeTag, .enumeration64:
        return false
      }
    }
    return true
  }

  /// The type of a member, also of one in an anonymous structure.
  private func member(named name: String, of type: BTFType) throws(BPFObjectError) -> UInt32? {
    var waiting = [(type: type, depth: 0)]
    while let next = waiting.popLast() {
      for member in try kernel.members(of: next.type) {
        if member.nameOffset != 0 {
          if try kernel.string(at: member.nameOffset) == name { return member.type }
        } else if next.depth < Limits.typeDepth {
          let inner = try kernel.resolved(member.type)
          if inner.kind == .structure || inner.kind == .union { waiting.append((inner, next.depth + 1)) }
        }
      }
    }
    return nil
  }

  /// Whether a member of the one kind can stand for the other (bpf_core_fields_are_compat).
  func areCompatible(_ local: BTFType, _ target: BTFType) throws(BPFObjectError) -> Bool {
    var local = local
    var target = target
    for _ in 0..<Limits.typeDepth {
      if local.kind.isComposite, target.kind.isComposite { return true }
      if local.kind.isEnumeration, target.kind.isEnumeration { return try haveSameName(local, target) }
      guard local.kind == target.kind else { return false }
      switch local.kind {
      case .pointer, .float, .int: return true
      case .forward: return try haveSameName(local, target)
      case .array:
        local = try object.resolved(object.array(local).element)
        target = try kernel.resolved(kernel.array(target).element)
      // What is composite or an enumeration was compared above; modifiers were resolved away.
      case .void, .structure, .union, .enumeration, .typedef, .volatile, .const, .restrict, .function,
        .functionPrototype, .variable, .dataSection, .declarationTag, .typeTag, .enumeration64:
        return false
      }
    }
    return false
  }

  private func haveSameName(_ local: BTFType, _ target: BTFType) throws(BPFObjectError) -> Bool {
    let ours = StructOpsMaps.withoutFlavour(try object.name(of: local))
    let theirs = StructOpsMaps.withoutFlavour(try kernel.name(of: target))
    return ours.isEmpty || theirs.isEmpty || ours == theirs
  }
}

extension BTFKind {
  var isComposite: Bool { self == .structure || self == .union }

  /// Whether a type of the one kind may be meant by a type of the other that has its name.
  fileprivate func isLike(_ other: BTFKind) -> Bool { self == other || isEnumeration && other.isEnumeration }
}

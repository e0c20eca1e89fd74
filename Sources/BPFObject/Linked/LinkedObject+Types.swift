internal import KernelABI
internal import Base

extension LinkedObject {
  /// ``btf``, read: no types at all where the object has none; nil where they cannot be read, and where a helper has read
  /// them in the loader's place: then the worst is assumed of what depends on them.
  package var types: BTF? {
    isLinkedByHelper && !btf.isEmpty ? nil : readTypes
  }

  private var readTypes: BTF? { btf.isEmpty ? BTF.none : try? BTF(btf.rawSpan) }

  /// Why the kernel has to have the object's types: the first of its parts that does not load without them; nil where
  /// none needs them.
  ///
  /// What is named here is named by the rules of the kernel; an object that the list forgets would be refused by the
  /// kernel, for what it does not know of an object it does not allow.
  public var needOfTypes: String? {
    for program in programs {
      if !program.coreRelocations.isEmpty { return "program `\(program.name)` has CO-RE relocations" }
      if program.kind.type == .ext { return "program `\(program.name)` replaces a function of these types" }
      for edit in program.edits {
        if case .functionAddress(let callback) = edit.reason {
          return "program `\(program.name)` hands out the address of `\(callback)`"
        }
      }
    }
    if let structure = structOps.first { return "structure of functions `\(structure.name)`" }
    if let extern = externs.first { return "\(extern.kind.noun) `\(extern.name)` of the kernel" }
    if isLinkedByHelper, !btf.isEmpty { return "its types, which its linking helper alone has looked into" }
    for map in maps where map.type.needsBTF { return "map `\(map.name)` is of type \(map.type.name)" }
    guard let types else { return nil }
    if let tag = types.declarationTags.first, let type = try? types.type(tag), let name = try? types.name(of: type) {
      return "the declaration tag `\(name)`"
    }
    // Fields of a map's value that the kernel looks after are found by their types' names.
    for type in types.types {
      let isSpecial = type.kind == .structure && type.sizeOrType > 0 && type.nameOffset != 0
      guard type.kind == .typeTag || isSpecial, let name = try? types.name(of: type) else { continue }
      if type.kind == .typeTag { return "the type tag `\(name)`" }
      if Self.fieldTypes.contains(name) { return "type `\(name)`, which the kernel looks for in maps" }
    }
    return nil
  }

  /// kernel/bpf/btf.c, btf_get_field_type.
  private static let fieldTypes: Set<String> = [
    "bpf_spin_lock", "bpf_res_spin_lock", "bpf_timer", "bpf_wq", "bpf_task_work", "bpf_list_head", "bpf_list_node",
    "bpf_rb_root", "bpf_rb_node", "bpf_refcount", "bpf_dynptr",
  ]
}

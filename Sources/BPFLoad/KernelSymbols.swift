internal import BPFObject

/// Kernel functions (kfuncs) and variables that an object expects from the running kernel.
///
/// Only their BTF ids are written into instructions, here and at load time, because each kernel numbers its types
/// anew. Everything else that depends on the kernel is left to the kernel.
extension ObjectLoader {
  /// The object with its externs looked up in the kernel's BTF; an object without externs is returned as it is.
  ///
  /// Modules are not searched. Symbols without a type, of which only /proc/kallsyms knows the address, and values of
  /// the kernel's configuration are refused: nothing in the kernel vouches for either.
  static func resolvingSymbols(
    of linked: LinkedObject, kernelTypes: KernelTypes
  ) throws(BPFLoadError) -> LinkedObject {
    guard linked.needsResolving else { return linked }
    if let field = linked.configuration.first { throw .needsKernelConfiguration(option: field.name) }
    if let table = linked.structOps.first { throw .structOps(map: table.name, type: table.typeName) }

    // BTF_KIND_FUNC and BTF_KIND_VAR.
    let targets = linked.externs.map { extern in
      switch extern.kind {
      case .function: ProgramKind.AttachTarget(name: extern.name, kind: 12)
      case .variable, .address: ProgramKind.AttachTarget(name: extern.name, kind: 14)
      }
    }
    var resolutions: [ExternResolution] = []
    let ids = try kernelTypes.ids(of: targets, for: linked.programs.first?.name ?? "")
    for (extern, id) in zip(linked.externs, ids) {
      if let id, extern.kind != .address {
        resolutions.append(.btf(id: id, module: 0))
      } else if extern.isWeak, id == nil, extern.kind != .address {
        resolutions.append(.absent)
      } else {
        throw .noKernelSymbol(name: extern.name, hasType: extern.kind != .address)
      }
    }
    do throws(BPFObjectError) {
      return try linked.resolving(resolutions)
    } catch {
      throw .unresolvable(error)
    }
  }
}

internal import BPFObject
internal import Linux

/// The modules whose functions and variables an object uses, and how its instructions refer to them.
///
/// A call names an index in `fd_array`, behind the maps, where the descriptor of the module's BTF stands; index 0 is
/// the kernel itself (kernel/bpf/verifier.c, find_kfunc_desc_btf). A load of a variable's address holds the descriptor
/// (BPF_PSEUDO_BTF_ID).
struct ModuleTable {
  private let first: Int
  private(set) var modules: [KernelModule] = []
  private let mapCount: Int

  init(mapCount: Int) {
    self.mapCount = mapCount
    first = max(1, mapCount)
  }

  /// What stands in the instruction for the module; 0 for the kernel itself.
  mutating func reference(to module: KernelModule?, from extern: KernelExtern) -> UInt32 {
    guard let module else { return 0 }
    let index = modules.firstIndex { $0 === module } ?? modules.count
    if index == modules.count { modules.append(module) }
    guard case .function = extern.kind else {
      return module.types.descriptor.withRaw { UInt32(bitPattern: $0) }
    }
    return UInt32(first + index)
  }

  /// `fd_array`: the maps, then the modules' types.
  func descriptors(maps: [KernelObject]) -> [KernelObject] {
    guard let module = modules.first else { return maps }
    // Index 0 is not looked at where it is no map.
    return maps + (mapCount == 0 ? [module.types] : []) + modules.map(\.types)
  }
}

internal import KernelABI
internal import BPFObject
internal import Linux

/// A module of the running kernel that has type information.
final class KernelModule: Sendable {
  let name: String
  /// Its BTF in the kernel, which bpf(2) takes where a type of the module is meant.
  let types: KernelObject

  private init(name: String, types: KernelObject) {
    self.name = name
    self.types = types
  }

  /// The modules, in the order in which the kernel numbered their types; only CAP_SYS_ADMIN may look.
  static func all() throws(SystemError) -> [KernelModule] {
    var modules: [KernelModule] = []
    for id in try BPF.btfIDs() {
      do throws(SystemError) {
        let types = try BPF.btf(id: id)
        let info = try BPF.btfInfo(types)
        if info.isKernel, info.name != "vmlinux" { modules.append(KernelModule(name: info.name, types: types)) }
      } catch  where error.code == .enoent {
        // Gone since it was listed.
        continue
      }
    }
    return modules
  }
}

public import BPFObject
internal import KernelABI
internal import Linux

/// The running kernel's numbers for what programs attach to, as a load would be given them.
public enum KernelTypeNumbers {
  /// The numbers in the kernel's own types, in the order of the targets; nil for a type that the kernel does not have, be it
  /// that a module has it, whose numbers are not the kernel's.
  ///
  /// - Throws: ``BPFLoadError`` where the kernel's types cannot be read.
  public static func find(_ targets: [ProgramKind.AttachTarget]) throws(BPFLoadError) -> [UInt32?] {
    guard !targets.isEmpty else { return [] }
    return try KernelTypes().find(targets, for: targets[0].name).map { found in
      guard let found, found.module == nil else { return nil }
      return found.id
    }
  }

  /// The functions of these names that the kernel does not have, in their order.
  ///
  /// - Throws: ``BPFLoadError`` where the kernel's types cannot be read.
  public static func missing(functions: [String]) throws(BPFLoadError) -> [String] {
    let targets = functions.map { ProgramKind.AttachTarget(name: $0, kind: .function, module: "vmlinux") }
    return zip(functions, try find(targets)).filter { $0.1 == nil }.map(\.0)
  }
}

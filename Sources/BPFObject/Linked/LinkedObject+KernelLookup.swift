internal import KernelABI

extension LinkedObject {
  /// Looks the object's externs up in the running kernel.
  ///
  /// - Parameters:
  ///   - kernel: the kernel's own BTF (/sys/kernel/btf/vmlinux). Functions and variables of modules are not found.
  ///   - address: the address of a symbol (/proc/kallsyms), nil when there is none.
  /// - Returns: what ``resolving(_:configuration:)`` takes.
  /// - Throws: ``BPFObjectError`` with the check `unsupportedExtern`, naming the symbol that the object insists on and
  ///   the kernel does not have.
  public func lookUpExterns(
    in kernel: BTF, address: (String) -> UInt64? = { _ in nil }
  ) throws(BPFObjectError) -> [ExternResolution] {
    var resolutions: [ExternResolution] = []
    for extern in externs {
      let resolution: ExternResolution? =
        switch extern.kind {
        case .function: kernel.typeID(named: extern.kernelName, kind: .function).map { .btf(id: $0, module: 0) }
        case .variable: kernel.typeID(named: extern.kernelName, kind: .variable).map { .btf(id: $0, module: 0) }
        case .address: address(extern.name).map { .address($0) }
        }
      guard resolution != nil || extern.isWeak else {
        throw BPFObjectError(
          .unsupportedExtern, "the kernel has no \(extern.kind.noun) `\(extern.name)`",
          expected: extern.kind == .address ? "the symbol in /proc/kallsyms" : "it in /sys/kernel/btf/vmlinux",
          next: "declare it __weak, or load the object into a kernel that has it")
      }
      resolutions.append(resolution ?? .absent)
    }
    return resolutions
  }
}

extension KernelExtern.Kind {
  /// What it is, in words.
  public var noun: String {
    switch self {
    case .function: "function"
    case .variable: "variable"
    case .address: "symbol"
    }
  }
}

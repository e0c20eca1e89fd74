internal import Base

extension LinkedObject {
  /// The object with its externs resolved, ready to be loaded into one kernel.
  ///
  /// - Parameters:
  ///   - resolutions: one for each of ``externs``, in their order.
  ///   - configuration: the value of the `.kconfig` map, when the object has one.
  /// - Throws: ``BPFObjectError`` with the check `unsupportedExtern` when an answer is missing or does not fit.
  public func resolving(
    _ resolutions: [ExternResolution], configuration: [UInt8]? = nil
  ) throws(BPFObjectError) -> LinkedObject {
    guard resolutions.count == externs.count else {
      throw BPFObjectError(
        .unsupportedExtern, "the number of resolved externs is not that of the object's",
        expected: "\(externs.count)", found: "\(resolutions.count)")
    }
    var resolved = self
    for index in resolved.programs.indices { try resolved.programs[index].resolve(externs, resolutions) }
    resolved.externs = []
    if let map = configurationMap {
      guard let configuration, configuration.count == maps[map].initialValue.count else {
        throw BPFObjectError(
          .unsupportedExtern, "the kernel configuration for map `\(maps[map].name)` has a wrong size",
          expected: "\(maps[map].initialValue.count) bytes", found: "\(configuration?.count ?? 0) bytes")
      }
      resolved.maps[map].initialValue = configuration
      resolved.configuration = []
    }
    return resolved
  }

  /// Whether anything is left to ask the kernel for before the object can be loaded.
  public var needsResolving: Bool { !externs.isEmpty || !configuration.isEmpty || !structOps.isEmpty }
}

extension LinkedProgram {
  /// A call of nothing, which the verifier refuses only where it is reached (libbpf, POISON_CALL_KFUNC_BASE): the number of
  /// a helper, to which the extern's index is added.
  public static let absentCall: UInt32 = 2_002_000_000

  fileprivate mutating func resolve(
    _ externs: [KernelExtern], _ resolutions: [ExternResolution]
  ) throws(BPFObjectError) {
    for use in externUses {
      let offset = use.instruction * Instruction.size
      guard use.extern < externs.count, offset + Instruction.size <= instructions.count else { continue }
      let extern = externs[use.extern]
      let resolution = resolutions[use.extern]
      if resolution == .absent, !extern.isWeak { throw Self.unfit(extern, resolution) }
      if instructions[offset] == Instruction.call {
        switch resolution {
        case .btf(let id, let module):
          guard let index = UInt16(exactly: module) else { throw Self.unfit(extern, resolution) }
          set(use.instruction, source: Instruction.Call.kernelFunction, id)
          instructions.storeLittleEndian(index, at: offset + 2)
        case .absent:
          set(use.instruction, source: Instruction.Call.helper, Self.absentCall + UInt32(use.extern))
        case .address: throw Self.unfit(extern, resolution)
        }
      } else {
        guard offset + 2 * Instruction.size <= instructions.count else { continue }
        switch resolution {
        case .btf(let id, let module):
          set(use.instruction, source: Instruction.Load.btfID, id)
          instructions.storeLittleEndian(module, at: offset + 12)
        case .address(let address):
          set(use.instruction, source: Instruction.Load.value, UInt32(truncatingIfNeeded: address))
          instructions.storeLittleEndian(UInt32(truncatingIfNeeded: address >> 32), at: offset + 12)
        case .absent:
          set(use.instruction, source: Instruction.Load.value, 0)
          instructions.storeLittleEndian(UInt32(0), at: offset + 12)
        }
      }
      edits.append(InstructionEdit(index: use.instruction, reason: .kernelSymbol(name: extern.name)))
    }
    edits.sort { $0.index < $1.index }
    externUses = []
  }

  /// Writes an instruction's operand; the caller has checked that it is there.
  private mutating func set(_ index: Int, source: UInt8, _ immediate: UInt32) {
    let offset = index * Instruction.size
    instructions[offset + 1] = instructions[offset + 1] & 15 | source << 4
    instructions.storeLittleEndian(immediate, at: offset + 4)
  }

  private static func unfit(_ extern: KernelExtern, _ resolution: ExternResolution) -> BPFObjectError {
    BPFObjectError(
      .unsupportedExtern, "kernel symbol `\(extern.name)` cannot be resolved in this way",
      expected: extern.isWeak ? "a BTF id, an address or its absence" : "a BTF id or an address",
      found: "\(resolution)")
  }
}

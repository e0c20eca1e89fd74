internal import KernelABI

/// A kernel structure of functions that the object implements (BPF_MAP_TYPE_STRUCT_OPS): a TCP congestion control, a
/// scheduler …
///
/// The object holds the structure in its own layout; the kernel wants it in its own, which ``layout(object:kernel:)``
/// makes.
public struct StructOps: Equatable, Sendable {
  /// The variable's name, which is the map's.
  public let name: String
  /// The kernel's structure, `tcp_congestion_ops`.
  public let typeName: String
  /// The structure in ``LinkedObject/btf``.
  public let typeID: UInt32
  /// `BPF_F_LINK` when the map is attached by a link (`.struct_ops.link`).
  public let flags: UInt32
  /// The structure's bytes in the object's layout, pointers to programs zero.
  public let value: [UInt8]
  /// The programs it points to.
  public let programs: [Slot]

  /// A member that points to a program.
  public struct Slot: Equatable, Sendable {
    /// Bytes from the structure's start.
    public let offset: Int
    /// The program's name.
    public let program: String
  }

  /// The structure as one kernel has it.
  public struct Layout: Equatable, Sendable {
    /// `btf_vmlinux_value_type_id` of BPF_MAP_CREATE, and the map's value size in bytes.
    public let valueTypeID: UInt32
    /// Bytes.
    public let valueSize: UInt32
    /// The value for BPF_MAP_UPDATE_ELEM; a program's descriptor goes, as 64 bits, to each of ``programs``' offsets.
    public internal(set) var value: [UInt8]
    /// Where the value wants the descriptors of which programs.
    public internal(set) var programs: [Slot]
    /// What BPF_PROG_LOAD needs for each program: the structure's id as `attach_btf_id`, and the member's index as
    /// `expected_attach_type`.
    public internal(set) var attachments: [Attachment]
  }

  /// The member of the kernel's structure that a program implements.
  public struct Attachment: Equatable, Sendable {
    /// The program's name.
    public let program: String
    /// The structure's type id in the kernel's BTF.
    public let typeID: UInt32
    /// The member's index in the structure.
    public let member: UInt32
  }
}

extension StructOps {
  /// Moves every member to where the kernel has it (libbpf, bpf_map__init_kern_struct_ops).
  ///
  /// - Parameters:
  ///   - object: ``LinkedObject/btf``.
  ///   - kernel: the running kernel's BTF.
  /// - Throws: ``BPFObjectError`` with the check `badMap` when the two structures do not fit each other.
  public func layout(object: BTF, kernel: BTF) throws(BPFObjectError) -> Layout {
    guard let kernelID = kernel.typeID(named: typeName, kind: .structure),
      let valueID = kernel.typeID(named: "bpf_struct_ops_\(typeName)", kind: .structure)
    else {
      throw BPFObjectError(
        .badMap, "the kernel has no structure `\(typeName)` that BPF programs can implement",
        expected: "types `\(typeName)` and `bpf_struct_ops_\(typeName)`",
        next: "see bpftool btf dump, or another kernel")
    }
    let holder = try kernel.type(valueID)
    guard let data = try kernel.members(of: holder).first(where: { $0.type == kernelID }),
      data.bitOffset.isMultiple(of: 8), holder.sizeOrType <= 1 << 16
    else { throw unfit("`bpf_struct_ops_\(typeName)`", "a member of type `\(typeName)`") }
    var layout = Layout(
      valueTypeID: valueID, valueSize: holder.sizeOrType, value: [UInt8](repeating: 0, count: Int(holder.sizeOrType)),
      programs: [], attachments: [])
    let targets = try kernel.members(of: kernel.type(kernelID))
    let base = Int(data.bitOffset / 8)
    for member in try object.members(of: object.type(typeID)) {
      try move(member, object, kernel, targets, base: base, kernelID: kernelID, into: &layout)
    }
    return layout
  }

  private func move(
    _ member: BTFMember, _ object: BTF, _ kernel: BTF, _ targets: [BTFMember], base: Int, kernelID: UInt32,
    into layout: inout Layout
  ) throws(BPFObjectError) {
    let memberName = try object.string(at: member.nameOffset)
    let offset = Int(member.bitOffset / 8)
    guard let size = try object.size(of: member.type), offset + Int(size) <= value.count else {
      throw unfit("member `\(memberName)`", "a size")
    }
    let slot = programs.first { $0.offset == offset }
    let bytes = Array(value[offset..<(offset + Int(size))])
    var found: Int?
    for (index, target) in targets.enumerated() where try kernel.string(at: target.nameOffset) == memberName {
      found = index
    }
    guard let found else {
      // A member that only a newer kernel has may be left unset.
      if slot == nil, bytes.allSatisfy({ $0 == 0 }) { return }
      throw unfit("member `\(memberName)`", "the kernel's structure to have it, or the member to be unset")
    }
    let target = targets[found]
    let ours = try object.resolved(member.type)
    let theirs = try kernel.resolved(target.type)
    guard ours.kind == theirs.kind, try kernel.size(of: target.type) == size, member.bitOffset.isMultiple(of: 8),
      target.bitOffset.isMultiple(of: 8)
    else { throw unfit("member `\(memberName)`", "the kernel's type, \(theirs.kind)") }
    let place = base + Int(target.bitOffset / 8)
    guard place + Int(size) <= layout.value.count else { throw unfit("member `\(memberName)`", "a place in the value") }
    if let slot {
      guard ours.kind == .pointer, try kernel.resolved(theirs.sizeOrType).kind == .functionPrototype else {
        throw unfit("member `\(memberName)`", "a pointer to a function")
      }
      layout.programs.append(Slot(offset: place, program: slot.program))
      layout.attachments.append(Attachment(program: slot.program, typeID: kernelID, member: UInt32(found)))
    } else {
      for (index, byte) in bytes.enumerated() { layout.value[place + index] = byte }
    }
  }

  private func unfit(_ what: String, _ expected: String) -> BPFObjectError {
    BPFObjectError(
      .badMap, "\(what) of struct_ops map `\(name)` does not fit the kernel's `\(typeName)`", expected: expected)
  }
}

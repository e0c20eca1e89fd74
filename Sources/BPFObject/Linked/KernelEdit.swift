/// Something that only the running kernel can say and that is filled in after the object's bytes are proven.
///
/// An object's list follows from its bytes alone, so that it can be written down before anything is loaded; whoever
/// compares what was proven with what is loaded may find differences in these places, in those of
/// ``LinkedProgram/edits``, and in no others.
public struct KernelEdit: Equatable, Sendable {
  /// What is filled in.
  public enum Place: Equatable, Sendable {
    /// An instruction of a program, by its index in the linked program; of a 64-bit load, that of the first half.
    case instruction(program: String, index: Int)
    /// An attribute of BPF_PROG_LOAD: no instruction changes.
    case attribute(program: String, name: String)
    /// Bytes of a map's initial value: no instruction changes.
    case value(map: String, offset: Int)
  }

  /// What kind of value goes there.
  public enum Value: String, Equatable, Sendable {
    /// A function's id in the kernel's BTF (BPF_PSEUDO_KFUNC_CALL, or BPF_PSEUDO_BTF_ID in a load).
    case functionID = "function_btf_id"
    /// A variable's id in the kernel's BTF (BPF_PSEUDO_BTF_ID).
    case variableID = "variable_btf_id"
    /// An address from the kernel's symbol table.
    case address
    /// A value of the kernel's configuration.
    case configuration
    /// A type's id in the kernel's BTF.
    case typeID = "type_btf_id"
    /// A member's index in a structure of the kernel.
    case member
    /// A program's descriptor, which the kernel replaces by the program.
    case program
    /// Whether the kernel's types have what a CO-RE record asks about: 0 or 1.
    case coreAnswer = "core_answer"
  }

  /// Where it goes.
  public let place: Place
  /// The name that is looked up: a function, a variable, an option …
  public let name: String
  /// What kind of value it is.
  public let value: Value
  /// `__weak`: zero, or for a call an impossible one, when the kernel has nothing of that name.
  public let isWeak: Bool
}

extension LinkedObject {
  /// Everything that the running kernel has to fill in, in the order of programs, then maps; empty after
  /// ``resolving(_:configuration:)`` except for the attributes.
  public var kernelEdits: [KernelEdit] {
    var edits: [KernelEdit] = []
    for program in programs {
      for use in program.externUses where use.extern < externs.count {
        let extern = externs[use.extern]
        let value: KernelEdit.Value =
          switch extern.kind {
          case .function: .functionID
          case .variable: .variableID
          case .address: .address
          }
        edits.append(
          KernelEdit(
            place: .instruction(program: program.name, index: use.instruction), name: extern.name, value: value,
            isWeak: extern.isWeak))
      }
      for record in program.answered {
        edits.append(
          KernelEdit(
            place: .instruction(program: program.name, index: record.instruction), name: record.subject,
            value: .coreAnswer, isWeak: false))
      }
      if let target = program.kind.attachTarget {
        edits.append(
          KernelEdit(
            place: .attribute(program: program.name, name: "attach_btf_id"), name: target.name, value: .typeID,
            isWeak: false))
      }
    }
    if let map = configurationMap, map < maps.count {
      for field in configuration {
        edits.append(
          KernelEdit(
            place: .value(map: maps[map].name, offset: field.offset), name: field.name, value: .configuration,
            isWeak: field.isWeak))
      }
    }
    for structure in structOps {
      for slot in structure.programs {
        edits += [
          KernelEdit(
            place: .attribute(program: slot.program, name: "attach_btf_id"), name: structure.typeName, value: .typeID,
            isWeak: false),
          KernelEdit(
            place: .attribute(program: slot.program, name: "expected_attach_type"), name: structure.typeName,
            value: .member, isWeak: false),
          KernelEdit(
            place: .value(map: structure.name, offset: slot.offset), name: slot.program, value: .program,
            isWeak: false),
        ]
      }
    }
    return edits
  }
}

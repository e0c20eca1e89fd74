internal import KernelABI
package import BPFObject
package import Linux

extension BPF.ProgramAttributes {
  /// What BPF_PROG_LOAD takes of a linked program as it is.
  ///
  /// - Parameter license: the object's. What the program attaches to is set by the caller, where it is in the kernel's
  ///   types.
  package init(_ program: LinkedProgram, license: String) {
    self.init(type: program.kind.type)
    expectedAttachType = program.kind.expectedAttachType.rawValue
    flags = program.kind.flags
    name = program.kernelName
    self.license = license
    instructions = program.instructions
    funcInfo = program.funcInfo
    funcInfoRecordSize = program.funcInfoRecordSize
    lineInfo = program.lineInfo
    lineInfoRecordSize = program.lineInfoRecordSize
    coreRelocations = program.coreRelocations
    coreRelocationRecordSize = program.coreRelocationRecordSize
  }

  /// Leaves out what refers to the object's types, for a program without CO-RE records that is loaded without them.
  mutating func dropTypes() {
    funcInfo = []
    lineInfo = []
  }
}

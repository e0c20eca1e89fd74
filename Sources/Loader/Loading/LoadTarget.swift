internal import KernelABI
internal import BPFObject
internal import Base
internal import Linux

/// What BPF_PROG_LOAD is told of where a program goes.
struct LoadTarget {
  /// `attach_btf_id`; 0 where the type needs none.
  var typeID: UInt32 = 0
  /// Whose type it is: a module's, or another program's; nil for the kernel's own.
  var owner: KernelObject?
  /// `expected_attach_type`: the number of an attach type, or the index of a structure's member.
  var attachType: UInt32
}

/// Finding what programs go to before they are loaded.
extension LoadSteps {
  /// One target for each program.
  func loadTargets(members: [StructOps.Attachment]) throws(BPFLoadError) -> [LoadTarget] {
    let kernelTargets = programs.filter { $0.kind.type != .ext }.compactMap { $0.kind.attachTarget }
    let first = programs.first { $0.kind.attachTarget != nil }
    let types = kernelTargets.isEmpty ? [] : try kernelTypes.find(kernelTargets, for: first?.name ?? "")
    var remaining = types.makeIterator()
    var result: [LoadTarget] = []
    for program in programs {
      var target = LoadTarget(attachType: program.kind.expectedAttachType.rawValue)
      if let member = members.first(where: { $0.program == program.name }) {
        target.typeID = member.typeID
        target.attachType = member.member
      } else if let wanted = program.kind.attachTarget {
        if program.kind.type == .ext {
          (target.typeID, target.owner) = try replacedFunction(wanted.name, by: program)
        } else {
          guard let type = remaining.next() ?? nil else {
            throw .noAttachTarget(
              program: program.name, section: program.section, target: wanted.name, searched: kernelTypes.searched)
          }
          (target.typeID, target.owner) = (type.id, type.module?.types)
        }
      }
      result.append(target)
    }
    return result
  }

  /// The function of a pinned program that is to be replaced, by its id in that program's types.
  private func replacedFunction(
    _ name: String, by program: LinkedProgram
  ) throws(BPFLoadError) -> (id: UInt32, owner: KernelObject) {
    guard let path = options.attachTarget else {
      throw .attachNeeds(program: program.name, section: program.section, option: "--target PINNED_PROGRAM")
    }
    let owner: KernelObject
    let types: [UInt8]
    do throws(SystemError) {
      owner = try BPF.pinned(at: path)
      types = try BPF.btfBytes(BPF.btf(id: BPF.programInfo(owner).btfID))
    } catch {
      throw .attachRefused(program: program.name, section: program.section, place: "program \(path)", error: error)
    }
    let wanted = ProgramKind.AttachTarget(name: name, kind: .function)
    guard let ids = try? KernelTypeSearch.ids(of: [wanted], in: types.rawSpan), let id = ids.first ?? nil else {
      throw .noAttachPlace(
        program: program.name, section: program.section, place: "function \(name) of program \(path)",
        reason: "that program's types name no such function")
    }
    return (id, owner)
  }
}

internal import BPFObject
internal import KernelABI

/// Where one program reads kernel memory, held against what its author declares.
struct KernelReads {
  /// In the order of the instructions.
  let all: [KernelRead]

  private let interpretation: Interpretation
  private let helpers: [HelperUse]
  private let declaration: ReadDeclaration?
  /// The names of fields that the instructions read on every way to them, for those that do.
  private let named: [Int: String]

  init(
    _ interpretation: Interpretation, helpers: [HelperUse], relocations: [CoreRelocation],
    declaration: ReadDeclaration?
  ) {
    self.interpretation = interpretation
    self.helpers = helpers
    self.declaration = declaration
    var named: [Int: String] = [:]
    func name(_ instruction: Int) {
      guard let record = interpretation.field(at: instruction) else { return }
      named[instruction] = relocations[record].subject
    }
    let accesses = interpretation.accesses
    for instruction in accesses { name(instruction) }
    // For people the name of the record that stands at a load is good enough.
    var hints: [Int: String] = [:]
    if !accesses.isEmpty {
      for relocation in relocations where relocation.kind == .fieldByteOffset {
        if let subject = relocation.subject { hints[relocation.instruction] = subject }
      }
    }
    var reads = accesses.map { KernelRead(means: .pointer, instruction: $0, subject: named[$0] ?? hints[$0]) }
    for helper in helpers where helper.copiesKernel {
      for instruction in helper.instructions {
        name(instruction)
        reads.append(KernelRead(means: .helper(helper), instruction: instruction, subject: named[instruction]))
      }
    }
    if reads.count > 1 { reads.sort { $0.instruction < $1.instruction } }
    all = reads
    self.named = named
  }

  /// Every read that the author has not declared. What has no name here is declared by nobody.
  ///
  /// - Parameter kernelFunctions: the instructions that call functions of the kernel.
  func undeclared(kernelFunctions: [Int]) -> [UndeclaredRead] {
    var found: [UndeclaredRead] = []
    for read in all {
      let place = read.instruction
      // Without a declaration nothing had to be shown; the record's name is good enough for people.
      if let subject = declaration == nil ? read.subject : named[place] {
        if declaration?.covers(subject) != true {
          found.append(UndeclaredRead(instruction: place, cause: .reads(subject)))
        }
      } else if case .helper(let helper) = read.means {
        found.append(UndeclaredRead(instruction: place, cause: .copies(helper)))
      } else {
        found.append(UndeclaredRead(instruction: place, cause: .loads))
      }
    }
    for helper in helpers where !helper.copiesKernel {
      let memory = KnownHelper[helper.id]?.memory
      for place in helper.instructions {
        guard let memory else {
          found.append(UndeclaredRead(instruction: place, cause: .calls(helper)))
          continue
        }
        if memory & interpretation.pointers(atCall: place) != 0 {
          found.append(UndeclaredRead(instruction: place, cause: .hands(helper)))
        }
      }
    }
    for construct in interpretation.unfollowed {
      found.append(UndeclaredRead(instruction: construct.instruction ?? 0, cause: .unfollowed(construct)))
    }
    for place in kernelFunctions { found.append(UndeclaredRead(instruction: place, cause: .callsKernelFunction)) }
    if found.count > 1 { found.sort { $0.instruction < $1.instruction } }
    return found
  }
}

public import BPFObject
public import KernelABI

/// What is known of a kernel that objects are made for.
public enum TargetKernel: Sendable {
  /// Its version: what came with which release is in `KernelABI`.
  case release(KernelRelease)
  /// Its types, as /sys/kernel/btf/vmlinux holds them.
  case types(BTF)
  /// What it was built with.
  case configuration(KernelConfiguration)
}

/// What keeps a program out of a kernel, as far as that can be told without the kernel.
///
/// The verifier's own verdict is not predicted: a program without obstacles may be refused by it all the same.
public struct KernelObstacle: Equatable, Sendable {
  /// What the kernel lacks or forbids: `helper bpf_loop#181`, `field task_struct.__state`.
  public let subject: String
  /// Why: `came with Linux 5.17`.
  public let reason: String
  /// Whether the program is loaded all the same, and only not attached.
  public let isAboutAttaching: Bool

  init(_ subject: String, _ reason: String, attaching: Bool = false) {
    self.subject = subject
    self.reason = reason
    isAboutAttaching = attaching
  }
}

/// What one kernel has against one program.
public struct KernelVerdict: Equatable, Sendable {
  /// The program's name.
  public let program: String
  /// Whether it is loaded only when it is named (`SEC("?…")`).
  public let isOptional: Bool
  /// What the kernel has against it; empty where nothing was found.
  public internal(set) var obstacles: [KernelObstacle] = []
  /// What it needs and what is known of the kernel does not tell.
  public internal(set) var unknown: [String] = []

  init(_ program: ProgramReport) {
    self.program = program.name
    isOptional = program.kind.isOptional
  }
}

extension BPFObject {
  /// What a kernel has against each program of an object, in their order.
  ///
  /// - Parameter types: see ``report(bytes:objectName:allowsExterns:allowsNoPrograms:kernel:sectionTypes:)``.
  /// - Throws: ``BPFObjectError`` when the object cannot be linked.
  public static func verdicts(
    bytes: RawSpan, objectName: String = "", types sectionTypes: [SectionType] = [], on kernel: TargetKernel
  ) throws(BPFObjectError) -> [KernelVerdict] {
    let types: BTF? = if case .types(let types) = kernel { types } else { nil }
    let report = try report(
      bytes: bytes, objectName: objectName, allowsExterns: true, kernel: types, sectionTypes: sectionTypes)
    switch kernel {
    case .release(let release): return report.verdicts(on: release)
    case .types(let types): return report.verdicts(by: KernelTypeNames(types))
    case .configuration(let configuration): return report.verdicts(by: configuration)
    }
  }
}

// MARK: - By version

extension ObjectReport {
  func verdicts(on release: KernelRelease) -> [KernelVerdict] {
    programs.map { program in
      var verdict = KernelVerdict(program)
      for requirement in program.requirements where requirement.version > release {
        verdict.obstacles.append(KernelObstacle(requirement.reason, "came with Linux \(requirement.version)"))
      }
      for symbol in program.kernelSymbols where KernelFunctions.since(symbol) == nil && isFunction(symbol) {
        verdict.unknown.append("kernel function \(symbol): this build does not know when it came")
      }
      if !program.coreRelocations.isEmpty {
        verdict.unknown.append("types and fields: its BTF tells (--for-kernel FILE)")
      }
      return verdict
    }
  }

  private func isFunction(_ symbol: String) -> Bool {
    externs.contains { extern in
      guard extern.name == symbol, !extern.isWeak else { return false }
      switch extern.kind {
      case .function: return true
      case .variable, .address: return false
      }
    }
  }
}

// MARK: - By configuration

extension ObjectReport {
  func verdicts(by kernel: KernelConfiguration) -> [KernelVerdict] {
    let mapTypes = Set(maps.map(\.type)).sorted { $0.rawValue < $1.rawValue }
    return programs.map { program in
      var verdict = KernelVerdict(program)
      func need(_ option: String, _ subject: String, attaching: Bool = false) {
        guard !kernel.has(option) else { return }
        let obstacle = KernelObstacle(subject, "\(option) is not set", attaching: attaching)
        if !verdict.obstacles.contains(obstacle) { verdict.obstacles.append(obstacle) }
      }
      need("CONFIG_BPF_SYSCALL", "bpf(2)")
      if !program.coreRelocations.isEmpty || program.kind.attachTarget != nil || !program.kernelSymbols.isEmpty {
        need("CONFIG_DEBUG_INFO_BTF", "the kernel's types")
      }
      for option in program.kind.type.options { need(option, "program type \(program.typeName)") }
      for type in mapTypes { for option in type.options { need(option, "map type \(type.name)") } }
      for helper in program.helpers {
        if let option = Helper(called: helper.id)?.option { need(option, "helper \(helper.label)") }
      }
      if let name = program.attachTypeName {
        for option in program.kind.expectedAttachType.options { need(option, "attach type \(name)", attaching: true) }
      }
      for field in configuration where !field.isWeak && field.name.hasPrefix("CONFIG_") {
        if kernel.value(of: field.name) == nil { need(field.name, "the object's own question") }
      }
      for restriction in program.restrictions(in: kernel.forcedLockdown) {
        verdict.obstacles.append(
          KernelObstacle(
            restriction.helper.map { "helper \($0.label)" } ?? "attaching",
            "lockdown=\(kernel.forcedLockdown.rawValue) is forced, which forbids \(restriction.reason.text)",
            attaching: restriction.moment == .attach))
      }
      return verdict
    }
  }
}

// MARK: - By types

extension ObjectReport {
  func verdicts(by kernel: KernelTypeNames) -> [KernelVerdict] {
    let mapTypes = Set(maps.map(\.type)).sorted { $0.rawValue < $1.rawValue }
    return programs.map { program in
      var verdict = KernelVerdict(program)
      func lack(_ subject: String, _ reason: String) {
        let obstacle = KernelObstacle(subject, reason)
        if !verdict.obstacles.contains(obstacle) { verdict.obstacles.append(obstacle) }
      }
      for relocation in program.coreRelocations where relocation.isPoisoned {
        lack(
          "\(relocation.kind?.subject.rawValue ?? "type") \(relocation.subject ?? "of instruction \(relocation.instruction)")",
          "its types have none that fits; refused where the verifier reaches instruction \(relocation.instruction)")
      }
      if kernel.has(program.kind.type, .programs) == false { lack("program type \(program.typeName)", Self.noSuch) }
      if let name = program.attachTypeName, kernel.has(program.kind.expectedAttachType, .attachments) == false {
        lack("attach type \(name)", Self.noSuch)
      }
      for type in mapTypes where kernel.has(type, .maps) == false { lack("map type \(type.name)", Self.noSuch) }
      for helper in program.helpers {
        guard let known = Helper(called: helper.id), kernel.has(known, .helpers) == false else { continue }
        lack("helper \(helper.label)", Self.noSuch)
      }
      if let target = program.kind.attachTarget {
        if program.kind.type == .ext || target.module.map({ $0 != "vmlinux" }) ?? false {
          verdict.unknown.append("`\(target.name)`, which is not the kernel's own")
        } else if !kernel.has(target.name, target.kind) {
          lack("attach target \(target.name)", "its types name none; only a module can have it")
        }
      }
      for symbol in program.kernelSymbols {
        guard let extern = externs.first(where: { $0.name == symbol }), !extern.isWeak else { continue }
        switch extern.kind {
        case .function:
          if !kernel.has(extern.kernelName, .function) {
            lack("kernel function \(symbol)", "its types name none; only a module can have it")
          }
        case .variable:
          if !kernel.has(extern.kernelName, .variable) {
            lack("kernel variable \(symbol)", "its types name none; only a module can have it")
          }
        case .address: verdict.unknown.append("symbol \(symbol): types tell no addresses")
        }
      }
      for structure in structOps where structure.programs.contains(where: { $0.program == program.name }) {
        if !kernel.has(structure.typeName, .structure) { lack("structure \(structure.typeName)", Self.noSuch) }
      }
      return verdict
    }
  }

  private static let noSuch = "its types have none of that name"
}

/// The names in a kernel's types that programs depend on.
struct KernelTypeNames {
  /// Enumerations of the kernel whose members are what it knows.
  enum Vocabulary: String, CaseIterable {
    case programs = "bpf_prog_type"
    case attachments = "bpf_attach_type"
    case maps = "bpf_map_type"
    case helpers = "bpf_func_id"
  }

  private let kernel: BTF
  private let words: [Vocabulary: Set<String>]

  init(_ kernel: BTF) {
    self.kernel = kernel
    var words: [Vocabulary: Set<String>] = [:]
    for vocabulary in Vocabulary.allCases {
      guard let id = kernel.typeID(named: vocabulary.rawValue, kind: .enumeration), let type = try? kernel.type(id)
      else { continue }
      words[vocabulary] = Set((0..<type.vlen).compactMap { (try? kernel.enumerator($0, of: type))??.name })
    }
    self.words = words
  }

  /// Whether the kernel knows a number by its name; nil where its types do not tell, as where they are cut down to what one
  /// object needs.
  func has(_ number: some KernelNumber, _ vocabulary: Vocabulary) -> Bool? {
    words[vocabulary].map { $0.contains(number.headerName) }
  }

  func has(_ name: String, _ kind: BTFKind) -> Bool { kernel.typeID(named: name, kind: kind) != nil }
}

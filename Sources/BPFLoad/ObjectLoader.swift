public import PolicyEngine
internal import BPFObject
internal import LinuxSys

/// Puts an object into the kernel: type information, maps, programs, pins, in this order, all or nothing.
public enum ObjectLoader {
  /// Loads the object that the permit was given for.
  ///
  /// What reaches the kernel is what the examined bytes were linked into, and nothing else. The object and the permit
  /// are consumed, so that one ALLOW loads one object once.
  public static func load(
    _ object: consuming PreparedObject, permit: consuming Permit, options: LoadOptions = LoadOptions(),
    kernelTypes: KernelTypes = KernelTypes()
  ) throws(BPFLoadError) -> LoadedObject {
    guard permit.objectDigest == object.digest else {
      throw .permitForOtherBytes(permit: permit.objectDigest, object: object.digest)
    }
    return try load(object.linked, options: options, kernelTypes: kernelTypes)
  }

  /// Loads what has been linked. Only tests call this directly; others have no linked object to give.
  static func load(
    _ linked: LinkedObject, options: LoadOptions, kernelTypes: KernelTypes = KernelTypes()
  ) throws(BPFLoadError) -> LoadedObject {
    let (linked, modules) = try resolvingSymbols(of: linked, kernelTypes: kernelTypes)
    let programs = try selected(from: linked, options)
    return try LoadSteps(
      linked: linked, programs: programs, options: options, kernelTypes: kernelTypes, modules: modules
    ).run()
  }

  /// The programs to load, in the object's order.
  private static func selected(
    from linked: LinkedObject, _ options: LoadOptions
  ) throws(BPFLoadError) -> [LinkedProgram] {
    let chosen: [LinkedProgram]
    if let names = options.programs {
      let available = linked.programs.map(\.name)
      for name in names where !available.contains(name) {
        throw .noSuchProgram(name: name, available: available)
      }
      chosen = linked.programs.filter { names.contains($0.name) }
    } else {
      chosen = linked.programs.filter { !$0.kind.isOptional }
    }
    guard !chosen.isEmpty else { throw .nothingToLoad }
    // Known before anything is made.
    if options.attaches { for program in chosen { _ = try Attachment(program, options) } }
    if let bare = chosen.first(where: { $0.funcInfo.isEmpty }) { throw .missingFuncInfo(program: bare.name) }
    return chosen
  }
}

internal import Base
public import Policy
internal import BPFObject
internal import Linux
internal import Signatures

/// Puts an object into the kernel: type information, maps, programs, pins, in this order, all or nothing.
public enum ObjectLoader {
  /// Loads the object that the permit was given for.
  ///
  /// What reaches the kernel is what the examined bytes were linked into, and nothing else. The object and the permit
  /// are consumed, so that one ALLOW loads one object once.
  ///
  /// - Parameters:
  ///   - kernelTypes: what the loads of a run have looked up.
  ///   - directories: where the loads of a run pin.
  public static func load(
    _ object: consuming PreparedObject, permit: consuming Permit, options: LoadOptions = LoadOptions(),
    kernelTypes: KernelTypes = KernelTypes(), directories: PinDirectories = PinDirectories()
  ) throws(BPFLoadError) -> LoadedObject {
    try require(permit.objectDigest, for: object.digest)
    return try load(
      object.linked, handover: object.handover, options: options, kernelTypes: kernelTypes, directories: directories)
  }

  /// Says what keeps the object from being loaded, as far as that can be known without making anything in the kernel.
  ///
  /// - Returns: what was not looked at, each as the end of a sentence.
  /// - Throws: what ``load(_:permit:options:kernelTypes:directories:)`` would throw.
  public static func rehearse(
    _ object: consuming PreparedObject, permit: consuming Permit, options: LoadOptions,
    kernelTypes: KernelTypes = KernelTypes()
  ) throws(BPFLoadError) -> [String] {
    try require(permit.objectDigest, for: object.digest)
    return try rehearse(object.linked, handover: object.handover, options: options, kernelTypes: kernelTypes)
  }

  private static func require(_ permitted: Digest, for object: Digest) throws(BPFLoadError) {
    guard permitted == object else { throw .permitForOtherBytes(permit: permitted, object: object) }
  }

  /// The same of what has been linked, for tests.
  static func rehearse(
    _ linked: LinkedObject, handover: KernelHandover? = nil, options: LoadOptions,
    kernelTypes: KernelTypes = KernelTypes()
  ) throws(BPFLoadError) -> [String] {
    let (linked, modules) = try resolvingSymbols(of: linked, kernelTypes: kernelTypes)
    let programs = try selected(from: linked, options)
    var signing: ProgramSigning?
    if let handover { signing = try ProgramSigning(programs, handover, form: .instructions) }
    return try LoadSteps(
      linked: linked, programs: programs, options: options, kernelTypes: kernelTypes, directories: PinDirectories(),
      modules: modules, signing: signing
    ).rehearse()
  }

  /// Loads what has been linked. Only tests call this directly; others have no linked object to give.
  static func load(
    _ linked: LinkedObject, handover: KernelHandover? = nil, options: LoadOptions,
    kernelTypes: KernelTypes = KernelTypes(), directories: PinDirectories = PinDirectories()
  ) throws(BPFLoadError) -> LoadedObject {
    let (linked, modules) = try resolvingSymbols(of: answeringRecords(of: linked), kernelTypes: kernelTypes)
    let programs = try selected(from: linked, options)
    func run(_ form: KernelSignature.Form?) throws(BPFLoadError) -> LoadedObject {
      var signing: ProgramSigning?
      if let handover, let form { signing = try ProgramSigning(programs, handover, form: form) }
      var loaded = try LoadSteps(
        linked: linked, programs: programs, options: options, kernelTypes: kernelTypes, directories: directories,
        modules: modules, signing: signing
      ).run()
      // Each program went with its signature, to a kernel that has refused a wrong one.
      loaded.verifiedBy = signing?.keyring
      return loaded
    }
    guard let handover else { return try run(nil) }
    do throws(BPFLoadError) {
      return try run(.instructions)
    } catch {
      // Which form a kernel takes, it says itself; it has loaded nothing then.
      guard case .kernelSignature(.mapsNotCovered) = error,
        programs.allSatisfy({ handover.signature(of: $0, .instructionsAndMaps) != nil })
      else { throw error }
      return try run(.instructionsAndMaps)
    }
  }

  /// The programs to load, in the object's order.
  private static func selected(
    from linked: LinkedObject, _ options: LoadOptions
  ) throws(BPFLoadError) -> [LinkedProgram] {
    let chosen = linked.programs.filter { !$0.kind.isOptional }
    do throws(BPFObjectError) { try linked.requireLoadable() } catch { throw .object(error) }
    guard !chosen.isEmpty else { throw .nothingToLoad(optional: linked.programs.map(\.name)) }
    // Known before anything is made.
    for program in chosen where options.attaches(program.name) { try Attachment(program, options).requirePlace() }
    if let bare = chosen.first(where: { $0.funcInfo.isEmpty && !$0.coreRelocations.isEmpty }) {
      throw .missingFuncInfo(program: bare.name)
    }
    return chosen
  }
}

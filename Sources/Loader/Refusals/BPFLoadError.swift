public import KernelABI
public import BPFAnalysis
public import BPFObject
public import Base
public import Linux
public import Signatures

/// Why an object did not get into the kernel.
public enum BPFLoadError: Error, Sendable {
  /// The object could not be linked.
  case object(BPFObjectError)
  /// A helper was to link it.
  case helper(LinkHelperError)
  /// The section with the object's signatures is damaged.
  case objectSignature(ObjectSignatureError)
  /// The kernel was to check the programs' signatures, and does not take them.
  case kernelSignature(KernelSignatureRefusal)
  /// The permit was given for other bytes than these.
  case permitForOtherBytes(permit: Digest, object: Digest)
  /// A program was asked for that the object does not have.
  case noSuchProgram(name: String, available: [String])
  /// Nothing is left to load: none was chosen, or the object has only optional programs, or none.
  case nothingToLoad(optional: [String])
  /// The image says that the object is loaded as it is, and options of the load were to change it; `found` is what the image
  /// says, or why that is not known.
  case notConfigurable(object: String, found: String)
  /// Without func_info the kernel ignores CO-RE records silently.
  case missingFuncInfo(program: String)
  /// Two maps or programs would be pinned under one name.
  case pinNameTwice(path: String)
  /// The object wants to share a map by name, and no directory to pin it in was given.
  case pinByNameWithoutPath(map: String)
  /// Another map than the object's is pinned under the name that it wants to share.
  case sharedMapDiffers(map: String, path: String, wanted: String, found: String)
  /// A map was to be sized that the object does not have; `open` are those whose size it leaves open.
  case noMapToSize(map: String, open: [String])
  /// A map was to be sized whose size the object says itself.
  case mapHasSize(map: String, entries: UInt32)
  /// The program was to be attached, and its section does not say to what.
  case notAttachable(program: String, section: String)
  /// The program was to be attached, and only an option can say to what.
  case attachNeeds(program: String, section: String, option: String)
  /// What is said of the place to attach to is no such place's name.
  case badAttachTarget(program: String, section: String, expected: String, found: String)
  /// The place to attach to is not there; `place` and `reason` are in words.
  case noAttachPlace(program: String, section: String, place: String, reason: String)
  /// A map refers to a map or program that is not there.
  case noSuchSlotTarget(map: String, target: String)

  /// This kernel has no bpf(2) at all.
  case noBPF
  /// The kernel has no type information of its own, and the program needs it.
  case noKernelBTF(program: String, error: SystemError)
  /// The kernel's type information cannot be read.
  case unreadableKernelBTF(reason: String)
  /// The kernel has nothing of the name the program attaches to.
  case noAttachTarget(program: String, section: String, target: String, searched: String)
  /// The kernel has no function or variable of this name; without a type, no symbol in its table. `searched` says
  /// where it was looked for.
  case noKernelSymbol(name: String, hasType: Bool, searched: String)
  /// What the kernel answered about the object's externs does not fit into its instructions.
  case unresolvable(BPFObjectError)
  /// Several symbols of the kernel have this name, at different addresses.
  case ambiguousKernelSymbol(name: String)
  /// The kernel does not tell this process the addresses of its symbols.
  case hiddenKernelAddresses(names: [String])
  /// The kernel's configuration has no such option, or another kind of value than the object takes it for.
  case kernelConfiguration(BPFObjectError)
  /// The kernel has no such structure of functions (struct_ops), or another than the object fills.
  case structOps(BPFObjectError)
  /// The kernel does not know something the object needs, and does not say what; `needs` is what it is too old for, in
  /// words, where that is known.
  case notKnownToKernel(subject: String, needs: String?, error: SystemError)
  /// More instructions than a program of this process may have.
  case tooManyInstructions(subject: String, count: Int, limit: Int)

  /// The kernel answered EPERM, or EACCES before its verifier had looked.
  case notPermitted(Refusal.Permission)
  /// The kernel refused the object's type information, which part of the object needs; nil when it may need none.
  case btfRefused(error: SystemError, need: String?, log: String)
  /// The kernel refused a map; `shape` says what was asked for.
  case mapRefused(map: String, shape: String, error: SystemError)
  /// The kernel refused a map whose size the object leaves open.
  case mapWithoutSize(map: String, shape: String, error: SystemError)
  /// The verifier refused a program.
  case programRefused(Refusal.Program)
  /// A program could not be attached to its target; `place` is in words.
  case attachRefused(program: String, section: String, place: String, error: SystemError)
  /// The object could not be pinned.
  case pinRefused(path: String, error: SystemError)
  /// No BPF file system is mounted where the directory to pin in is; `mounted` are the places where one is.
  case noBPFFileSystem(path: String, mounted: [String])
  /// What an option names to attach to is not there, or is something else.
  case noSuchPlace(option: String, value: String, expected: String, found: String, next: String)
  /// What is pinned where an object is to be replaced is no object of ours alone.
  case replacesOthers(path: String, isImage: Bool, found: String)
  /// The object that is pinned there cannot be replaced as it is.
  case notReplaceable(path: String, found: String)
  /// The object that is pinned there is attached, and its successor was not to be.
  case replacedIsAttached(path: String, link: String)
  /// A map that is pinned is another than its successor's, so that what is in it cannot be carried over.
  case mapDiffers(map: String, path: String, expected: String, found: String)
  /// A link could not be given the new program.
  case linkNotMoved(program: String, place: String, error: SystemError)
  /// The pins of the new object could not take the place of the old one's.
  case exchangeRefused(path: String, error: SystemError)
  /// The directory to pin in is not usable.
  case unusablePinPath(path: String, reason: String)
  /// Another system call failed.
  case system(SystemError)
}

/// What is known about a refusal of the kernel.
public enum Refusal {
  /// Who refused, as far as it can be told from outside.
  public enum Cause: Equatable, Sendable {
    /// The process lacks these.
    case capability([Capability])
    /// A setting of the kernel keeps it from those who lack CAP_BPF.
    case sysctl(name: String, value: Int)
    /// The process's capabilities do not count, because it is in a user namespace.
    case userNamespace
    /// The kernel is locked down; nil when the mode is not known.
    case lockdown(LockdownMode?)
    /// A seccomp filter answers in the kernel's place.
    case systemCallFilter
    /// A security module; those that are active and may have done it.
    case securityModule([String])
    /// The kernel takes nothing of this kind from any process.
    case kernelBuild
    case unknown
  }

  /// A refusal without a word, and who is behind it.
  public struct Permission: Equatable, Sendable {
    /// What was refused: `load map counters`, `attach program x to kernel function y`.
    public let action: String
    /// Nil where the kernel was not asked because it would refuse.
    public let error: SystemError?
    /// The capabilities that it needs.
    public let needed: [Capability]
    public let cause: Cause
    /// What was looked at, and seen.
    public let found: [String]
  }

  /// A CO-RE relocation that the kernel has no answer to.
  public struct Relocation: Equatable, Sendable {
    /// What it asks for: "field `task_struct.__state`".
    public let subject: String
    /// The running kernel's release.
    public let kernelRelease: String?
    /// What the kernel has that comes near.
    public let nearMiss: CoreNearMiss
  }

  /// A program that the verifier refused.
  public struct Program: Equatable, Sendable {
    public let name: String
    /// The ELF section.
    public let section: String
    public let error: SystemError
    /// The verifier's own sentence.
    public let reason: String?
    /// What the kernel says about it for people, and suggests (Linux 7.3 and later).
    public var explanation: [String] = []
    public var suggestion: [String] = []
    /// The instruction's index in the linked program, and its text where the log has it.
    public let instruction: String?
    /// `file:line: code`.
    public let source: String?
    /// The kernel function that is called, declared weak, and is not there, when that is why.
    public let absentFunction: String?
    /// The CO-RE relocation that could not be resolved, when that is why.
    public let unresolvedRelocation: Relocation?
    /// A CO-RE record of the program that this kernel does not follow, when that is why: what it asks about, and why not.
    public var beyondKernel: String?
    /// The lockdown mode that forbids a helper, when that is why.
    public let lockdown: LockdownMode?
    /// Capabilities that the verifier's words ask for and the process lacks, when that is why.
    public var missing: [Capability] = []
    /// The log's last 20 lines.
    public let logTail: [String]
    /// The file that holds the whole log; nil when it could not be written.
    public let logPath: String?
  }
}

internal import KernelABI
public import Base
internal import BPFObject
internal import Linux
internal import Signatures

extension BPFLoadError: Diagnosable {
  public var diagnostic: Diagnostic {
    switch self {
    case .object(let error): error.diagnostic
    case .helper(let error): error.diagnostic
    case .objectSignature(let error): error.diagnostic
    case .kernelSignature(let error): error.diagnostic
    case .permitForOtherBytes(let permit, let object):
      Diagnostic(
        "load.permit-mismatch", .integrity, "the permit was given for other bytes than those of the object",
        expected: "\(permit)", found: "\(object)", next: "examine the object and ask the policy again")
    case .noSuchProgram(let name, let available):
      Diagnostic(
        "load.no-such-program", .usage, "there is no program `\(name)` to choose",
        found: available.isEmpty ? "no programs" : available.joined(separator: ", "),
        next: "name one of these programs, or a pattern of names (`handle_*`)")
    case .noMapToSize(let map, let open):
      Diagnostic(
        "load.no-map-to-size", .incomplete, "the object has no map `\(map)` to size",
        expected: "a map whose size the object leaves open",
        found: open.isEmpty ? "no such map" : open.joined(separator: ", "), next: "name one of those, or leave it out")
    case .mapHasSize(let map, let entries):
      Diagnostic(
        "load.map-has-size", .incomplete, "the object says itself how many entries map `\(map)` has",
        expected: "a map whose size the object leaves open", found: "\(entries) entries",
        why: "what the object says is proven or signed with it", next: "leave out --map-entries for this map")
    case .nothingToLoad(let optional):
      Diagnostic(
        "load.nothing", .incomplete, "the object has no program to load",
        found: optional.isEmpty ? nil : "optional programs: \(optional.joined(separator: ", "))",
        why: optional.isEmpty ? nil : "programs in sections that begin with `?` are loaded only when they are named",
        next: optional.first.map { "name the programs to load: --program \($0)" }
          ?? "name an object that has programs: `verity-bpf inspect OBJECT` shows what is in one")
    case .notConfigurable(let object, let found):
      Diagnostic(
        "load.not-configurable", .denied, "`\(object)` is loaded as it is, or not at all",
        expected: "no --program, --without-program, --attach-program, --section-type, --set or --map-entries",
        found: found,
        why: "what the image states is under its root hash as the object is, so no policy allows more",
        next:
          "load it without these options, or build an image that allows it: "
          + "verity-bpf build-image DIR --output IMAGE --configurable GLOB")
    case .missingFuncInfo(let program):
      Diagnostic(
        "load.no-func-info", .invalid, "program `\(program)` has no function information (func_info in .BTF.ext)",
        why: "without it the kernel ignores CO-RE relocations silently, and the program reads wrong fields",
        next: "compile with -g, and do not strip .BTF.ext")
    case .pinNameTwice(let path):
      Diagnostic(
        "load.pin-name-twice", .invalid, "two maps or programs would be pinned as `\(path)`",
        next: "rename one of them in its source, or load without --pin-path")
    case .pinByNameWithoutPath(let map):
      Diagnostic(
        "load.pin-by-name", .incomplete, "map `\(map)` asks to be pinned by name (LIBBPF_PIN_BY_NAME)",
        why: "sharing it with whoever pinned that name before would take contents nobody proved",
        next: "give --pin-path, below which a new map is pinned")
    case .sharedMapDiffers(let map, let path, let wanted, let found):
      Diagnostic(
        "load.shared-map", .incomplete, "map `\(map)` is to be shared by its name, and `\(path)` is of another kind",
        expected: wanted, found: found, next: "remove the old pin, or choose another --pin-path")
    case .notAttachable(let program, let section):
      Diagnostic(
        "load.not-attachable", .usage,
        "program `\(program)` of section `\(section)` cannot be attached by this command",
        expected: "a kind that the kernel attaches by a link, and that names its place itself",
        why: "programs of its kind are attached to a socket, a route, a device or a program by whoever holds that",
        next: "load it with --pin-path and without --attach, and attach the pinned program with a tool of its kind")
    case .badAttachTarget(let program, let section, let expected, let found):
      Diagnostic(
        "load.attach-target", .usage, "program `\(program)` of section `\(section)` cannot be attached to `\(found)`",
        expected: expected, found: "`\(found)`", next: "correct the section's name, or --target")
    case .noAttachPlace(let program, let section, let place, let reason):
      Diagnostic(
        "load.no-attach-place", .unsupported,
        "there is nothing that program `\(program)` of section `\(section)` could be attached to",
        expected: place, found: reason, next: "name a place that is there; nothing of the object stays loaded")
    case .attachNeeds(let program, let section, let option):
      Diagnostic(
        "load.attach-place", .usage, "program `\(program)` of section `\(section)` does not say what to attach it to",
        expected: option, next: "give \(option)")
    case .noSuchSlotTarget(let map, let target):
      Diagnostic(
        "load.no-slot-target", .invalid, "map `\(map)` is to hold `\(target)`, which is not loaded",
        next: "load that program too, or correct the object's source")
    case .noBPF:
      Diagnostic(
        "load.no-bpf", .unsupported, "this kernel has no bpf(2)", expected: "CONFIG_BPF_SYSCALL=y", found: "ENOSYS",
        next: "use a kernel that was built with CONFIG_BPF_SYSCALL=y")
    case .noKernelBTF(let program, let error):
      Diagnostic(
        "load.no-kernel-btf", .unsupported, "program `\(program)` needs the kernel's type information",
        expected: "`\(KernelBTF.path)` (CONFIG_DEBUG_INFO_BTF=y)", found: error.description,
        next: "use a kernel with CONFIG_DEBUG_INFO_BTF=y")
    case .unreadableKernelBTF(let reason):
      Diagnostic(
        "load.kernel-btf", .unsupported, "the kernel's type information in `\(KernelBTF.path)` cannot be read",
        found: reason, next: "use a kernel whose types this build reads, and report this one")
    case .noAttachTarget(let program, let section, let target, let searched):
      Diagnostic(
        "load.no-attach-target", .unsupported,
        "this kernel has nothing that program `\(program)` of section `\(section)` could attach to",
        expected: "`\(target)` in the kernel's type information", found: searched,
        next: "check the section's name; `bpftool btf dump file \(KernelBTF.path) | grep \(target)` shows what is there"
      )
    case .noKernelSymbol(let name, let hasType, let searched):
      Diagnostic(
        "load.no-kernel-symbol", .unsupported, "the object needs `\(name)` of the kernel",
        expected: hasType
          ? "a function or variable in `\(KernelBTF.path)`" : "a symbol in `\(KernelReports.symbolsPath)`",
        found: searched,
        next: "use a kernel that has it, or declare it weak and test for it")
    case .unresolvable(let error):
      error.diagnostic
    case .ambiguousKernelSymbol(let name):
      Diagnostic(
        "load.ambiguous-kernel-symbol", .unsupported, "the kernel has several symbols `\(name)`",
        expected: "one address", found: "different ones in `\(KernelReports.symbolsPath)`",
        next: "declare it with its type, or use another symbol")
    case .hiddenKernelAddresses(let names):
      Diagnostic(
        "load.hidden-addresses", .kernelRefused,
        "the kernel does not tell this process the address of \(names.map { "`\($0)`" }.joined(separator: ", "))",
        expected: "addresses in `\(KernelReports.symbolsPath)`", found: "zeros",
        why: "kernel.kptr_restrict hides them, from everybody when it is 2",
        next: "load with CAP_SYSLOG, or with kernel.kptr_restrict at most 1")
    case .kernelConfiguration(let error):
      Diagnostic(
        "load.kconfig", .unsupported, error.message, expected: error.expected, found: error.found,
        next: error.next)
    case .structOps(let error):
      Diagnostic(
        "load.struct-ops", .unsupported, error.message, expected: error.expected, found: error.found,
        next: error.next)
    case .notKnownToKernel(let subject, let needs, let error):
      Diagnostic(
        "load.unknown-to-kernel", .unsupported, "this kernel does not know what \(subject) asks for",
        expected: needs, found: error.description,
        why: "it gave no reason, as it does for types, flags and attributes newer than itself",
        next:
          "compare what `verity-bpf inspect` says the object needs with what `verity-bpf doctor` says of this kernel")
    case .tooManyInstructions(let subject, let count, let limit):
      Diagnostic(
        "load.too-many-instructions", .kernelRefused, "\(subject) has more instructions than the kernel takes",
        expected: "at most \(limit)", found: "\(count)",
        next: limit == ProgramSize.limit
          ? "divide it into programs that call each other through a BPF_MAP_TYPE_PROG_ARRAY"
          : "load it with CAP_BPF, which allows \(ProgramSize.limit)")
    case .notPermitted(let refusal):
      refusal.diagnostic
    case .btfRefused(let error, let need, let log):
      Diagnostic(
        "load.btf", .kernelRefused, "the kernel refuses the object's type information",
        found: log.split(separator: "\n").last.map { "\($0) (\(error.description))" } ?? error.description,
        why: need.map { "it cannot be left out: \($0)" },
        details: log.split(separator: "\n").suffix(20).map { String($0) }
      ).advised(.init(types: error))
    case .mapRefused(let map, let shape, let error):
      Diagnostic(
        "load.map", .kernelRefused, "the kernel refuses map `\(map)`", found: error.description,
        details: ["asked for \(shape)"]
      ).advised(.init(map: error))
    case .mapWithoutSize(let map, let shape, let error):
      Diagnostic(
        "load.map-without-size", .kernelRefused, "the kernel refuses map `\(map)`, which has no size",
        expected: "a number of entries", found: "\(error.description); the object says 0, or nothing",
        why: "the author leaves it to whoever loads the object", next: "say how many: --map-entries \(map)=N",
        details: ["asked for \(shape)"])
    case .programRefused(let refusal):
      refusal.diagnostic
    case .attachRefused(let program, let section, let place, let error):
      Diagnostic(
        "load.attach", .kernelRefused,
        "the kernel refuses to attach program `\(program)` of section `\(section)`", expected: place,
        found: error.description, details: ["everything that was loaded has been removed again"]
      ).advised(.init(attach: error))
    case .pinRefused(let path, let error):
      Diagnostic(
        "load.pin", .incomplete, "cannot pin `\(path)`", found: error.description,
        details: ["nothing that was pinned before it stays"]
      ).advised(.init(pin: error))
    case .noBPFFileSystem(let path, let mounted):
      Diagnostic(
        "load.pin-path", .incomplete, "cannot pin in `\(path)`",
        expected: "a directory below a mounted BPF file system", found: "no BPF file system is mounted there",
        next: Self.placeForPins(path, mounted))
    case .noSuchPlace(let option, let value, let expected, let found, let next):
      Diagnostic(
        "load.no-such-place", .incomplete, "what \(option) names to attach to is not there: `\(value)`",
        expected: expected, found: found, next: next)
    case .replacesOthers(let path, let isImage, let found):
      Diagnostic(
        "load.replace-not-ours", .incomplete,
        "`\(path)` is not what `load \(isImage ? "--all " : "")--pin-path` leaves of one \(isImage ? "image" : "object"), "
          + "so it is not replaced",
        expected: isImage
          ? "a directory for each object, with prog/, map/ and link/ in it, or nothing"
          : "prog/, map/ and link/ with pins in them, or nothing", found: found,
        next: "look at it (bpftool prog show; find \(path)), or choose another --pin-path")
    case .notReplaceable(let path, let found):
      Diagnostic(
        "load.not-replaceable", .incomplete, "the object that is pinned in `\(path)` cannot be replaced while it runs",
        expected: "links that hold the programs and structures that are pinned beside them", found: found,
        why: "the kernel has no way from the old to the new one without a moment in which none is in place",
        next: "take it away first: verity-bpf unload --pin-path \(path)")
    case .replacedIsAttached(let path, let link):
      Diagnostic(
        "load.replace-attach", .usage,
        "the object that is pinned in `\(path)` is attached, and its successor would not be",
        expected: "--attach, with the options that the first load had", found: "link `\(link)`",
        next: "give --attach (or --attach-program), or take the old object away: verity-bpf unload --pin-path \(path)")
    case .mapDiffers(let map, let path, let expected, let found):
      Diagnostic(
        "load.map-differs", .incomplete,
        "map `\(map)` cannot go on with what is in `\(path)`, which is of another kind",
        expected: expected, found: found, why: "what is in it would be lost, or read as something else",
        next:
          "give --fresh-maps, which makes all maps anew and empty, or load the object elsewhere and copy what is needed"
      )
    case .linkNotMoved(let program, let place, let error):
      Diagnostic(
        "load.link-update", .kernelRefused,
        "the kernel does not give the link on \(place) the new program `\(program)`",
        expected: "a program of the old one's type and attach type, on a link that nothing else has changed",
        found: error.description, why: "nothing was replaced: the old object is in place",
        next: "take the old object away with `unload`, and load the new one without --replace")
    case .exchangeRefused(let path, let error):
      Diagnostic(
        "load.exchange", .incomplete, "the pins in `\(path)` cannot be exchanged", found: error.description,
        why: "nothing was replaced: the old object is in place",
        next: "see that nothing is mounted on it, and that its parent directory may be written to")
    case .unusablePinPath(let path, let reason):
      Diagnostic(
        "load.pin-path", .incomplete, "cannot pin in `\(path)`",
        expected: "a directory below a mounted BPF file system",
        found: reason, next: "choose a directory such as /sys/fs/bpf/VENDOR/OBJECT")
    case .system(let error):
      error.diagnostic
    }
  }
}

extension BPFLoadError {
  /// Where pins can be: in the usual place once something is mounted there, or where a BPF file system is mounted already.
  private static func placeForPins(_ path: String, _ mounted: [String]) -> String {
    let isUsual = path.split(separator: "/").starts(with: ["sys", "fs", "bpf"])
    guard let place = mounted.first, !isUsual else {
      return "mount one, and load again: mount -t bpf bpf /sys/fs/bpf"
    }
    return "choose a directory below `\(place)`, where one is mounted"
  }
}

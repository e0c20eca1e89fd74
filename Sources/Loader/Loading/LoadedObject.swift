public import BPFObject
public import KernelABI
public import Linux

/// A program in the kernel.
public struct LoadedProgram: Sendable {
  /// The function's name in the object.
  public let name: String
  /// The ELF section.
  public let section: String
  /// The kernel's number for it.
  public let id: UInt32
  /// `enum bpf_prog_type`.
  public let type: UInt32
  /// What it was loaded for.
  public let expectedAttachType: AttachType
  /// What stands after the slash in the section's name: a tracepoint's name, for example.
  public let target: String
  /// Eight bytes of the kernel's hash over the instructions after CO-RE relocation.
  public let tag: [UInt8]
  /// When the kernel loaded it, nanoseconds since boot.
  public let loadTime: UInt64
  /// Where it is pinned.
  public let pin: String?
  /// Keeps the program alive.
  public let object: KernelObject
}

/// A map in the kernel.
public struct LoadedMap: Sendable {
  /// The name in the object.
  public let name: String
  /// The kernel's number for it.
  public let id: UInt32
  /// `enum bpf_map_type`.
  public let type: UInt32
  /// Where it is pinned.
  public let pin: String?
  /// Keeps the map alive.
  public let object: KernelObject
}

/// A program attached to its target, or a structure of functions that is registered through a link.
public struct LoadedLink: Sendable {
  /// The name in the object of the program, or of the structure of functions.
  public let program: String
  /// What it is attached to, in words: `interface eth0 (xdp)`, `tracepoint sched/sched_switch`.
  public let place: String
  /// Where it is pinned.
  public let pin: String?
  /// Keeps the program attached.
  public let object: KernelObject
}

/// An object's programs and maps in the kernel, with the pins that hold them.
///
/// When this value goes without ``commit()``, its pins are removed again; programs and maps that nothing else holds
/// (no pin, no link that is held elsewhere) are then unloaded by the kernel.
public struct LoadedObject: ~Copyable {
  /// In the order of the object.
  public let programs: [LoadedProgram]
  /// In the order of the object, structures of functions (struct_ops) last.
  public let maps: [LoadedMap]
  /// In the order of the programs; empty when nothing was to be attached.
  public let links: [LoadedLink]
  /// Structures of functions that are registered without a link, by name: until they are deleted from their maps.
  public var registered: [String] { registrations.names }
  /// The keys with which the kernel checked the signature of every program; nil when it was not asked to.
  public internal(set) var verifiedBy: KernelKeyring?
  /// What the kernel was given of the object's types.
  public let types: SubmittedTypes
  /// What becomes of the object whose place this one takes; nil where it takes none.
  public private(set) var replaced: ReplacedObject?
  private var replacement: Replacement?
  private var pins: PinnedPaths
  private var registrations: Registrations

  init(
    programs: [LoadedProgram], maps: [LoadedMap], links: [LoadedLink], types: SubmittedTypes,
    pins: consuming PinnedPaths,
    registrations: consuming Registrations, replacement: consuming Replacement? = nil, replaced: ReplacedObject? = nil
  ) {
    self.programs = programs
    self.maps = maps
    self.links = links
    self.types = types
    verifiedBy = nil
    self.pins = pins
    self.registrations = registrations
    self.replacement = replacement
    self.replaced = replaced
  }

  /// Takes the place of the object that is pinned where this one is to be; nothing where it is to take none.
  ///
  /// - Throws: ``BPFLoadError``; then everything is as it was.
  public mutating func takePlace() throws(BPFLoadError) { try replacement?.takePlace() }

  /// Puts the object back whose place was taken.
  public mutating func giveBack() { replacement?.giveBack() }

  /// From now on the pins stay when this value goes, and with them what was registered through a pinned map.
  public mutating func commit() {
    pins.keep()
    if maps.contains(where: { $0.pin != nil }) { registrations.keep() }
    if let remaining = replacement?.keep(), !remaining.isEmpty {
      replaced?.remaining = remaining
      replaced?.remainingPath = replacement?.staging
    }
  }
}

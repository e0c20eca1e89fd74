public import Base

extension Manifest {
  /// One object of a load list: what `load --all` does with it. The members are those of the options of `load`.
  public struct LoadEntry: Equatable, Sendable {
    /// The object's path in the image.
    public var object: String
    /// Names of the only programs to load, or patterns of them; empty for all that are not optional.
    public var programs: [String] = []
    /// Those that are left out of these.
    public var withoutPrograms: [String] = []
    /// Names or patterns of the programs to attach; nil attaches none.
    public var attach: [String]?
    /// The interface, the cgroup's directory, and what a section leaves open.
    public var interface: String?
    public var cgroup: String?
    public var target: String?
    /// The name of its directory of pins.
    public var pin: String
    /// The sizes of maps that the object leaves open.
    public var mapEntries: [MapSize] = []

    /// How many entries a map gets.
    public struct MapSize: Equatable, Sendable {
      public let map: String
      public let entries: UInt32

      public init(map: String, entries: UInt32) {
        self.map = map
        self.entries = entries
      }
    }

    /// Loads an object without attaching it, under its own name.
    public init(object: String) {
      self.object = object
      pin = Self.pin(of: object)
    }

    /// The name of the directory of pins that an object has by itself: its file name without `.bpf.o` or `.o`. The BPF file
    /// system refuses names with dots, so they become underscores.
    public static func pin(of path: String) -> String {
      var name = (path.split(separator: "/").last ?? "")[...]
      for suffix in [".o", ".bpf"] where name.hasSuffix(suffix) && name.utf8.count > suffix.utf8.count {
        name.removeLast(suffix.utf8.count)
      }
      return String(name.prefix(maximumPinBytes).map { $0 == "." ? "_" : $0 })
    }

    /// Bytes of a name in a BPF file system (NAME_MAX).
    static let maximumPinBytes = 255
  }
}

extension Manifest.LoadEntry {
  /// The entry as JSON; what it leaves to the object is left out.
  public var json: JSONValue {
    func list(_ name: String, _ texts: [String]) -> [JSONValue.Member] {
      texts.isEmpty ? [] : [.init(name, .array(texts.map { .string($0) }))]
    }
    func text(_ name: String, _ text: String?) -> [JSONValue.Member] { text.map { [.init(name, .string($0))] } ?? [] }
    var members: [JSONValue.Member] = [.init("object", .string(object))]
    members += list("programs", programs) + list("without_programs", withoutPrograms) + list("attach", attach ?? [])
    members += text("interface", interface) + text("cgroup", cgroup) + text("target", target)
    members += text("pin", pin == Self.pin(of: object) ? nil : pin)
    if !mapEntries.isEmpty {
      members.append(
        .init(
          "map_entries",
          .array(mapEntries.map { ["map": .string($0.map), "entries": .integer(Int64($0.entries))] })))
    }
    return .object(members)
  }
}

public import Loader
public import Base

/// A program and what it is attached to, or a structure of functions that is registered: for records and answers.
public struct LoadedAttachment: Equatable, Sendable {
  /// The name in the object.
  public let program: String
  /// In words: `interface eth0 (xdp)`.
  public let place: String
  /// Where its link is pinned, or the map through which it is registered; nil when it goes with the process.
  public let pin: String?

  /// One form for the audit record and for what commands print.
  public var json: JSONValue {
    ["program": .string(program), "place": .string(place), "pin": .optional(pin)]
  }
}

extension LoadedObject {
  /// Everything that was attached or registered.
  public var attachments: [LoadedAttachment] {
    let linked = links.map { LoadedAttachment(program: $0.program, place: $0.place, pin: $0.pin) }
    let byMap = registered.map { name in
      LoadedAttachment(program: name, place: "struct_ops", pin: maps.last { $0.name == name }?.pin)
    }
    return linked + byMap
  }

  /// Every path that holds something of it: programs, maps, links.
  public var pinnedPaths: [String] {
    programs.compactMap(\.pin) + maps.compactMap(\.pin) + links.compactMap(\.pin)
  }
}

extension AdmissionOutcome {
  /// What is attached now; nothing when nothing was loaded.
  public var attachments: [LoadedAttachment] {
    switch loaded {
    case .some(let object): object.attachments
    case .none: []
    }
  }

  /// Where it is pinned; nowhere when nothing was loaded.
  public var pinnedPaths: [String] {
    switch loaded {
    case .some(let object): object.pinnedPaths
    case .none: []
    }
  }
}

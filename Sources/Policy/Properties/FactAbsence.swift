/// What the fact of a property looks like where the evidence for it is missing.
///
/// The caller of a load chooses much of what is known: a signature beside an image can be taken away, a volume can be
/// opened otherwise, a file can be copied to where nothing vouches for it. What is gained by that is decided here, for each
/// property: a DENY rule fails only by evidence that is there, and an ALLOW rule holds only by such.
enum FactAbsence: Sendable {
  /// It cannot be missing: it follows from the object's bytes, or the kernel says it of the process that asks.
  case impossible
  /// It is what is judged, so that there always is one. Facts without it are an example of another object.
  case given
  /// It is not known.
  case unknown
  /// It has one of these values, as it would where there is nothing to be found.
  case values([PropertyValue])
  /// It is a set, and has fewer members.
  case fewer
}

/// Why no rule allows by what a volume says of itself.
public enum VolumeDoubt: String, Sendable, CaseIterable {
  /// The kernel hands out blocks that do not verify.
  case ignoresCorruption = "ignores-corruption"
  /// The kernel has seen a block that does not verify.
  case corruptionSeen = "corruption-seen"
  /// The kernel does not check again what it has read once.
  case checksAtMostOnce = "checks-at-most-once"
  /// It is not known which device the file system is on.
  case deviceUnknown = "device-unknown"

  /// For messages, after "because".
  public var reason: String {
    switch self {
    case .ignoresCorruption: "its table hands out blocks that do not verify (ignore_corruption)"
    case .corruptionSeen: "the kernel has seen a block that does not verify"
    case .checksAtMostOnce: "its table checks each block once and never again (check_at_most_once)"
    case .deviceUnknown: "it is not known which device it is on"
    }
  }
}

extension PropertyName {
  /// Whether it is about the volume or image that holds the object: while there is a doubt about that, no rule allows by it.
  public var isAboutVolume: Bool { entry.isAboutVolume }

  /// Whether a rule that asks for it can be passed by who leaves evidence out, were it not for ``FactAbsence``.
  public var canBeMissing: Bool {
    switch entry.absence {
    case .impossible, .given: false
    case .unknown, .values, .fewer: true
    }
  }

  /// Whether facts without it are of another object, and nothing is missing.
  var isGiven: Bool {
    switch entry.absence {
    case .given: true
    case .impossible, .unknown, .values, .fewer: false
    }
  }

  /// Whether the fact is a set, to which evidence adds.
  public var isSet: Bool {
    switch entry.absence {
    case .fewer: true
    case .impossible, .given, .unknown, .values: false
    }
  }

  /// Whether a property of this name that holds for a DENY rule holds for an ALLOW rule too, and the other way round,
  /// whatever the facts are.
  public var isAlikeForAllRules: Bool { !canBeMissing && !isAboutVolume && entry.isVoid == nil }
}

extension PolicyDocument.Property {
  /// Whether the value is one that the fact has where evidence is missing.
  public var asksForAbsence: Bool {
    switch name.entry.absence {
    case .values(let values): values.contains(value)
    case .impossible, .given, .unknown, .fewer: false
    }
  }
}

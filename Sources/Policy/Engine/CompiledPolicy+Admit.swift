public import Base

/// An ALLOW, good for exactly one object.
///
/// Only ``CompiledPolicy/admit(_:objectDigest:)`` makes one, out of a decision. The caller that acts on it consumes it
/// and checks ``objectDigest``.
public struct Permit: ~Copyable {
  /// SHA-256 of the bytes the decision was about.
  public let objectDigest: Digest

  fileprivate init(objectDigest: Digest) { self.objectDigest = objectDigest }
}

/// What came of asking for a permit.
public enum Verdict: ~Copyable {
  /// The object may be loaded: every program of it is allowed, or denied on paper only.
  case allow(Permit, Ruling)
  /// It may not.
  case deny(Ruling)
}

/// The decisions about all programs of one object.
public struct Ruling: Sendable {
  /// The first denial that is enforced; without one, the first that is recorded, or else the first decision.
  public let deciding: Decision
  /// Which program that decision is about, as its place in the list that was asked for; nil for an empty list.
  public let program: Int?
  /// One decision a program, in the order asked for.
  public let decisions: [Decision]

  /// Whether a program was denied, be it only on paper.
  public var hasDenial: Bool { deciding.action == .deny }

  /// Whether the object may be loaded: there are programs, and each of them is allowed, or denied on paper only.
  public var lets: Bool { !decisions.isEmpty && decisions.allSatisfy { $0.lets } }
}

extension CompiledPolicy {
  /// Decides about an object, and mints the permit to load it.
  ///
  /// This is the only place where a ``Permit`` is born. Each program is judged by its own facts, and one denial denies
  /// the object: rules about program types could be evaded otherwise by packing programs together.
  ///
  /// - Parameters:
  ///   - programs: the facts about each program of the object. An empty list is denied.
  ///   - objectDigest: SHA-256 of the object's bytes; the permit is good for these only. Facts that name another
  ///     object are denied.
  public func admit(_ programs: [Facts], objectDigest: Digest) -> Verdict {
    let ruling = ruling(on: programs, objectDigest: objectDigest)
    return ruling.lets ? .allow(Permit(objectDigest: objectDigest), ruling) : .deny(ruling)
  }

  /// The same decisions without a permit, which a policy that only watches is not to give.
  public func ruling(on programs: [Facts], objectDigest: Digest) -> Ruling {
    let literal = DigestLiteral(objectDigest)
    var decisions: [Decision] = []
    for var facts in programs {
      if dialect == .kernel || facts.operation != .bpfProgLoad {
        decisions.append(refusal(.otherDialect))
      } else if let named = facts.object, named != literal {
        decisions.append(refusal(.otherObject))
      } else {
        facts.object = literal
        decisions.append(decide(facts))
      }
    }
    // What is refused comes before what is only recorded.
    let denied = decisions.firstIndex { !$0.lets } ?? decisions.firstIndex { $0.action == .deny }
    let program = denied ?? decisions.indices.first
    return Ruling(
      deciding: program.map { decisions[$0] } ?? refusal(.nothingToJudge), program: program, decisions: decisions)
  }

  /// A denial that no line of the policy says and no permissive mode lifts.
  private func refusal(_ reason: Decision.Reason) -> Decision {
    Decision(action: .deny, enforcing: true, reason: reason, statements: statements)
  }
}

public import Base
internal import Policy

extension Replay.Answer {
  /// `verity-bpf/policy-replay/1`: one object a record.
  ///
  /// - Parameter log: the file that the record stands in.
  public func json(log: String) -> JSONValue {
    .object(
      [
        .init("schema", "verity-bpf/policy-replay/1"), .init("log", .string(log)), .init("line", .integer(Int64(line))),
        .init("record", .optional(origin.stamp?.description)), .init("time", .optional(origin.time)),
        .init("event", .optional(origin.event)), .init("op", .string(operation)), .init("path", .optional(path)),
        .init("recorded", ["decision": .string(recorded.rawValue.lowercased()), "rule": .string(recordedRule)]),
        .init("decision", .string(replayed?.rawValue.lowercased() ?? "unknown")),
        .init(
          "rule",
          rule.map { ["line": .integer(Int64($0.line)), "text": .string($0.canonicalText)] } ?? .null),
        .init("changed", changes.map { .bool($0) } ?? .null),
      ] + (shadow.map { [.init("shadow_decision", .string($0))] } ?? []))
  }
}

/// What was found in logs, and what became of it.
public struct ReplayCounts: Equatable, Sendable {
  /// Lines of the logs.
  public var lines = 0
  /// Records whose decision another policy changes.
  public var changed = 0
  /// Records whose decision stays.
  public var same = 0
  /// Records whose decision hangs on what they do not say.
  public var open = 0
  /// Records that hold no decision, by what they are of.
  public var undecided: [Replay.Undecided: Int] = [:]
  /// Records of policies, and of loads whose decision is a record of its own.
  public var others = 0
  /// Places that look like a record and cannot be read.
  public var unreadable = 0
  /// Records that a shadow policy decided too.
  public var shadowed = 0
  /// Those of them that it decided otherwise.
  public var shadowDiffers = 0

  public init() {}

  /// Records with a decision.
  public var decisions: Int { changed + same + open }

  /// Records that were read, with a decision or without.
  public var records: Int { decisions + others + undecided.values.reduce(0, +) }

  public mutating func count(_ entry: Replay.Entry) {
    switch entry {
    case .answer(let answer):
      if let differs = answer.shadowDiffers {
        shadowed += 1
        if differs { shadowDiffers += 1 }
      }
      switch answer.changes {
      case true?: changed += 1
      case false?: same += 1
      case nil: open += 1
      }
    case .undecided(let kind): undecided[kind, default: 0] += 1
    case .withoutDecision: others += 1
    case .damaged: unreadable += 1
    }
  }

  /// The last object of `verity-bpf/policy-replay/1`.
  public var json: JSONValue {
    func number(_ count: Int) -> JSONValue { .integer(Int64(count)) }
    var without = Replay.Undecided.allCases.map { JSONValue.Member($0.rawValue, number(undecided[$0] ?? 0)) }
    without.append(.init("other", number(others)))
    return [
      "schema": "verity-bpf/policy-replay/1",
      "counts": [
        "lines": number(lines), "records": number(records), "decisions": number(decisions),
        "changed": number(changed), "same": number(same), "unknown": number(open),
        "without_decision": .object(without), "unreadable": number(unreadable),
        "shadow": number(shadowed), "shadow_differs": number(shadowDiffers),
      ],
    ]
  }
}

public import Base

/// When a record was written and which event it is of, as far as the form of its log says so.
public struct RecordOrigin: Hashable, Sendable {
  /// Both, as the kernel counts them.
  public var stamp: AuditStamp?
  /// The time: RFC 3339 where it is known with its zone, otherwise in the words of the log.
  public var time: String?
  /// The event's number, or its name in the records of this program.
  public var event: String?

  public init(stamp: AuditStamp? = nil, time: String? = nil, event: String? = nil) {
    self.stamp = stamp
    self.time = time ?? stamp?.time
    self.event = event ?? stamp.map { String($0.serial) }
  }
}

extension AuditStamp {
  /// `2026-11-22T16:46:52.940Z`; nil for a number that is no date of this age.
  var time: String? {
    guard seconds < 1 << 40 else { return nil }
    return RFC3339.text(seconds: Int64(seconds), milliseconds: Int64(min(milliseconds, 999)))
  }
}

/// What one place of a log says.
public enum LoggedItem: Sendable, Equatable {
  case record(RecordOrigin, LoggedRecord)
  /// It looks like a record of IPE or of this program, and cannot be read; the text says why.
  case unreadable(String)
}

/// A record of a log, whatever form the log has.
public enum LoggedRecord: Sendable, Equatable {
  /// In the kernel's form, or in one that says the same fields.
  case text(AuditRecord)
  /// A line of `audit.jsonl`.
  case own(JSONValue)
  /// A record of IPE or of this program that holds no decision, of this type, whose fields the form does not say whole.
  case withoutDecision(type: Int)
}

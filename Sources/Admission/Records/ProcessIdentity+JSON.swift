internal import Base
internal import Linux

extension ProcessIdentity {
  /// `requester` of a record.
  var json: JSONValue {
    [
      "pid": .integer(Int64(pid)), "start_time": startTime.map { .unsigned($0) } ?? .null, "uid": .integer(Int64(uid)),
      "gid": .integer(Int64(gid)), "auid": auditUID.map { .integer(Int64($0)) } ?? nil,
      "comm": .string(String(decoding: command, as: UTF8.self)), "exe": .optional(executable),
    ]
  }
}

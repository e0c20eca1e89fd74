import BPFAnalysis
import BPFObject
import Base
import LinkProtocol

/// Both directions of the protocol between a loader and its linking helper: a request's or an answer's frame, what follows it,
/// and the object that it is about. An input is the answer's length in two bytes, the answer, and the object.
enum LinkTarget {
  static func check(_ bytes: [UInt8]) throws(BrokenPromise) -> Bool {
    if let request = try? LinkRequest(frame: bytes.rawSpan) {
      try require(
        request.frame == Array(bytes.prefix(LinkRequest.frameSize)), "a request that is read is written the same")
    }
    let lengthBytes = 2
    guard bytes.count > lengthBytes else { return false }
    let length = Int(bytes[0]) | Int(bytes[1]) << 8
    let message = Array(bytes.dropFirst(lengthBytes).prefix(length))
    let object = Array(bytes.dropFirst(lengthBytes + length))
    guard let head = try? LinkAnswer.Head(frame: message.rawSpan) else { return false }
    let frame = Array(message.prefix(LinkAnswer.Head.frameSize))
    try require(head.frame == frame, "an answer's head that is read is written the same")
    let body = Array(message.dropFirst(frame.count))
    guard let answer = try? LinkAnswer(body: body.rawSpan, after: head) else { return false }
    try require(answer.body == body, "an answer that is read is written the same")
    return try check(answer, of: object)
  }

  /// Of all answers for an object one set of edits is taken, and the object is linked by it as in one process.
  private static func check(_ answer: LinkAnswer, of object: [UInt8]) throws(BrokenPromise) -> Bool {
    guard let tables = try? ObjectTables(object.rawSpan, objectName: "fuzz.bpf.o"), tables.outside == nil else {
      return false
    }
    guard let checked = try? CheckedEdits(answer, object: object.rawSpan, layout: tables.layout) else { return false }
    guard let linked = try? tables.link(checked) else { return false }
    guard case .edits(let truth) = HelperAnswer(object.rawSpan) else { return true }
    try require(answer.edits == truth.edits, "one set of edits is taken for an object")
    let own = try keep("an object with edits links in one process") { () throws(BPFObjectError) in
      try BPFObject.link(bytes: object.rawSpan, objectName: "fuzz.bpf.o", allowsExterns: true)
    }
    try require(linked.programs == own.programs, "edits make the same programs")
    try require(linked.btf == own.btf && linked.license == own.license, "edits leave types and license as they are")
    try require(linked.maps.map(\.name) == own.maps.map(\.name), "edits leave the maps' names as they are")
    return true
  }
}

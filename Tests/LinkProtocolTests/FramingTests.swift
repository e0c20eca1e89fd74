import Base
import LinkProtocol
import Testing

@Suite struct FramingTests {
  let object = SampleObject()

  @Test func aRequestIsReadAsWritten() throws {
    let request = LinkRequest(sequence: 7, byteCount: LinkLimits.objectBytes, release: "0.1.0")
    #expect(request.frame.count == LinkRequest.frameSize)
    #expect(try LinkRequest(frame: request.frame.rawSpan) == request)
  }

  @Test func anAnswerIsReadAsWritten() throws {
    let head = object.answer.head(sequence: 9, release: "0.1.0")
    #expect(head.frame.count == LinkAnswer.Head.frameSize)
    let read = try LinkAnswer.Head(frame: head.frame.rawSpan)
    #expect(read == head)
    #expect(read.bodySize == object.answer.body.count)
    #expect(try LinkAnswer(body: object.answer.body.rawSpan, after: read) == object.answer)
    for verdict: LinkAnswer.Head.Verdict in [.refused(check: 3), .otherRelease]
      + LinkFeature.allCases.map({ .outside($0) })
    {
      let head = LinkAnswer.Head(sequence: 1, release: "0.1.0", verdict: verdict)
      #expect(try LinkAnswer.Head(frame: head.frame.rawSpan) == head)
      #expect(head.bodySize == 0)
      #expect(try LinkAnswer(body: [UInt8]().rawSpan, after: head) == nil)
    }
  }

  @Test func aMessageCutAnywhereIsRefused() {
    let request = LinkRequest(sequence: 1, byteCount: 64, release: "0.1.0").frame
    for count in 0..<request.count {
      #expect(throws: LinkViolation.self) { try LinkRequest(frame: Array(request.prefix(count)).rawSpan) }
    }
    let head = object.answer.head(sequence: 1, release: "0.1.0")
    for count in 0..<head.frame.count {
      #expect(throws: LinkViolation.self) { try LinkAnswer.Head(frame: Array(head.frame.prefix(count)).rawSpan) }
    }
    let body = object.answer.body
    for count in 0..<body.count {
      #expect(throws: LinkViolation.self) {
        try LinkAnswer(body: Array(body.prefix(count)).rawSpan, after: head)
      }
    }
    #expect(throws: LinkViolation.self) { try LinkAnswer(body: (body + body).rawSpan, after: head) }
    #expect(throws: LinkViolation.self) { try LinkAnswer(body: (body + [0]).rawSpan, after: head) }
  }

  /// Each bit of an answer: what is taken all the same says the same of every instruction.
  @Test func aChangedBitChangesNoInstruction() throws {
    let head = object.answer.head(sequence: 1, release: "0.1.0")
    let body = object.answer.body
    let edits = object.answer.edits
    for bit in 0..<body.count * 8 {
      var changed = body
      changed[bit / 8] ^= 1 << (bit % 8)
      guard let answer = try? LinkAnswer(body: changed.rawSpan, after: head), object.rule(of: answer) == nil else {
        continue
      }
      #expect(answer.edits == edits, "bit \(bit)")
    }
    for bit in 0..<head.frame.count * 8 {
      var changed = head.frame
      changed[bit / 8] ^= 1 << (bit % 8)
      guard let other = try? LinkAnswer.Head(frame: changed.rawSpan) else { continue }
      #expect(other != head, "bit \(bit) means nothing, and was passed over")
    }
  }

  @Test func whatIsAnnouncedHasLimits() {
    var request = LinkRequest(sequence: 1, byteCount: 0, release: "0.1.0").frame
    for size in [UInt64(LinkLimits.objectBytes + 1), .max] {
      request.storeLittleEndian(size, at: 24)
      #expect(rule { () throws(LinkViolation) in _ = try LinkRequest(frame: request.rawSpan) } == .tooLarge)
    }
    for (field, limit) in [(40, LinkLimits.edits), (44, LinkLimits.maps), (48, LinkLimits.programs)] {
      for count in [UInt32(limit + 1), .max] {
        var frame = object.answer.head(sequence: 1, release: "0.1.0").frame
        frame.storeLittleEndian(count, at: field)
        #expect(rule { () throws(LinkViolation) in _ = try LinkAnswer.Head(frame: frame.rawSpan) } == .tooLarge)
      }
    }
  }

  @Test func otherFramesAreRefused() {
    let frame = object.answer.head(sequence: 1, release: "0.1.0").frame
    #expect(rule { () throws(LinkViolation) in _ = try LinkRequest(frame: frame.rawSpan) } == .magic)
    for (offset, value, broken): (Int, UInt32, LinkViolation.Rule) in [
      (8, 2, .version), (12, 5, .reservedBits), (12, 0, .reservedBits), (52, 1, .reservedBits), (56, 1, .reservedBits),
      (24, 0x0a41_4141, .unknownWord),
    ] {
      var changed = frame
      changed.storeLittleEndian(value, at: offset)
      #expect(rule { () throws(LinkViolation) in _ = try LinkAnswer.Head(frame: changed.rawSpan) } == broken)
    }
    var outside = LinkAnswer.Head(sequence: 1, release: "0.1.0", verdict: .outside(.structOps)).frame
    outside.storeLittleEndian(UInt32(LinkFeature.allCases.count + 1), at: 52)
    #expect(rule { () throws(LinkViolation) in _ = try LinkAnswer.Head(frame: outside.rawSpan) } == .unknownWord)
    outside.storeLittleEndian(UInt32(5), at: 12)
    #expect(rule { () throws(LinkViolation) in _ = try LinkAnswer.Head(frame: outside.rawSpan) } == .unknownWord)
  }

  @Test func everyViolationIsExplained() {
    let violation = LinkViolation(.order, "the edits are in disorder", expected: "order", found: "none")
    #expect(violation.diagnostic.code == "helper.protocol")
    #expect(violation.diagnostic.isSuspicious)
    #expect(violation.diagnostic.next != nil)
    #expect(violation.description.contains("order"))
  }

  private func rule(_ body: () throws(LinkViolation) -> Void) -> LinkViolation.Rule? {
    do throws(LinkViolation) {
      try body()
      return nil
    } catch {
      return error.rule
    }
  }
}

internal import BPFAnalysis
internal import BPFObject
internal import Base
public import LinkProtocol
internal import Linux

/// A linking helper and what it was asked so far: one process for the objects of one volume.
///
/// An object that takes the helper over could have it lie about those that come after it. Nothing that it says of
/// instructions is believed without a look (``LinkProtocol/CheckedEdits``), but what a map is like it alone has read; so
/// objects from elsewhere get another process.
public struct LinkHelper: ~Copyable, Sendable {
  private let executable: OwnedFD
  private var process: HelperProcess?
  /// What the objects of the process have in common; nil for one that shares with none.
  private var volume: [UInt8]?
  private var sequence: UInt64 = 0

  /// Finds the helper's executable. It is started for the first object.
  public init() throws(LinkHelperError) { executable = try HelperExecutable.open() }

  /// For tests: another executable.
  init(executable: consuming OwnedFD) { self.executable = executable }

  /// Has an object linked.
  ///
  /// - Parameters:
  ///   - bytes: the object's verified bytes.
  ///   - volume: what vouches for them; nil when that is nothing that other objects have too.
  /// - Returns: the object as its own bytes and checked edits make it, and what the helper says of its programs.
  mutating func link(
    _ bytes: RawSpan, objectName: String, volume: [UInt8]?
  ) throws(BPFLoadError) -> (object: LinkedObject, claims: LinkClaims) {
    let tables: ObjectTables
    do throws(BPFObjectError) {
      tables = try ObjectTables(bytes, objectName: objectName)
    } catch {
      throw .object(error)
    }
    if let feature = tables.outside { throw .helper(.outside(feature)) }
    let edits: CheckedEdits
    do throws(LinkHelperError) {
      edits = try ask(bytes, tables.layout, volume: volume)
    } catch {
      throw .helper(error)
    }
    do throws(BPFObjectError) {
      let object = try tables.link(edits)
      return (object, LinkClaims(tables.claims(of: edits)))
    } catch {
      throw .object(error)
    }
  }

  private mutating func ask(
    _ bytes: RawSpan, _ layout: ObjectLayout, volume: [UInt8]?
  ) throws(LinkHelperError) -> CheckedEdits {
    if volume == nil || volume != self.volume { process = nil }
    self.volume = volume
    do throws(LinkHelperError) {
      let answer = try exchange(bytes)
      do throws(LinkViolation) {
        return try CheckedEdits(answer, object: bytes, layout: layout)
      } catch {
        throw LinkHelperError.violation(error)
      }
    } catch {
      // It may have been the object's doing: nothing of it lives on.
      process = nil
      throw error
    }
  }

  private mutating func exchange(_ bytes: RawSpan) throws(LinkHelperError) -> LinkAnswer {
    let running: HelperProcess
    if let process = process.take() {
      running = process
    } else {
      do throws(SystemError) {
        running = try HelperProcess(executable: executable)
      } catch {
        throw .notStarted(path: HelperExecutable.name, error)
      }
    }
    sequence += 1
    switch Self.exchange(bytes, sequence, running) {
    case .success(let answer):
      process = consume running
      return answer
    case .failure(.process(let failure)): throw Self.explain(failure, running.end())
    case .failure(.helper(let error)): throw error
    }
  }

  /// Why an exchange came to nothing: the process, or what it said.
  private enum ExchangeFailure: Error {
    case process(HelperProcess.Failure)
    case helper(LinkHelperError)
  }

  private static func exchange(
    _ bytes: RawSpan, _ sequence: UInt64, _ helper: borrowing HelperProcess
  ) -> Result<LinkAnswer, ExchangeFailure> {
    do throws(HelperProcess.Failure) {
      guard try helper.isSilent() else {
        return violation(LinkViolation(.surplus, "it says something that it was not asked for"))
      }
      let request = LinkRequest(sequence: sequence, byteCount: bytes.byteCount, release: Release.current)
      let time = Allowance(milliseconds: LinkLimits.answerMilliseconds)
      try helper.send(request.frame.rawSpan, within: time)
      try helper.send(bytes, within: time)
      let frame = try helper.receive(LinkAnswer.Head.frameSize, within: time)
      let head: LinkAnswer.Head
      do throws(LinkViolation) {
        head = try LinkAnswer.Head(frame: frame.rawSpan)
      } catch {
        return violation(error)
      }
      guard head.sequence == sequence else {
        return violation(
          LinkViolation(
            .sequence, "it answers another request", expected: "request \(sequence)", found: "\(head.sequence)"))
      }
      let body = try helper.receive(head.bodySize, within: time)
      guard try helper.isSilent() else {
        return violation(LinkViolation(.surplus, "it says more than its answer"))
      }
      return read(body, after: head)
    } catch {
      return .failure(.process(error))
    }
  }

  private static func read(_ body: [UInt8], after head: LinkAnswer.Head) -> Result<LinkAnswer, ExchangeFailure> {
    switch head.verdict {
    case .edits: break
    case .otherRelease: return .failure(.helper(.otherRelease(found: head.release)))
    case .outside(let feature): return .failure(.helper(.outside(feature)))
    case .refused(let number):
      guard let check = BPFObjectError.Check(number: number) else {
        return violation(LinkViolation(.unknownWord, "it refuses the object by a check that does not exist"))
      }
      return .failure(.helper(.refused(check)))
    }
    guard head.release == Release.current else { return .failure(.helper(.otherRelease(found: head.release))) }
    do throws(LinkViolation) {
      guard let answer = try LinkAnswer(body: body.rawSpan, after: head) else {
        return violation(LinkViolation(.unknownWord, "it answers without edits"))
      }
      return .success(answer)
    } catch {
      return violation(error)
    }
  }

  private static func violation(_ violation: LinkViolation) -> Result<LinkAnswer, ExchangeFailure> {
    .failure(.helper(.violation(violation)))
  }

  /// - Parameter signal: what ended the process; 0 when it ended by itself.
  private static func explain(_ failure: HelperProcess.Failure, _ signal: Int32) -> LinkHelperError {
    switch failure {
    case .system(let error): .notStarted(path: HelperExecutable.name, error)
    case .silence:
      .violation(
        LinkViolation(
          .silence, "it did not answer", expected: "an answer within \(LinkLimits.answerMilliseconds / 1000) seconds"))
    case .ended:
      .violation(
        LinkViolation(
          .ended, "it ended before it had answered", expected: "an answer",
          found: signal == 0 ? "its end" : SignalResponse.name(signal)))
    }
  }
}

/// What a helper says of programs for which it has read their types, by the programs' names.
public struct LinkClaims: Sendable {
  private let claims: [String: ProgramClaim]

  init(_ claims: [String: ProgramClaim]) { self.claims = claims }

  /// What it says of a program; nil when it says nothing.
  public func claim(about program: String) -> ProgramClaim? { claims[program] }
}

import BPFAnalysis
import Base
import LinkProtocol
import Linux

/// The linking helper: reads objects from a pipe and answers with edits. It has nothing else: see ``Linux/Sandbox``.
@main
enum LinkingHelper {
  /// sysexits.h
  private enum Status {
    static let usage: Int32 = 64
    static let protocolError: Int32 = 76
    static let system: Int32 = 71
  }

  static func main() {
    // Where the processor has no SHA extensions, the digests of the analysis are OpenSSL's, which is opened when it is first
    // needed: while there still are files.
    _ = try? Digest.of([UInt8]().rawSpan)
    // Before the first byte is read. Nothing that fails here can be said but by the way it ends.
    if let failure = Sandbox.enter() {
      if failure.step == .pipes {
        try? StandardStream.error.write("verity-bpf-link is started by verity-bpf, and does nothing by itself\n")
        ProcessImage.end(Status.usage)
      }
      ProcessImage.end(Status.system)
    }
    let input = OwnedFD(adopting: 0)
    let output = OwnedFD(adopting: 1)
    do {
      while let frame = try read(LinkRequest.frameSize, from: input, mayEnd: true) {
        let request = try LinkRequest(frame: frame.rawSpan)
        guard let object = try read(request.byteCount, from: input, mayEnd: false) else { break }
        try answer(request, object, output)
      }
    } catch is LinkViolation {
      ProcessImage.end(Status.protocolError)
    } catch {
      ProcessImage.end(Status.system)
    }
    ProcessImage.end(0)
  }

  private static func answer(
    _ request: LinkRequest, _ object: [UInt8], _ output: borrowing OwnedFD
  ) throws(SystemError) {
    guard request.release == Release.current else {
      let head = LinkAnswer.Head(sequence: request.sequence, release: Release.current, verdict: .otherRelease)
      return try output.writeAll(head.frame.rawSpan)
    }
    let answer = HelperAnswer(object.rawSpan)
    let message = answer.head(sequence: request.sequence, release: Release.current).frame + answer.body
    try output.writeAll(message.rawSpan)
  }

  /// So many bytes; nil where the loader has closed the pipe between two requests.
  private static func read(_ count: Int, from input: borrowing OwnedFD, mayEnd: Bool) throws -> [UInt8]? {
    var bytes: [UInt8] = []
    bytes.reserveCapacity(count)
    while bytes.count < count {
      var chunk = [UInt8](repeating: 0, count: min(count - bytes.count, 1 << 16))
      let got = try input.readSome(into: &chunk)
      if got == 0 {
        if mayEnd, bytes.isEmpty { return nil }
        throw LinkViolation(.truncated, "a request ends too early")
      }
      bytes += chunk.prefix(got)
    }
    return bytes
  }
}

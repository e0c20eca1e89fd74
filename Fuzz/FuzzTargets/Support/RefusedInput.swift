import Base

/// Whether something is accepted. What is refused has to be explained, whatever the input: principle 3 of
/// docs/architecture.md.
///
/// - Throws: ``BrokenPromise`` of the body's, or for a refusal that explains nothing.
@discardableResult
func accepts(_ body: () throws -> Void) throws(BrokenPromise) -> Bool {
  do {
    try body()
    return true
  } catch let broken as BrokenPromise {
    throw broken
  } catch let refusal as any Diagnosable {
    try requireExplained(refusal.diagnostic)
    return false
  } catch {
    throw BrokenPromise("an error that explains nothing: \(error)")
  }
}

/// Bytes that one refusal may have: an input must not fill the terminal.
private let refusalLimit = 1 << 16

func requireExplained(_ diagnostic: Diagnostic) throws(BrokenPromise) {
  try require(
    !diagnostic.message.isEmpty && diagnostic.code.contains("."), "a refusal has a message and a code: \(diagnostic)")
  let texts = [diagnostic.message, diagnostic.expected, diagnostic.found, diagnostic.why, diagnostic.next]
  let byteCount = texts.reduce(0) { $0 + ($1?.utf8.count ?? 0) }
  try require(byteCount <= refusalLimit, "a refusal is short: \(diagnostic.code) has \(byteCount) bytes")
}

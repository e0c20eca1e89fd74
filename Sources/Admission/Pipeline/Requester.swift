internal import Linux
internal import Policy
internal import Provenance
internal import Trust

/// Who asks for a load: the process as the kernel knows it, and where its executable comes from.
struct Requester: Sendable {
  let identity: ProcessIdentity
  let facts: RequesterFacts

  init(_ identity: ProcessIdentity, _ facts: RequesterFacts = .unknown) {
    self.identity = identity
    self.facts = facts
  }

  /// This process. Its executable is read and verified, which takes time for each of its bytes.
  static func examined(_ identity: ProcessIdentity, trust: Trust) -> Requester {
    var examination = Examination(trust: trust)
    return Requester(identity, examination.examineRequester())
  }

  /// Properties that only the executable's own examination answers.
  static let examinedProperties: Set<PropertyName> = [.requesterObject, .requesterRoothash, .requesterSignature]
}

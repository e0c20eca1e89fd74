import Base
import Policy
import Trust

/// The files that trust rests on: the policy store's state, statements about its signers, the list of what was revoked, and
/// the settings of a host.
enum StoreTarget {
  static func check(_ bytes: [UInt8]) throws(BrokenPromise) -> Bool {
    let state = try checkState(bytes)
    let statement = try checkStatement(bytes)
    let list = try checkList(bytes)
    let other = try checkFiles(bytes)
    return state || statement || list || other
  }

  // MARK: - The store's state

  /// An input is the state's first line; its checksum, which no input has right, is added.
  private static func checkState(_ bytes: [UInt8]) throws(BrokenPromise) -> Bool {
    try require((try? StoreState.decode(bytes)) == nil, "a state without its checksum is refused")
    let line = Array(bytes.prefix { $0 != 0x0a })
    let sum = try keep("SHA-256 is there") { () throws(HashingError) in try Digest.of(line.rawSpan) }
    let file = line + Array("\n\(sum)\n".utf8)
    guard let state = try? StoreState.decode(file) else { return false }
    let written = try keep("a state can be written") { () throws(HashingError) in try state.encoded() }
    try require((try? StoreState.decode(written)) == state, "a state comes back as it was written")
    if let active = state.active { try require(state.policies[active] != nil, "what is active is installed") }
    try checkRules(state)
    try checkStore(state, file)
    return true
  }

  /// No way leads below a version that was there.
  private static func checkRules(_ state: StoreState) throws(BrokenPromise) {
    for (name, entry) in state.policies.sorted(by: { $0.key < $1.key }).prefix(4) {
      var changed = state
      if (try? changed.activate(name)) != nil {
        try require(changed.active == name, "what was activated is active")
        if let last = state.lastActivated { try require(entry.version >= last, "no older version becomes active") }
        try require((try? changed.remove(name)) == nil, "what is active is not removed")
      }
      changed = state
      guard let highest = state.highestVersions[name], (try? changed.remove(name)) != nil else { continue }
      let result = try? changed.install(name, entry)
      try require(
        result == nil || entry.version > highest.version || entry == highest, "no version comes back below the highest")
    }
  }

  /// Whatever the state says: only what a signer has signed comes out of a store.
  private static func checkStore(_ state: StoreState, _ file: [UInt8]) throws(BrokenPromise) {
    let message = Fixtures.policyMessage
    let digest = try keep("SHA-256 is there") { () throws(HashingError) in try Digest.of(message.rawSpan) }
    // Most states name no message that is there.
    guard state.policies.values.contains(where: { $0.message == digest }) else { return }
    let scratch = try Scratch()
    try scratch.makeDirectory("messages")
    try scratch.write("messages/\(digest.hex)", message)
    try scratch.write("trusted.pem", Fixtures.signer)
    try scratch.write("state", file)
    try scratch.write("lock", Array("1\n".utf8))
    let store = PolicyStore(directory: scratch.path, trust: .none)
    try accepts {
      let policy = try store.active()
      try require(policy.document.text.bytes == Fixtures.policy, "the active policy is one that was signed")
      try require(state.active.flatMap { state.policies[$0] } == policy.entry, "and the one that the state names")
    }
    for name in state.policies.keys.sorted().prefix(4) {
      try accepts {
        let policy = try store.policy(name)
        try require(policy.document.text.bytes == Fixtures.policy, "an installed policy is one that was signed")
      }
    }
    try accepts { _ = try store.list() }
    try accepts { _ = try store.signers() }
  }

  // MARK: - Statements, revocations, settings

  private static func checkStatement(_ bytes: [UInt8]) throws(BrokenPromise) -> Bool {
    try accepts {
      let statement = try SignerStatement(bytes)
      try require(try SignerStatement(statement.text) == statement, "a statement comes back as it was read")
      try require(statement.counter > 0, "a statement has a number above 0")
    }
  }

  /// A list comes back as it was read, whatever is added.
  private static func checkList(_ bytes: [UInt8]) throws(BrokenPromise) -> Bool {
    try accepts {
      let list = try RevocationList(bytes, path: "list")
      try require(list.lastDay.map { RevocationList.isDay($0) } != false, "its last day is one of the calendar")
      let digest = try Digest.of(bytes.rawSpan)
      let text = RevocationList.text(
        list.identity, lastDay: list.lastDay, lines: RevocationList.lines(of: bytes), added: [(.object, digest)])
      let again = try RevocationList(text, path: "list")
      try require(
        again.identity == list.identity && again.lastDay == list.lastDay && again.count == list.count + 1,
        "a list comes back with what is added")
    }
  }

  private static func checkFiles(_ bytes: [UInt8]) throws(BrokenPromise) -> Bool {
    guard bytes.contains(0x20) || bytes.contains(UInt8(ascii: "=")), bytes.first != UInt8(ascii: "{") else {
      return false
    }
    let scratch = try Scratch()
    try scratch.write("revoked", bytes)
    let revocations = try accepts {
      let trust = try Trust(directory: scratch.path)
      let lines = revokedRootHashes(bytes)
      for digest in lines.prefix(8) {
        guard case .revoked(let found) = trust.judge(.rootHash(digest, signature: nil), at: 0) else {
          throw BrokenPromise("what a line revokes is revoked: \(digest)")
        }
        try require(found.digest == digest && found.kind == .rootHash, "by that line")
      }
      let other = try Digest.of(Array("never revoked".utf8).rawSpan)
      let verdict = trust.judge(.rootHash(other, signature: nil), at: 0)
      try require(lines.contains(other) || verdict == .unsigned, "what no line revokes is not")
    }
    try scratch.makeDirectory("etc")
    try scratch.makeDirectory("etc/verity-bpf")
    try scratch.write("etc/verity-bpf/verity-bpf.conf", bytes)
    let settings = try accepts {
      let settings = try Settings.read(root: scratch.path)
      for name in SettingName.allCases { _ = settings.value(name) }
    }
    return revocations || settings
  }

  /// Read in the plainest way, for texts that are accepted.
  private static func revokedRootHashes(_ bytes: [UInt8]) -> [Digest] {
    String(decoding: bytes, as: UTF8.self).unicodeScalars.split(separator: "\n").compactMap { line in
      let text = String(String.UnicodeScalarView(line.prefix { $0 != "#" }))
      let words = text.unicodeScalars.split { $0 == " " || $0 == "\t" || $0 == "\r" }.map {
        String(String.UnicodeScalarView($0))
      }
      return words.count == 2 && words[0] == "root-hash" ? Digest(words[1]) : nil
    }
  }
}

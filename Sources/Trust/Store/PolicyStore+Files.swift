internal import KernelABI
internal import Base
internal import Linux
internal import Signatures

/// The store's files: whose they are, how they are read, and how they are written.
extension PolicyStore {
  static let firstCertificates = "trusted.pem"

  static func makeDirectory(_ path: String, mode: UInt32) throws(SystemError) {
    do throws(SystemError) {
      try Directory.create(path, mode: mode)
    } catch {
      guard error.code == .eexist else { throw error }
    }
  }

  static func file(of entry: StoreState.Entry) -> String { "messages/\(entry.message.hex)" }

  /// The certificates that the state names.
  func certificates(_ state: StoreState) throws(PolicyStoreError) -> [UInt8] {
    // The first ones have no digest in their name.
    let names = [Self.certificates(state.trusted), Self.firstCertificates]
    for name in names {
      let path = "\(directory)/\(name)"
      guard let pem = try contents(of: path, limit: 1 << 22) else { continue }
      guard try digest(pem) == state.trusted else { throw .damaged(path: path, reason: "its SHA-256 is another one") }
      return pem
    }
    throw .damaged(path: "\(directory)/\(names[0])", reason: "it is not there")
  }

  /// The file of certificates with that SHA-256.
  static func certificates(_ digest: Digest) -> String { "trusted-\(digest.hex).pem" }

  /// The bytes of a file of the store; nil when it is not there.
  func contents(of path: String, limit: Int) throws(PolicyStoreError) -> [UInt8]? {
    let found: FileStatus
    let bytes: [UInt8]
    do throws(SystemError) {
      let file = try OwnedFD.open(path, [.readOnly, .noFollow, .nonBlocking])
      found = try file.status()
      bytes = found.kind == .regular ? try file.readToEnd(limit: limit) ?? [] : []
    } catch {
      if error.code == .enoent { return nil }
      throw .system(error)
    }
    try Self.requireOwn(try status(directory), .directory, at: directory)
    try Self.requireOwn(found, .regular, at: path)
    return bytes
  }

  func status(_ path: String) throws(PolicyStoreError) -> FileStatus {
    try system { () throws(SystemError) in try FileStatus.of(path: path, followLinks: false) }
  }

  /// Throws when a file is of another kind, or others than its owner and root can change it.
  static func requireOwn(
    _ status: FileStatus, _ kind: FileStatus.Kind, at path: String
  ) throws(PolicyStoreError) {
    guard status.kind == kind else { throw .foreign(path: path, reason: "it is a \(status.kind.rawValue)") }
    if let reason = status.foreignControl() { throw .foreign(path: path, reason: reason) }
  }

  /// What there is where a store is, or may be made.
  struct Remains {
    let hasState: Bool
    /// Whether there was one, be it gone: its versions would be lost with a new store.
    let hadState: Bool
    /// Something that no store has.
    let foreign: String?
  }

  func remains() throws(PolicyStoreError) -> Remains {
    do throws(SystemError) {
      let names = try Directory.names(directory)
      let messages = names.contains("messages") ? try Directory.names("\(directory)/messages") : []
      let lock = names.contains("lock") ? try FileStatus.of(path: "\(directory)/lock", followLinks: false).size : 0
      let hasState = names.contains("state")
      // Messages that are complete have no other name than their digest's.
      let hasMessage = messages.contains { !$0.contains(".") }
      let known = ["state", "lock", "messages", Self.firstCertificates]
      return Remains(
        hasState: hasState, hadState: hasState || hasMessage || lock > 0,
        foreign: names.first { !known.contains($0) && !$0.hasPrefix("trusted") && !$0.hasPrefix("state.tmp-") })
    } catch {
      if error.code == .enoent { return Remains(hasState: false, hadState: false, foreign: nil) }
      throw .system(error)
    }
  }

  /// Puts a state in the place of the one that there is.
  ///
  /// - Parameter record: told of it when all is written and synced, and one rename(2) is left to do: what is on record has
  ///   not failed for want of space or a device's fault. When it throws, the old state stays.
  func replace(
    _ state: StoreState, _ record: (StoreState) throws(SystemError) -> Void = { _ in }
  ) throws(PolicyStoreError) {
    let bytes: [UInt8]
    do throws(HashingError) {
      bytes = try state.encoded()
    } catch {
      throw .signature(.openSSL(reason: error.description))
    }
    try replaceState(bytes) { () throws(SystemError) in try record(state) }
  }

  private func replaceState(
    _ bytes: [UInt8], _ record: () throws(SystemError) -> Void
  ) throws(PolicyStoreError) {
    try system { () throws(SystemError) in
      let pending = try PendingFile(replacing: "\(directory)/state", mode: 0o600)
      try pending.descriptor.writeAll(bytes.rawSpan)
      try pending.descriptor.sync()
      try record()
      try pending.commit()
      try OwnedFD.open(directory, [.readOnly, .directory]).sync()
      // From now on a store without state is a lost one.
      let lock = try OwnedFD.open("\(directory)/lock", [.writeOnly, .noFollow])
      let mark = Array("1\n".utf8)
      if try lock.status().size == 0 { try lock.writeAll(mark.rawSpan, at: 0) }
    }
  }

  /// Writes a file completely, syncs it and then its directory, so that it survives a power cut.
  func write(_ bytes: [UInt8], to name: String) throws(PolicyStoreError) {
    try system { () throws(SystemError) in
      let path = "\(directory)/\(name)"
      let pending = try PendingFile(replacing: path, mode: 0o600)
      try pending.descriptor.writeAll(bytes.rawSpan)
      try pending.commit()
      let parent = name.contains("/") ? "\(directory)/messages" : directory
      try OwnedFD.open(parent, [.readOnly, .directory]).sync()
    }
  }

  /// Removes messages that no policy refers to: of policies that were replaced, and of installations that were killed before
  /// the state named them. A failure leaves a file too many and nothing else.
  func removeUnused(but state: StoreState) {
    let kept = Set((state.policies.values.map { $0 } + [state.shadow?.entry].compactMap { $0 }).map { $0.message.hex })
    // A complete message has its digest for a name, and a temporary file, which another run may hold, has a dot in it.
    for name in (try? Directory.names("\(directory)/messages")) ?? []
    where !kept.contains(name) && !name.contains(".") {
      Cleanup.removeTree("\(directory)/messages/\(name)")
    }
  }

  /// One change at a time, also between processes.
  func locked<R>(_ body: () throws(PolicyStoreError) -> R) throws(PolicyStoreError) -> R {
    let lock = try openLock()
    try Self.requireOwn(try status(directory), .directory, at: directory)
    Directory.collectLeftovers(directory)
    let messages = "\(directory)/messages"
    // What is not there yet is an initialisation's that did not come to its end.
    if let found = try? status(messages) {
      try Self.requireOwn(found, .directory, at: messages)
      Directory.collectLeftovers(messages)
    }
    let result = try body()
    _ = consume lock
    return result
  }

  private func openLock() throws(PolicyStoreError) -> OwnedFD {
    do throws(SystemError) {
      let lock = try OwnedFD.open("\(directory)/lock", [.readWrite, .create, .noFollow, .nonBlocking], mode: 0o600)
      try lock.lockExclusively()
      return lock
    } catch {
      if error.code == .enoent { throw .none(directory: directory) }
      throw .system(error)
    }
  }

  func digest(_ bytes: [UInt8]) throws(PolicyStoreError) -> Digest {
    do throws(HashingError) {
      var state = try HashState(.sha256)
      state.update(bytes.rawSpan)
      return try state.finish()
    } catch {
      throw .signature(.openSSL(reason: error.description))
    }
  }

  func system<R>(_ body: () throws(SystemError) -> R) throws(PolicyStoreError) -> R {
    do throws(SystemError) { return try body() } catch { throw .system(error) }
  }

  func refusing<R>(_ body: () throws(StoreRefusal) -> R) throws(PolicyStoreError) -> R {
    do throws(StoreRefusal) { return try body() } catch { throw .refused(error) }
  }
}

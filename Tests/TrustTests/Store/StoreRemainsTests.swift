import Base
import Linux
import Policy
import Signatures
import TestSupport
import Testing

@testable import Trust

/// What killed runs leave in a store, and who may write to it.
@Suite struct StoreRemainsTests {
  let directory: TemporaryDirectory
  let store: PolicyStore
  let signer: [UInt8]

  init() throws {
    directory = try TemporaryDirectory()
    store = PolicyStore(directory: directory.file("store"), trust: .none)
    signer = try ThrowawaySigner(name: "a").certificate
  }

  private func code(_ body: () throws -> Void) -> String {
    do { try body() } catch let error as any Diagnosable { return error.diagnostic.code } catch { return "\(error)" }
    return "none"
  }

  @Test(arguments: [
    [], ["lock"], ["messages/"], ["messages/", "trusted.pem"], ["trusted.pem.tmp-1-2"],
    ["lock", "messages/", "trusted.pem", "state.tmp-12-34", "messages/ab.tmp-1-2"],
  ])
  func anInitialisationThatWasKilled(files: [String]) throws {
    #expect(code { _ = try store.state() } == "store.none")
    try Directory.create(store.directory, mode: 0o700)
    for file in files {
      if file.hasSuffix("/") {
        try Directory.create("\(store.directory)/\(file.dropLast())", mode: 0o700)
      } else {
        try directory.write("store/\(file)", file == "lock" ? "" : "x")
      }
    }
    #expect(code { _ = try store.state() } == "store.none")
    #expect(code { _ = try store.install([]) } == "store.none")
    try store.create(trusting: signer)
    #expect(try store.state().policies.isEmpty)
    #expect(try Directory.names(store.directory) == ["lock", "messages", "state", "trusted.pem"])
    #expect(try Directory.names("\(store.directory)/messages").isEmpty)
    #expect(code { try store.create(trusting: signer) } == "store.exists")
  }

  /// A state that is gone is never replaced: its versions would be forgotten.
  @Test func aStateThatWasLost() throws {
    try store.create(trusting: signer)
    try Tools.run("rm", "\(store.directory)/state")
    #expect(code { _ = try store.state() } == "store.lost")
    #expect(code { try store.create(trusting: signer) } == "store.lost")
    // As in a store of an earlier version, whose lock says nothing.
    try directory.write("store/lock", "")
    #expect(code { _ = try store.state() } == "store.none")
    try directory.write("store/messages/\(String(repeating: "0", count: 64))", "x")
    #expect(code { _ = try store.state() } == "store.lost")
    #expect(code { try store.create(trusting: signer) } == "store.lost")
  }

  @Test func somethingElseInItsPlace() throws {
    try Directory.create(store.directory)
    try directory.write("store/notes.txt", "mine")
    #expect(code { try store.create(trusting: signer) } == "store.not-empty")
    #expect(try directory.read("store/notes.txt") == Array("mine".utf8))
  }

  /// Each file and directory of the store, when others can write to it, belongs to another user, or is no file.
  @Test(arguments: ["", "state", "trusted.pem", "messages"])
  func othersCannotWrite(name: String) throws {
    try store.create(trusting: signer)
    let path = name.isEmpty ? store.directory : "\(store.directory)/\(name)"
    let mode = try FileStatus.of(path: path).mode
    for other in [0o770, 0o702, 0o720] as [UInt32] {
      try Directory.setPermissions(path, other)
      #expect(code { _ = try store.install([]) } == "store.permissions", "mode \(String(other, radix: 8))")
    }
    try Directory.setPermissions(path, mode)
    #expect(code { try store.create(trusting: signer) } == "store.exists")
    guard Tools.isRoot else { return }
    try Tools.run("chown", "65534", path)
    #expect(code { _ = try store.install([]) } == "store.permissions")
  }

  @Test func noLinksAndNoPipes() throws {
    try store.create(trusting: signer)
    let state = try directory.read("store/state")
    try directory.write("elsewhere", state)
    try Tools.run("ln", "-sf", directory.file("elsewhere"), "\(store.directory)/state")
    #expect(code { _ = try store.state() } != "none")
    try Tools.run("rm", "\(store.directory)/state")
    try Tools.run("mkfifo", "\(store.directory)/state")
    #expect(code { _ = try store.state() } == "store.permissions", "which must not wait for a writer")
  }

  /// What a killed run left is collected by the next change; what a living one holds stays.
  @Test func leftovers() throws {
    try store.create(trusting: signer)
    for name in ["state.tmp-1-2", "trusted-00.pem.tmp-3-4", "messages/00.tmp-5-6"] {
      try directory.write("store/\(name)", "")
    }
    let held = try OwnedFD.open(directory.file("store/state.tmp-7-8"), [.writeOnly, .create])
    try held.lockExclusively()
    _ = code { _ = try store.install([]) }
    #expect(try Directory.names(store.directory) == ["lock", "messages", "state", "state.tmp-7-8", "trusted.pem"])
    #expect(try Directory.names("\(store.directory)/messages").isEmpty)
  }

  /// A message that was written for a policy whose state never came goes with the next change.
  @Test func anInstallationThatWasKilled() throws {
    let trusted = try ThrowawaySigner(name: "a")
    try store.create(trusting: trusted.certificate)
    func message(_ version: Int) throws -> [UInt8] {
      let text = "policy_name=p policy_version=1.0.\(version)\nDEFAULT action=DENY\n"
      return try trusted.sign(Array(text.utf8), form: .policy)
    }
    try directory.write("store/messages/\(String(repeating: "a", count: 64))", "x")
    let first = try store.install(try message(1)).policy
    #expect(try Directory.names("\(store.directory)/messages") == [first.entry.message.hex])
    let second = try store.install(try message(2)).policy
    #expect(try Directory.names("\(store.directory)/messages") == [second.entry.message.hex])
    try directory.write("store/messages/\(String(repeating: "b", count: 64))", "x")
    try store.remove("p")
    #expect(try Directory.names("\(store.directory)/messages").isEmpty)
  }
}

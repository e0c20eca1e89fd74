import BPFObject
import Base
import LinkProtocol
import Linux
import TestSupport
import Testing

@testable import Loader

/// Linking by a process of its own: the real helper, and one that lies.
@Suite struct LinkHelperTests {
  /// An executable that was built beside the test program.
  private func executable(_ name: String) throws -> OwnedFD {
    let directory = VerityBPFCommand.path.split(separator: "/", omittingEmptySubsequences: false).dropLast()
    return try OwnedFD.open(directory.joined(separator: "/") + "/\(name)", .readOnly)
  }

  /// The demo's objects and those of the loading tests that no kernel symbol keeps from a helper, by their names.
  private func objects() throws -> [(name: String, bytes: [UInt8])] {
    try Objects.paths().map { path in
      (String(path.split(separator: "/").last ?? ""), try Objects.bytes(path))
    }
  }

  private func code(_ error: BPFLoadError) -> String { error.diagnostic.code }

  @Test func theHelperLinksAsThisProcessDoes() throws {
    var helper = LinkHelper(executable: try executable("verity-bpf-link"))
    var linkedCount = 0
    for (name, bytes) in try objects() {
      let own = try? BPFObject.link(bytes: bytes.rawSpan, objectName: name, allowsExterns: true)
      do throws(BPFLoadError) {
        // One process for all of them.
        let (object, claims) = try helper.link(bytes.rawSpan, objectName: name, volume: [1])
        #expect(object.programs == own?.programs && object.maps == own?.maps, "\(name)")
        #expect(object.btf == own?.btf && object.license == own?.license, "\(name)")
        #expect(object.isLinkedByHelper && object.types == nil || object.btf.isEmpty)
        #expect(object.programs.allSatisfy { claims.claim(about: $0.name) != nil })
        linkedCount += 1
      } catch {
        #expect(["helper.outside", "helper.refused"].contains(code(error)) || own == nil, "\(name): \(error)")
      }
    }
    #expect(linkedCount >= 4)
  }

  /// Every lie about every object: what is taken has the object's own instructions, records, types and names.
  @Test func aHelperThatLiesChangesNothing() throws {
    var codes: [String: Int] = [:]
    var tried = 0
    for (name, bytes) in try objects() {
      // A lie mostly costs a process: a few objects of each kind are enough.
      guard tried < 8,
        let own = try? BPFObject.link(bytes: bytes.rawSpan, objectName: name, allowsExterns: true), own.externs.isEmpty
      else { continue }
      tried += 1
      var helper = LinkHelper(executable: try executable("lying-helper"))
      for _ in 0..<24 * 2 {
        do throws(BPFLoadError) {
          let (object, _) = try helper.link(bytes.rawSpan, objectName: name, volume: [1])
          #expect(object.programs == own.programs, "\(name)")
          #expect(object.btf == own.btf && object.license == own.license, "\(name)")
          #expect(object.maps.map(\.name) == own.maps.map(\.name), "\(name)")
          #expect(object.maps.map(\.initialValue) == own.maps.map(\.initialValue), "\(name)")
          #expect(object.maps.map(\.isFrozen) == own.maps.map(\.isFrozen), "\(name)")
          // The analysis takes the worst, whatever the helper says.
          #expect(object.types == nil || object.btf.isEmpty)
          codes["linked", default: 0] += 1
        } catch {
          codes[code(error), default: 0] += 1
          if code(error) == "helper.outside" { break }
        }
      }
    }
    #expect(codes["helper.protocol"] ?? 0 > 50 && codes["linked"] ?? 0 > 10, "\(codes)")
    let known: Set = [
      "linked", "helper.protocol", "helper.outside", "object.bad-map", "helper.other-release", "helper.refused",
    ]
    #expect(known.isSuperset(of: codes.keys), "\(codes)")
  }

  /// What is no helper at all.
  @Test func otherProgramsAreNoHelper() throws {
    let bytes = try Objects.bytes(Objects.demo("xdp_counter"))
    for (path, expected) in [
      ("/bin/true", "helper.protocol"), ("/bin/cat", "helper.protocol"), ("/dev/null", "helper.not-started"),
      ("/etc/passwd", "helper.not-started"),
    ] {
      var helper = LinkHelper(executable: try OwnedFD.open(path, .readOnly))
      do throws(BPFLoadError) {
        _ = try helper.link(bytes.rawSpan, objectName: "x.bpf.o", volume: nil)
        Issue.record("\(path) linked an object")
      } catch {
        #expect(code(error) == expected, "\(path): \(error)")
      }
    }
  }

  @Test func theExecutableIsTheOneBesideThisProgram() throws {
    let directory = try TestSupport.TemporaryDirectory()
    let own = "\(directory.path)/verity-bpf"
    try run("cp", "/bin/true", own)
    func code() -> String? {
      do throws(LinkHelperError) {
        _ = try HelperExecutable.open(beside: own, in: "\(directory.path)/")
        return nil
      } catch {
        return error.diagnostic.code
      }
    }
    #expect(code() == "helper.missing")
    let path = "\(directory.path)/\(HelperExecutable.name)"
    try run("cp", "/bin/true", path)
    #expect(code() == nil)
    try run("chmod", "o+w", path)
    #expect(code() == "helper.unsuitable")
    try run("chmod", "0755", path)
    if ProcessIdentity.effectiveUser == 0 {
      try run("chown", "12345", path)
      #expect(code() == "helper.unsuitable")
    }
    try run("rm", path)
    try run("ln", "-s", "/bin/true", path)
    #expect(code() == "helper.not-started")
    try run("rm", path)
    try run("mkdir", path)
    #expect(code() == "helper.unsuitable")
  }
}

import Base
import Testing

@testable import ImageFormat

/// The load list of an image: read strictly, written as it was read.
@Suite struct LoadListTests {
  private static func list(_ entries: String) -> [UInt8] {
    Array(#"{"schema": "verity-bpf/load-list/1", "load": [\#(entries)]}"#.utf8)
  }

  private static let full = #"""
    {"object": "net/count.bpf.o", "programs": ["a", "b*"], "without_programs": ["c"], "attach": ["a"], "interface": "eth0",
     "cgroup": "/sys/fs/cgroup", "target": "ingress", "pin": "counter", "map_entries": [{"map": "m", "entries": 7}]},
    {"object": "x.bpf.o"}
    """#

  private func refusal(_ text: [UInt8]) -> ManifestError? {
    do throws(ManifestError) {
      _ = try Manifest.LoadEntry.list(parsing: text)
      return nil
    } catch {
      return error
    }
  }

  @Test func readsWhatItWrites() throws {
    let entries = try Manifest.LoadEntry.list(parsing: Self.list(Self.full))
    #expect(entries.count == 2 && entries[0].pin == "counter" && entries[1] == Manifest.LoadEntry(object: "x.bpf.o"))
    #expect(entries[0].attach == ["a"] && entries[1].attach == nil && entries[1].pin == "x")
    #expect(entries[0].mapEntries == [.init(map: "m", entries: 7)])
    let again = entries.map(\.json.compact).joined(separator: ",")
    #expect(try Manifest.LoadEntry.list(parsing: Self.list(again)) == entries)
  }

  /// In a manifest it comes after the files, and names objects of the image.
  @Test func isPartOfAManifest() throws {
    let digest = try #require(Digest(.sha256, hex: String(repeating: "0", count: 64)))
    let object = Manifest.Object(
      file: Manifest.File(path: "x.bpf.o", digest: digest, size: 1), license: "GPL", programs: [], maps: [],
      helpers: [],
      coreRelocations: 0, lockdown: ["none", "integrity", "confidentiality"].map { .init(mode: $0, forbidden: []) })
    var entry = Manifest.LoadEntry(object: "x.bpf.o")
    entry.attach = ["*"]
    var manifest = Manifest(
      name: nil, version: nil, dataBlocks: 1, objects: [object], files: [], loadList: [entry])
    #expect(try Manifest(parsing: manifest.text) == manifest)
    #expect(try Manifest(parsing: manifest.json.compactUTF8) == manifest)
    manifest.loadList = [Manifest.LoadEntry(object: "y.bpf.o")]
    #expect(throws: ManifestError.member(place: "load_list", expected: "objects of the image", found: "y.bpf.o")) {
      try Manifest(parsing: manifest.text)
    }
    manifest.loadList = nil
    #expect(try Manifest(parsing: manifest.text).loadList == nil)
  }

  @Test(arguments: [
    ("", "load"), (#"{}"#, "load[0].object"), (#"{"object": "/x"}"#, "load[0].object"),
    (#"{"object": "../x"}"#, "load[0].object"), (#"{"object": ""}"#, "load[0].object"),
    (#"{"object": "x", "attached": ["a"]}"#, "load[0].attached"), (#"{"object": "x", "attach": []}"#, "load[0].attach"),
    (#"{"object": "x", "attach": "a"}"#, "load[0].attach"), (#"{"object": "x", "attach": [""]}"#, "load[0].attach"),
    (#"{"object": "x", "interface": "eth0"}"#, "load[0].attach"),
    (#"{"object": "x", "cgroup": "/c"}"#, "load[0].attach"),
    (#"{"object": "x", "pin": "a/b"}"#, "load[0].pin"), (#"{"object": "x", "pin": "a.b"}"#, "load[0].pin"),
    (#"{"object": "x", "pin": ".."}"#, "load[0].pin"), (#"{"object": "x", "target": "a\u0000b"}"#, "load[0].target"),
    (#"{"object": "x"}, {"object": "d/x.o"}"#, "load"), (#"{"object": "x"}, {"object": "y", "pin": "x"}"#, "load"),
    (#"{"object": "x", "map_entries": []}"#, "load[0].map_entries"),
    (#"{"object": "x", "map_entries": [{"map": "m", "entries": 0}]}"#, "load[0].map_entries[0].entries"),
    (#"{"object": "x", "map_entries": [{"map": "m", "entries": 4294967296}]}"#, "load[0].map_entries[0].entries"),
    (
      #"{"object": "x", "map_entries": [{"map": "m", "entries": 1}, {"map": "m", "entries": 2}]}"#,
      "load[0].map_entries"
    ),
    (#"{"object": "x", "map_entries": [{"map": "m", "entries": 1, "size": 2}]}"#, "load[0].map_entries[0].size"),
  ])
  func refuses(entries: String, place: String) throws {
    guard case .member(let found, _, _)? = refusal(Self.list(entries)) else {
      Issue.record("\(entries) was read")
      return
    }
    #expect(found == place)
  }

  @Test func hasLimits() {
    let many = (0...4096).map { #"{"object": "\#($0)"}"# }.joined(separator: ",")
    guard case .member("load", _, "4097")? = refusal(Self.list(many)) else {
      Issue.record("too many were read")
      return
    }
    let long = #"{"object": "x", "target": "\#(String(repeating: "a", count: 4097))"}"#
    #expect(refusal(Self.list(long)) != nil)
    let names = (0...256).map { "\"\($0)\"" }.joined(separator: ",")
    #expect(refusal(Self.list(#"{"object": "x", "programs": [\#(names)]}"#)) != nil)
    #expect(refusal(Array(#"{"schema": "verity-bpf/load-list/2", "load": []}"#.utf8)) != nil)
    #expect(refusal([UInt8](repeating: 0x20, count: 1 << 20 + 1)) != nil)
  }
}

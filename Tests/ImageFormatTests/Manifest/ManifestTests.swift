import Base
import Verity
import FileSystems
import Testing

@testable import ImageFormat

@Suite struct ManifestTests {
  static func example() throws -> Manifest {
    func file(_ path: String, _ contents: String) throws -> Manifest.File {
      let bytes = Array(contents.utf8)
      return Manifest.File(path: path, digest: try Digest.of(bytes.rawSpan), size: UInt64(bytes.count))
    }
    let object = Manifest.Object(
      file: try file("net/a.bpf.o", "object"), license: "GPL",
      programs: [
        .init(name: "count", section: "xdp", type: "xdp", attachType: "xdp"),
        .init(
          name: "trace", section: "raw_tp/x\"y", type: "raw_tracepoint", attachType: nil,
          analysis: .init(
            minimumKernel: "5.17", capabilities: ["CAP_BPF", "CAP_PERFMON"],
            kernelReads: ["bpf_probe_read_kernel", "task_struct.pid"], userWrites: [], isRestricted: false),
          instructions: .init(
            digest: try Digest.of(Array("instructions".utf8).rawSpan), count: 12, coreRelocations: 3)),
      ],
      maps: [.init(name: "events", type: "ringbuf")], helpers: ["bpf_probe_read_kernel"], coreRelocations: 3,
      lockdown: [
        .init(mode: "none", forbidden: []), .init(mode: "integrity", forbidden: []),
        .init(mode: "confidentiality", forbidden: ["bpf_probe_read_kernel"]),
      ])
    return Manifest(
      name: "tools", version: "1.4.0-rc1+7", dataBlocks: 42, objects: [object],
      files: [try file("LICENSE", "text"), try file("doc/ü", "more")])
  }

  @Test func readsWhatItWrites() throws {
    let manifest = try Self.example()
    #expect(try Manifest(parsing: manifest.text) == manifest)
    #expect(try Manifest(parsing: Array(manifest.json.compact.utf8)) == manifest)
    var plain = manifest
    plain.name = nil
    plain.version = nil
    plain.objects = []
    plain.files = []
    #expect(try Manifest(parsing: plain.text) == plain)
  }

  /// What an image states of an object is there only where it states something, so that older readers take what they know.
  @Test func statementsAreRead() throws {
    var object = try #require(try Self.example().objects.first)
    let plain = object.entry
    #expect(try Manifest.Statements(entry: plain).isEmpty)
    for statements in [
      Manifest.Statements(sectionTypes: [.init(section: "filter", type: "socket")]),
      Manifest.Statements(isConfigurable: false), Manifest.Statements(isConfigurable: true),
      Manifest.Statements(
        sectionTypes: [.init(section: "a", type: "xdp"), .init(section: "b", type: "tc")], isConfigurable: true),
    ] {
      object.statements = statements
      #expect(object.entry.count > plain.count)
      #expect(try Manifest.Statements(entry: object.entry) == statements)
      var manifest = try Self.example()
      manifest.objects = [object]
      #expect(try Manifest(parsing: manifest.text).objects == [object])
      // However the member's name is spelled.
      let spelled = String(decoding: object.entry, as: UTF8.self).replacing(
        "\"configurable\"", with: "\"\\u0063onfigurable\"")
      #expect(try Manifest.Statements(entry: Array(spelled.utf8)) == statements)
    }
    for (old, new) in [("true", "1"), ("true", "null"), ("\"section\": \"a\"", "\"name\": \"a\""), ("\"xdp\"", "2")] {
      let text = String(decoding: object.entry, as: UTF8.self)
      // The last, because lockdown has such words too.
      let place = try #require(text.ranges(of: old).last)
      let changed = text[..<place.lowerBound] + new + text[place.upperBound...]
      #expect(throws: ManifestError.self, "\(new)") { try Manifest.Statements(entry: Array(changed.utf8)) }
    }
  }

  /// Pairs files with names as a walk of an image gives them: directory by directory, each in bytewise order.
  private func locate(
    _ files: [Manifest.File], among names: [(path: String, kind: FileSystemInode.Kind, nid: UInt64)]
  ) throws(ManifestError) -> [Manifest.Located] {
    var pairing = FilePairing(files)
    let directories = Dictionary(grouping: names) { name in
      Array(
        name.path.utf8.split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false).dropLast().joined(
          separator: [0x2f]))
    }
    for (directory, names) in directories {
      for name in names.sorted(by: { $0.path.precedesBytewise($1.path) }) {
        let last = name.path.split(separator: "/").last.map { String($0) } ?? ""
        pairing.take(
          FileSystemPath(directory: String(decoding: directory, as: UTF8.self), name: last), name.kind, name.nid)
      }
    }
    return try pairing.finish()
  }

  /// Exactly the manifest's files are in the image, each under its name, and the manifest.
  @Test func filesAndNamesArePaired() throws {
    let digest = try Digest.of([UInt8]().rawSpan)
    let files = ["net/b.bpf.o", "a.bpf.o", "\u{fc}"].map { Manifest.File(path: $0, digest: digest, size: 0) }
    typealias Name = (path: String, kind: FileSystemInode.Kind, nid: UInt64)
    let names: [Name] = [
      ("a.bpf.o", .regular, 1), ("\u{fc}", .regular, 2), (Manifest.path, .regular, 3), ("net/b.bpf.o", .regular, 4),
    ]
    let located = try locate(files, among: names)
    #expect(located.map(\.file.path) == ["a.bpf.o", "net/b.bpf.o", "\u{fc}"])
    #expect(located.map(\.nid) == [1, 4, 2])
    // What looks the same is another name.
    for other in ["a", "aa", "b", "u\u{308}", "zz"] {
      #expect(throws: ManifestError.unlisted(path: other)) {
        try locate(files, among: names + [(other, .regular, 5)])
      }
    }
    #expect(throws: ManifestError.unlisted(path: "a.bpf.o")) {
      try locate(files, among: [("a.bpf.o", .symbolicLink, 1)] + names.dropFirst())
    }
    #expect(throws: ManifestError.unlisted(path: "a.bpf.o")) { try locate(files, among: names + [names[0]]) }
    for index in [0, 1, 3] {
      var fewer = names
      let missing = fewer.remove(at: index).path
      #expect(throws: ManifestError.fileSystem(.missing(missing))) { try locate(files, among: fewer) }
      // A name that is too many is told first.
      #expect(throws: ManifestError.unlisted(path: "x")) {
        try locate(files, among: fewer + [("x", .regular, 5)])
      }
    }
  }

  /// Each of many objects is found in the text without its being read whole, and nothing else is.
  @Test(arguments: [0, 1, 2, 3, 50, 700])
  func entriesAreFoundByHalving(count: Int) throws {
    var manifest = try Self.example()
    let object = try #require(manifest.objects.first)
    manifest.objects = (0..<count).map { index in
      var copy = object
      let path = "\(String(index, radix: 7))/p\(index % 5 == 0 ? "\"ü\n" : "")\(index).bpf.o"
      copy.file = Manifest.File(path: path, digest: object.file.digest, size: UInt64(index))
      // Some entries are longer than what is read at a time.
      if index % 90 == 7 { copy.helpers = (0..<2000).map { "helper_\($0)" } }
      return copy
    }
    manifest.objects.sort { $0.file.path.utf8.lexicographicallyPrecedes($1.file.path.utf8) }
    let text = manifest.text
    var most = 0
    for object in manifest.objects {
      var read = 0
      let entry = EntrySearch.entry(of: object.file.path, byteCount: UInt64(text.count)) { range -> [UInt8] in
        read += range.count
        return Array(text[Int(range.lowerBound)..<Int(range.upperBound)])
      }
      let value = try JSONValue.parse(try #require(entry, "\(object.file.path)"))
      #expect(value == object.json)
      most = max(most, read)
    }
    if count == 700 { #expect(most < text.count / 2, "\(most) of \(text.count) bytes") }
    for path in ["LICENSE", "doc/ü", "", "zzz", "0/p", "path"] {
      let entry = EntrySearch.entry(of: path, byteCount: UInt64(text.count)) { range -> [UInt8] in
        Array(text[Int(range.lowerBound)..<Int(range.upperBound)])
      }
      #expect(entry == nil, "\(path)")
    }
  }

  @Test func differencesAreNamed() throws {
    let object = try #require(try Self.example().objects.first)
    try object.check(against: object)
    func differs(_ member: String, _ change: (inout Manifest.Object) -> Void) {
      var other = object
      change(&other)
      let error = #expect(throws: ManifestError.self) { try other.check(against: object) }
      guard case .description(_, let found, _, _)? = error else {
        Issue.record("\(String(describing: error))")
        return
      }
      #expect(found == member)
    }
    differs("license") { $0.license = "GPL v2" }
    differs("size") { $0.file = .init(path: $0.file.path, digest: $0.file.digest, size: 1) }
    differs("programs") { $0.programs.removeLast() }
    differs("programs") { $0.programs[0].type = "sched_cls" }
    differs("maps") { $0.maps = [] }
    differs("helpers") { $0.helpers = [] }
    differs("core_relocations") { $0.coreRelocations = 0 }
    differs("lockdown") { $0.lockdown[2].forbidden = [] }
    differs("programs.trace.analysis") { $0.programs[1].analysis?.kernelReads = [] }
    differs("programs.trace.analysis") { $0.programs[1].analysis?.isRestricted = true }
    differs("programs.trace.instructions") { $0.programs[1].instructions?.coreRelocations = 2 }
    differs("programs.trace.instructions") { $0.programs[1].instructions?.digest = object.file.digest }
    // Something is said where the running kernel has a part in it.
    differs("programs.count.instructions") { $0.programs[0].instructions = $0.programs[1].instructions }
    // Older builders did not say.
    var silent = object
    silent.programs[1].instructions = nil
    try silent.check(against: object)
    // Conclusions of another revision are not held against this one's, plain facts are.
    var older = object
    older.programs[1].analysis?.revision = 1
    older.programs[1].analysis?.kernelReads = []
    older.helpers = []
    try older.check(against: object)
    differs("maps") {
      $0.programs[1].analysis?.revision = 1
      $0.maps = []
    }
  }

  @Test func theHeadStandsInFront() throws {
    let manifest = try Self.example()
    let head = ManifestHead(manifest)
    #expect(ManifestHead(beginning: Array(manifest.text.prefix(256))) == head)
    #expect(ManifestHead(beginning: Array(manifest.json.compact.utf8)) == head)
    #expect(ManifestHead(beginning: Array(manifest.text.prefix(64))) == nil, "the list is not in sight")
  }

  /// Where the head is not exactly what it should be, the whole manifest is read, and refuses or gives the same.
  @Test(arguments: [
    ("verity-bpf/manifest/1", "verity-bpf/manifest/2"), ("\"name\"", "\"nam\""), ("\"tools\"", "\"\\\"objects\""),
    ("\"name\"", "\"objects\": [], \"name\""), ("\"version\"", "\"name\": \"other\", \"version\""),
    ("\"objects\": [", "\"files\": [], \"objects\": ["), ("\"data_blocks\":         42,", ""), ("42,", "42"),
  ])
  func anotherHeadIsNoHead(old: String, new: String) throws {
    let text = String(decoding: try Self.example().text, as: UTF8.self)
    let parts = text.split(separator: old, maxSplits: 1, omittingEmptySubsequences: false)
    try #require(parts.count == 2, "the text to replace is there")
    #expect(ManifestHead(beginning: Array((parts[0] + new + parts[1]).utf8)) == nil)
  }

  /// The manifest is part of the file system whose blocks it counts.
  @Test(arguments: [0, 1, 12, 4_294_967_295] as [UInt64])
  func theSizeDoesNotDependOnTheBlockCount(count: UInt64) throws {
    var manifest = try Self.example()
    let size = manifest.text.count
    manifest.dataBlocks = count
    #expect(manifest.text.count == size)
    #expect(try Manifest(parsing: manifest.text).dataBlocks == count)
  }

  /// Put together from entries, the text is what the document is when it is written as a whole.
  @Test(arguments: [0, 1, 3], [0, 1, 3])
  func theTextIsTheDocument(objects: Int, files: Int) throws {
    var manifest = try Self.example()
    let object = try #require(manifest.objects.first)
    manifest.objects = (0..<objects).map { index in
      var copy = object
      copy.file.path = "\(index)"
      return copy
    }
    manifest.files = (0..<files).map { .init(path: "f\($0)", digest: object.file.digest, size: 1) }
    // The number alone stands differently: padded.
    let padded = String(decoding: manifest.text, as: UTF8.self).split(separator: ":         42,")
    #expect(padded.joined(separator: ": 42,") == manifest.json.pretty + "\n")
    var text = ManifestText(name: manifest.name, version: manifest.version)
    for object in manifest.objects { text.add(objectEntry: object.entry) }
    for file in manifest.files { text.add(file) }
    #expect(text.byteCount == manifest.text.count)
    #expect(text.finish(dataBlocks: 42) == manifest.text)
  }

  /// Each change of a valid text by one replacement, and the member that is then named.
  @Test(arguments: [
    ("verity-bpf/manifest/1", "verity-bpf/manifest/2", "schema"), ("\"schema\"", "\"shema\"", "shema"),
    ("\"name\": \"tools\"", "\"name\": \"\"", "name"), ("\"name\": \"tools\"", "\"name\": \"to ols\"", "name"),
    ("\"version\": \"1.4.0-rc1+7\"", "\"version\": 1", "version"),
    ("\"data_blocks\":         42", "\"data_blocks\": -1", "data_blocks"),
    ("\"data_blocks\":         42", "\"data_blocks\": 1.5", "data_blocks"),
    ("\"data_blocks\":         42", "\"data_blocks\": \"42\"", "data_blocks"),
    ("net/a.bpf.o", "../a.bpf.o", "objects[0].path"), ("net/a.bpf.o", "/a.bpf.o", "objects[0].path"),
    ("net/a.bpf.o", "", "objects[0].path"), ("net/a.bpf.o", "net//a.bpf.o", "objects[0].path"),
    ("\"LICENSE\"", "\"z\"", "files"), ("\"LICENSE\"", "\"doc/ü\"", "files"),
    ("\"LICENSE\"", "\".verity-bpf/manifest.json\"", "files"), ("net/a.bpf.o", ".verity-bpf/manifest.json", "files"),
    ("net/a.bpf.o", "LICENSE", "files"),
    ("\"core_relocations\": 3", "\"core_relocations\": null", "objects[0].core_relocations"),
    ("\"none\"", "\"nothing\"", "objects[0].lockdown.nothing"),
    ("\"loadable\": false", "\"loadable\": true", "objects[0].lockdown.confidentiality.loadable"),
    ("\"type\": \"ringbuf\"", "\"kind\": \"ringbuf\"", "objects[0].maps[0].kind"),
    ("\"license\": \"GPL\"", "\"license\": null", "objects[0].license"),
    ("\"section\": \"xdp\",", "", "objects[0].programs[0].section"),
  ])
  func refusesOtherMembers(old: String, new: String, place: String) throws {
    let text = String(decoding: try Self.example().text, as: UTF8.self)
    let parts = text.split(separator: old, maxSplits: 1, omittingEmptySubsequences: false)
    try #require(parts.count == 2, "the text to replace is there")
    let error = #expect(throws: ManifestError.self) { try Manifest(parsing: Array((parts[0] + new + parts[1]).utf8)) }
    guard case .member(place, _, _) = error else {
      Issue.record("\(String(describing: error))")
      return
    }
    #expect(error?.diagnostic.category == .invalid && error?.diagnostic.message.contains("`\(place)`") == true)
  }

  @Test func refusesUpperCaseDigestsAndOtherText() throws {
    let text = String(decoding: try Self.example().text, as: UTF8.self)
    let digest = try Self.example().files[0].digest.hex
    let parts = text.split(separator: digest, maxSplits: 1)
    let upper = Array((parts[0] + digest.uppercased() + parts[1]).utf8)
    #expect(throws: ManifestError.self) { try Manifest(parsing: upper) }
    #expect(throws: ManifestError.self) { try Manifest(parsing: try Self.example().text + Array("{}".utf8)) }
    #expect(throws: ManifestError.self) { try Manifest(parsing: []) }
  }

  @Test(arguments: ["a", "1.0", "bpf-tools", "A_b~1+2", String(repeating: "x", count: 64)])
  func acceptsNames(text: String) { #expect(Manifest.isAcceptableName(text)) }

  @Test(arguments: ["", " ", "a b", "-a", ".a", "a\"b", "a\nb", "ä", "a/b", String(repeating: "x", count: 65)])
  func refusesNames(text: String) { #expect(!Manifest.isAcceptableName(text)) }

  @Test func holdsTheSuperblockAgainstItself() throws {
    let manifest = try Self.example()
    let right = try VerityParameters(dataBlockCount: 42, salt: [1])
    let superblock = Superblock(parameters: right, uuid: try Superblock.derivedUUID(salt: [1]))
    #expect(throws: Never.self) { try manifest.check(superblock: superblock) }
    let other = Superblock(parameters: right, uuid: try Superblock.derivedUUID(salt: [2]))
    #expect(throws: ManifestError.self) { try manifest.check(superblock: other) }
    let longer = try VerityParameters(dataBlockCount: 43, salt: [1])
    let error = #expect(throws: ManifestError.self) {
      try manifest.check(superblock: Superblock(parameters: longer, uuid: superblock.uuid))
    }
    #expect(error == .dataBlocks(manifest: 42, image: 43) && error?.diagnostic.category == .integrity)
  }
}

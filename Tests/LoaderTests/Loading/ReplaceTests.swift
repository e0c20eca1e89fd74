import BPFObject
import Base
import Glibc
import KernelABI
import Linux
import Synchronization
import Testing

@testable import Loader

/// One object takes the place of another: state and links pass over, and whatever fails, the old one is in place.
@Suite(.enabled(if: Machine.loads)) final class ReplaceTests {
  private let files: MountedFileSystem
  private let interface = "vbr\(UInt32.random(in: 0x10_0000...0xff_ffff))"
  private var path: String { "\(files.path)/site/object" }

  init() throws {
    files = try MountedFileSystem("bpf")
    try run("ip", "link", "add", interface, "type", "veth", "peer", "name", "\(interface)p")
  }

  deinit { _ = try? run("ip", "link", "del", interface) }

  private func options(fresh: Bool = false, _ fault: LoadOptions.Fault? = nil) -> LoadOptions {
    var options = LoadOptions()
    options.pinPath = path
    options.attaches = true
    options.interface = interface
    options.replaces = true
    options.freshMaps = fresh
    options.fault = fault
    return options
  }

  private func load(_ linked: LinkedObject, _ options: LoadOptions) throws(BPFLoadError) -> ReplacedObject? {
    var loaded = try ObjectLoader.load(linked, options: options)
    try loaded.takePlace()
    loaded.commit()
    return loaded.replaced
  }

  private func refusal(_ linked: LinkedObject, _ options: LoadOptions) -> Diagnostic? {
    do throws(BPFLoadError) {
      _ = try load(linked, options)
      return nil
    } catch {
      return error.diagnostic
    }
  }

  /// Ids of everything that is pinned, and what each link holds.
  private func pinned() throws -> [String: [UInt32]] {
    let tree = try PinTree(path)
    var found: [String: [UInt32]] = [:]
    for pin in tree.pins {
      let object = try BPF.pinned(at: pin)
      let name = String(pin.dropFirst(path.utf8.count + 1))
      if try BPF.isMap(object) {
        found[name] = [try BPF.mapInfo(object).id]
      } else if try BPF.isProgram(object) {
        found[name] = [try BPF.programInfo(object).id]
      } else {
        let info = try BPF.linkInfo(object)
        found[name] = [info.id, info.programID]
      }
    }
    return found
  }

  private func state() throws -> UInt64 {
    try number(BPF.lookup(BPF.pinned(at: "\(path)/map/state"), key: bytes(UInt32(0)), valueSize: 16))
  }

  @Test func takesThePlaceOfAnother() throws {
    let object = try Objects.linked(Objects.fixture("replaced"))
    // Where nothing is, it is a load like any other.
    #expect(try load(object, options()) == nil)
    let before = try pinned()
    try BPF.update(
      BPF.pinned(at: "\(path)/map/state"), key: bytes(UInt32(0)), value: bytes(UInt64(7)) + bytes(UInt64(0)))
    let replaced = try #require(try load(object, options()))
    #expect(replaced.carriedMaps.count == 2 && replaced.carriedMaps.contains("state"))
    #expect(replaced.freshMaps.count == 1 && replaced.freshMaps[0].hasSuffix(".rodata"))
    #expect(replaced.movedLinks == ["frames", "arriving"] && replaced.doubledLinks == ["executed"])
    #expect(replaced.endedLinks == [] && replaced.remaining == [])
    let after = try pinned()
    #expect(Set(after.keys) == Set(before.keys))
    #expect(after["map/state"] == before["map/state"] && after["map/bss"] == before["map/bss"])
    for name in ["frames", "arriving"] {
      let (old, new) = (try #require(before["link/\(name)"]), try #require(after["link/\(name)"]))
      #expect(new[0] == old[0] && [new[1]] == after["prog/\(name)"] && after["prog/\(name)"] != before["prog/\(name)"])
    }
    #expect(after["link/executed"]?[0] != before["link/executed"]?[0])
    #expect(try state() >= 7)
    // Nothing else is there, and the old programs are gone.
    #expect(try Directory.names("\(files.path)/site") == ["object"])
    let old = try #require(before["prog/frames"]?[0])
    for _ in 0..<100 where try BPF.programIDs().contains(old) { usleep(20_000) }
    #expect(try !BPF.programIDs().contains(old))
    #expect(try Unloading.unload(pinPath: path).remaining == [])
  }

  /// At every step, at both moves, and when the record cannot be written.
  @Test func whateverFailsTheOldOneStays() throws {
    let object = try Objects.linked(Objects.fixture("replaced"))
    _ = try load(object, options())
    let before = try pinned()
    for step in ReplacementStep.allCases {
      for count in 1...(step == .move ? 2 : 1) {
        let left = Atomic(count)
        let refused = refusal(
          object,
          options { (reached) throws(BPFLoadError) in
            guard reached == step, left.subtract(1, ordering: .relaxed).newValue == 0 else { return }
            throw .system(SystemError("test", .eio))
          })
        #expect(refused?.found?.contains("EIO") == true || refused?.message.contains("EIO") == true, "\(step)")
        #expect(try pinned() == before, "\(step)")
        #expect(try Directory.names("\(files.path)/site") == ["object"], "\(step)")
      }
    }
    do {
      var loaded = try ObjectLoader.load(object, options: options())
      try loaded.takePlace()
      #expect(try pinned()["prog/frames"] != before["prog/frames"])
      loaded.giveBack()
      #expect(try pinned() == before)
    }
    do {
      // Dropped when it has taken the place, as by an error that nobody foresaw.
      var loaded = try ObjectLoader.load(object, options: options())
      try loaded.takePlace()
      _ = consume loaded
    }
    #expect(try pinned() == before)
    #expect(try Directory.names("\(files.path)/site") == ["object"])
    #expect(try load(object, options())?.movedLinks.count == 2)
  }

  /// Another has given the link a program of its own since it was looked at.
  @Test func aLinkThatHasChangedMeanwhileIsNotMoved() throws {
    let object = try Objects.linked(Objects.fixture("replaced"))
    _ = try load(object, options())
    let before = try pinned()
    let (link, own) = (try BPF.pinned(at: "\(path)/link/arriving"), try BPF.pinned(at: "\(path)/prog/arriving"))
    var another = LoadOptions()
    another.pinPath = "\(files.path)/site/another"
    var loaded = try ObjectLoader.load(object, options: another)
    let other = try BPF.pinned(at: "\(files.path)/site/another/prog/arriving")
    let refused = try #require(
      refusal(
        object,
        options { (step) throws(BPFLoadError) in
          guard step == .links else { return }
          do throws(SystemError) { try BPF.update(link, to: other, replacing: own) } catch { throw .system(error) }
        }))
    #expect(refused.code == "load.link-update" && refused.message.contains("`arriving`"), "\(refused)")
    try BPF.update(link, to: own, replacing: other)
    #expect(try pinned() == before, "the link that had been moved before it has its old program")
    loaded.giveBack()
  }

  /// The directory is not there any more when its pins are to be exchanged.
  @Test func pinsThatAreGoneAreNotExchanged() throws {
    let object = try Objects.linked(Objects.fixture("replaced"))
    _ = try load(object, options())
    let before = try pinned()
    let (path, away) = (path, "\(path)_away")
    let refused = try #require(
      refusal(
        object,
        options { (step) throws(BPFLoadError) in
          guard step == .move, (try? FileStatus.of(path: away)) == nil else { return }
          do throws(SystemError) { try Directory.rename(path, to: away) } catch { throw .system(error) }
        }))
    #expect(refused.code == "load.exchange" && refused.found?.contains("ENOENT") == true, "\(refused)")
    try Directory.rename(away, to: path)
    #expect(try pinned() == before)
    #expect(try Directory.names("\(files.path)/site") == ["object"])
  }

  /// A run that was killed has given one link the new program, and not come to the exchange; another that was killed behind it.
  @Test func takesAwayWhatKilledRunsHaveLeft() throws {
    let object = try Objects.linked(Objects.fixture("replaced"))
    _ = try load(object, options())
    let before = try pinned()
    let ended = try run("sh", "-c", "echo $$").split(separator: "\n")[0]
    let staging = "\(path)_replaced_\(ended)"
    var beside = LoadOptions()
    beside.pinPath = staging
    do {
      var loaded = try ObjectLoader.load(object, options: beside)
      loaded.commit()
      try BPF.update(
        BPF.pinned(at: "\(path)/link/frames"), to: BPF.pinned(at: "\(staging)/prog/frames"),
        replacing: BPF.pinned(at: "\(path)/prog/frames"))
    }
    #expect(try pinned() != before)
    // Those of runs that live, as their process or their lock says, and what has a like name, stay.
    let others = ["\(path)_replaced_1", "\(path)_replaced_\(getpid())", "\(path)_replaced_", "\(path)_replaced_x1"]
    for other in others { try Directory.create(other, mode: 0o700) }
    let lock = try OwnedFD.open(others[1], [.readOnly, .directory])
    #expect(try lock.tryLockExclusively())
    #expect(InterruptedReplacement.ended(beside: path).map(\.staging) == [staging])
    #expect(InterruptedReplacement(staging: others[0])?.directory == path)

    #expect(InterruptedReplacement.ended(beside: path)[0].collect())
    #expect(try pinned() == before, "the link has its program again")
    try Directory.create(staging, mode: 0o700)
    lock.unlock()
    let replaced = try #require(try load(object, options()))
    #expect(replaced.collected.sorted() == [others[1], staging].sorted())
    #expect(replaced.movedLinks.count == 2)
    #expect(
      try Set(Directory.names("\(files.path)/site")) == [
        "object", "object_replaced_1", "object_replaced_", "object_replaced_x1",
      ])

    // Killed behind the exchange: what lies beside the new object are the old pins.
    var loaded = try ObjectLoader.load(object, options: options())
    try loaded.takePlace()
    let held = InterruptedReplacement.staging(of: path)
    try Directory.rename(held, to: staging)
    let taken = try pinned()
    #expect(InterruptedReplacement.ended(beside: path)[0].collect())
    #expect(try pinned() == taken, "links hold the new programs, which are pinned beside them")
    loaded.commit()
  }

  @Test func refusesMapsOfAnotherKind() throws {
    let object = try Objects.linked(Objects.fixture("replaced"))
    _ = try load(object, options())
    let before = try pinned()
    var maps = object.maps
    let index = try #require(maps.firstIndex { $0.name == "state" })
    maps[index].maxEntries = 5
    let larger = LinkedObject(license: object.license, btf: object.btf, maps: maps, programs: object.programs)
    let size = try #require(refusal(larger, options()))
    #expect(size.code == "load.map-differs" && size.message.contains("`state`"))
    #expect(size.expected?.contains("max_entries 5") == true && size.found?.contains("max_entries 1") == true)
    // The same size, and another meaning.
    let next = try Objects.linked(Objects.fixture("replaced_next"))
    let type = try #require(refusal(next, options()))
    #expect(type.code == "load.map-differs", "\(type)")
    #expect(throws: BPFLoadError.self) { try ObjectLoader.rehearse(next, options: options()) }
    #expect(throws: Never.self) { try ObjectLoader.rehearse(object, options: options()) }
    #expect(type.expected?.contains("packets, refused") == true && type.found?.contains("packets, bytes") == true)
    #expect(try pinned() == before)
    let replaced = try #require(try load(next, options(fresh: true)))
    #expect(replaced.carriedMaps == [] && replaced.freshMaps.count == 3)
    #expect(try pinned()["map/state"] != before["map/state"])
    #expect(try pinned()["link/frames"]?[0] == before["link/frames"]?[0], "links move all the same")
  }

  @Test func refusesWhatItWouldEndWithoutAWord() throws {
    let object = try Objects.linked(Objects.fixture("replaced"))
    _ = try load(object, options())
    let before = try pinned()
    var bare = options()
    bare.attaches = false
    #expect(refusal(object, bare)?.code == "load.replace-attach")
    // Somebody else has given a link another program.
    let link = try BPF.pinned(at: "\(path)/link/frames")
    let other = try Objects.load(Objects.demo("xdp_counter"))
    try BPF.update(link, to: other.program("xdp_counter"), replacing: BPF.pinned(at: "\(path)/prog/frames"))
    #expect(refusal(object, options())?.code == "load.not-replaceable")
    try BPF.update(link, to: BPF.pinned(at: "\(path)/prog/frames"), replacing: other.program("xdp_counter"))
    #expect(try pinned() == before)
    // And what is no object of ours alone.
    try Directory.create("\(path)/foreign")
    try Directory.create("\(path)/foreign/map")
    #expect(refusal(object, options())?.code == "load.replace-not-ours")
    #expect(try pinned().count >= before.count)
  }

  /// A renamed program takes over the link of the one that it replaces, since only one can be on the interface; what nothing
  /// takes over ends, and is listed.
  @Test func programsThatCameAndWent() throws {
    let object = try Objects.linked(Objects.fixture("replaced"))
    _ = try load(object, options())
    let before = try pinned()
    var programs = object.programs.filter { $0.name != "executed" }
    let index = try #require(programs.firstIndex { $0.name == "frames" })
    programs[index].name = "all_frames"
    let next = LinkedObject(license: object.license, btf: object.btf, maps: object.maps, programs: programs)
    let replaced = try #require(try load(next, options()))
    #expect(replaced.movedLinks == ["all_frames", "arriving"] && replaced.endedLinks == ["executed"])
    let after = try pinned()
    #expect(after["link/all_frames"]?[0] == before["link/frames"]?[0] && after["link/frames"] == nil)
    #expect(after["link/executed"] == nil && after["prog/executed"] == nil)
  }
}

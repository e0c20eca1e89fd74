import BPFObject
import Base
import KernelABI
import Linux
import Testing

@testable import Loader

/// Objects whose types the kernel does not take, and objects without types.
@Suite(.enabled(if: Machine.loads))
struct TypeLoadTests {
  @Test func anObjectWithoutTypesIsLoaded() throws {
    let linked = try Objects.linked(Objects.fixture("xdp_plain"))
    let programs = linked.programs.map(Self.bare)
    let bare = LinkedObject(license: linked.license, btf: [], maps: linked.maps, programs: programs)
    let loaded = try ObjectLoader.load(bare, options: LoadOptions())
    #expect(loaded.types == .absent && loaded.programs.count == 1)
  }

  private static func bare(_ program: LinkedProgram) -> LinkedProgram {
    var program = program
    (program.funcInfo, program.lineInfo) = ([], [])
    return program
  }

  @Test func parametersWithoutNamesKeepNothingOut() throws {
    let linked = try Objects.linked(Objects.fixture("unnamed_parameter"))
    #expect(linked.typeEdits.map(\.change) == [.parameterName])
    let loaded = try ObjectLoader.load(linked, options: LoadOptions())
    #expect(loaded.types == .asLinked)
  }

  /// Types that the kernel refuses for a reason that is not mended.
  private static func spoiled(_ btf: [UInt8]) -> [UInt8] {
    var btf = btf
    // An integer of more bits than its bytes have: the first type of the section that is one.
    var place = 24
    while place + 16 <= btf.count, ((try? btf.rawSpan.u32(at: place + 4)) ?? 0) >> 24 != 1 { place += 4 }
    btf.storeLittleEndian(UInt32(255), at: place + 12)
    return btf
  }

  @Test func typesThatNothingNeedsAreLeftOut() throws {
    let linked = try Objects.linked(Objects.fixture("xdp_plain"))
    #expect(linked.needOfTypes == nil)
    let spoiled = LinkedObject(
      license: linked.license, btf: Self.spoiled(linked.btf), maps: linked.maps, programs: linked.programs)
    let loaded = try ObjectLoader.load(spoiled, options: LoadOptions())
    guard case .leftOut(let reason) = loaded.types else {
      Issue.record("\(loaded.types)")
      return
    }
    #expect(reason.contains("nr_bits"))
  }

  @Test func typesThatAreNeededAreNot() throws {
    let linked = try Objects.linked(Objects.demo("runq_latency"))
    let spoiled = LinkedObject(
      license: linked.license, btf: Self.spoiled(linked.btf), maps: linked.maps, programs: linked.programs)
    let told = try Objects.refusal(spoiled).diagnostic
    #expect(told.code == "load.btf" && told.why?.contains("CO-RE") == true)
    #expect(told.found?.contains("nr_bits") == true)
  }
}

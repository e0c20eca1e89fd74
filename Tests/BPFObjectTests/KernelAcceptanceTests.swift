import BPFTestSupport
import BPFObject
import Base
import Linux
import Testing

/// What the linker makes is what the running kernel takes, byte for byte.
@Suite(.enabled(if: KernelOracle.isAvailable, "bpf(2) is not allowed here"))
struct KernelAcceptanceTests {
  private static let packet = [UInt8](repeating: 0, count: 64)

  @Test(arguments: ["data", "callbacks", "maps", "slots"])
  func everyProgramLoads(_ name: String) throws {
    let oracle = try KernelOracle(try TestObject.link(name))
    for program in oracle.object.programs { _ = try oracle.load(program) }
  }

  @Test func globalVariablesAreWhereProgramsLookForThem() throws {
    let oracle = try KernelOracle(try TestObject.link("data"))
    let programs = oracle.object.programs
    #expect(programs.map(\.name) == ["first", "second"])
    let first = try oracle.load(programs[0])
    let run = try BPF.testRun(first, packet: Self.packet)
    // data_end - data is 64, so account(0) is add(1) + bonus = base + 1 + 3 = 13: odd.
    #expect(run.returned == 2)
    #expect(try oracle.value(in: "data.bss", at: 8) == 1 || oracle.value(in: "data.bss", at: 0) == 1)
    #expect(try oracle.value(in: ".data.tuned", at: 0) == 6)
    #expect(try oracle.value(in: ".rodata.limits", at: 12) == 4)
    let second = try oracle.load(programs[1])
    #expect(try BPF.testRun(second, packet: Self.packet).returned == 2)
  }

  @Test func coreRelocationsAreAppliedByTheKernel() throws {
    let oracle = try KernelOracle(try TestObject.link("core"))
    let program = try #require(oracle.object.programs.first { $0.name == "left" })
    _ = try oracle.load(program)
    #expect(program.coreRelocations.count / 16 >= 2)
  }
}

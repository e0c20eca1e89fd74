import Gate
@testable import Linux
import Testing

@testable import GateControl

/// What is looked at before a gate is sealed.
struct StockTests {
  @Test func programsThatPid1Holds() {
    let link =
      "pos:\t0\nflags:\t02000000\nmnt_id:\t15\nino:\t1057\nlink_type:\ttracing\nlink_id:\t7\nprog_tag:\tab\nprog_id:\t23\n"
    #expect(ProgramStock.program(inFileInformation: link) == 23)
    #expect(ProgramStock.program(inFileInformation: "prog_id:\t4294967296\n") == nil)
    #expect(ProgramStock.program(inFileInformation: "pos:\t0\nflags:\t02\n") == nil)
    // Of this machine's pid 1 it may be none; asking must not fail.
    _ = ProgramStock.programsOfInit()
  }

  @Test func theMountsOfPid1() {
    #expect(ProgramStock.namespace(inLink: "mnt:[4026531841]") == 4_026_531_841)
    #expect(ProgramStock.namespace(inLink: "pid:[4026531841]") == nil)
    #expect(ProgramStock.namespace(inLink: "mnt:[x]") == nil)
    // Not in every container may it be asked.
    _ = ProgramStock.mountNamespaceOfInit()
  }

  /// A tracing program on a security hook counts as one that changes its result: the kernel does not tell. So does a type of
  /// program that is newer than this build.
  @Test(
    arguments: [(29, 0, true), (26, 7, true), (26, 8, false), (6, 7, false), (99, 7, true)] as [(UInt32, UInt32, Bool)]
  )
  func foreign(type: UInt32, attachTypeID: UInt32, isForeign: Bool) throws {
    let info = BPF.ProgramInfo(
      id: 3, name: "x", type: type, tag: [], loadTime: 0, owner: 0, mapIDs: [], btfID: 0, attachTypeID: attachTypeID)
    #expect((ProgramStock.reason(info, functions: [7: "security_bpf"]) != nil) == isForeign)
  }
}

import Base
import BPFObject
import KernelABI
import Linux
import Testing

@testable import Loader

/// Every number that a call can answer has a cause or a log, and a next step.
@Suite struct ErrnoAdviceTests {
  private static func refusals(_ error: SystemError) -> [BPFLoadError] {
    [
      .btfRefused(error: error, need: nil, log: "magic"), .mapRefused(map: "m", shape: "type 2", error: error),
      .mapWithoutSize(map: "m", shape: "type 2", error: error),
      .attachRefused(program: "p", section: "xdp", place: "interface lo", error: error),
      .pinRefused(path: "/x", error: error), .notKnownToKernel(subject: "program `p`", needs: nil, error: error),
      .noKernelBTF(program: "p", error: error), .system(error),
      .programRefused(
        Refusal.Program(
          name: "p", section: "xdp", error: error, reason: "R0 !read_ok", instruction: nil, source: nil,
          absentFunction: nil, unresolvedRelocation: nil, lockdown: nil, logTail: [], logPath: nil)),
    ]
  }

  @Test(arguments: Errno.allCases) func everyNumberOfEveryCall(code: Errno) {
    for refusal in Self.refusals(SystemError("bpf X", code)) {
      let told = refusal.diagnostic
      #expect(told.next?.isEmpty == false, "\(code.name): \(told)")
      #expect(
        told.found?.contains(code.name) == true || told.message.contains(code.name) || told.code == "load.verifier")
    }
  }

  @Test func aNumberThatIsNotKnown() {
    for refusal in Self.refusals(SystemError("bpf X", errno: 4095)) {
      #expect(refusal.diagnostic.next?.isEmpty == false, "\(refusal.diagnostic)")
    }
  }

  @Test(arguments: [
    (Errno.ebusy, "detach"), (.eexist, "detach"), (.enodev, "name a place"), (.eopnotsupp, "another kind"),
    (.emfile, "ulimit"), (.enomem, "memory"),
  ])
  func ofAttaching(code: Errno, word: String) {
    let told = BPFLoadError.attachRefused(
      program: "p", section: "xdp", place: "interface lo", error: SystemError("bpf BPF_LINK_CREATE", code)
    ).diagnostic
    #expect(told.next?.contains(word) == true, "\(told)")
    #expect(told.why != nil)
  }

  @Test func theNumberThatUserSpaceHasNoNameFor() {
    let told = BPFLoadError.mapRefused(map: "m", shape: "", error: SystemError("bpf BPF_MAP_CREATE", errno: 524))
      .diagnostic
    #expect(told.found?.contains("ENOTSUPP") == true && told.why?.contains("fields") == true, "\(told)")
  }

  /// Of the refusals without an errno.
  @Test func everyOtherRefusal() {
    let refusals: [BPFLoadError] = [
      .noBPF, .unreadableKernelBTF(reason: "x"), .nothingToLoad(optional: []), .nothingToLoad(optional: ["a"]),
      .noSuchProgram(name: "a", available: []), .noMapToSize(map: "m", open: []), .mapHasSize(map: "m", entries: 1),
      .missingFuncInfo(program: "p"), .pinNameTwice(path: "/x"), .pinByNameWithoutPath(map: "m"),
      .sharedMapDiffers(map: "m", path: "/x", wanted: "a", found: "b"), .notAttachable(program: "p", section: "socket"),
      .attachNeeds(program: "p", section: "xdp", option: "--interface IFACE"),
      .badAttachTarget(program: "p", section: "tp", expected: "a", found: "b"),
      .noAttachPlace(program: "p", section: "kprobe/x", place: "a", reason: "b"),
      .noSuchSlotTarget(map: "m", target: "p"),
      .noAttachTarget(program: "p", section: "fentry/x", target: "x", searched: "vmlinux"),
      .noKernelSymbol(name: "x", hasType: true, searched: "vmlinux"), .ambiguousKernelSymbol(name: "x"),
      .hiddenKernelAddresses(names: ["x"]), .tooManyInstructions(subject: "p", count: 2, limit: 1),
      .noBPFFileSystem(path: "/sys/fs/bpf/x", mounted: []), .noBPFFileSystem(path: "/x", mounted: ["/sys/fs/bpf"]),
      .noSuchPlace(option: "--interface", value: "x", expected: "a", found: "b", next: "c"),
      .unusablePinPath(path: "/x", reason: "b"),
    ]
    for refusal in refusals {
      #expect(refusal.diagnostic.next?.isEmpty == false, "\(refusal.diagnostic)")
    }
    #expect(refusals.contains { $0.diagnostic.next?.contains("mount -t bpf bpf /sys/fs/bpf") == true })
  }
}

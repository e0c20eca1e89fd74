import Admission
import Base
import Image
import KernelABI
import Linux
import Loader
import Provenance
import Testing
import Trust

@testable import verity_bpf

/// Every number that a system call can answer to any command has a next step: of loading, `ErrnoAdviceTests` has more.
@Suite struct ErrnoTests {
  struct Refusal: Sendable, CustomTestStringConvertible {
    let testDescription: String
    let diagnostic: @Sendable (SystemError) -> Diagnostic

    init(_ description: String, _ diagnostic: @escaping @Sendable (SystemError) -> Diagnostic) {
      testDescription = description
      self.diagnostic = diagnostic
    }
  }

  private static let device = DeviceNumber(major: 253, minor: 1)

  /// What each command reads, makes or asks the kernel for, and what it says when that fails.
  static let refusals = [
    Refusal("any command") { $0.diagnostic },
    Refusal("build-image, what is packed") { BuildError.source(path: "/x/a.bpf.o", $0).diagnostic },
    Refusal("build-image, the result") { BuildError.output(path: "/x/i.raw", $0).diagnostic },
    Refusal("verify, inspect, the image") { ImageFileError.system($0).diagnostic },
    Refusal("provenance, load, the file") { ProvenanceError.system($0).diagnostic },
    Refusal("provenance, load, the device") { ProvenanceError.witness(number: device, $0).diagnostic },
    Refusal("mount, a step") { ActivationError.system($0, doing: "the loop device").diagnostic },
    Refusal("mount, the volume") {
      ActivationError.activation(name: "v", .refused($0, messages: []), isSigned: false).diagnostic
    },
    Refusal("mount, the signed volume") {
      ActivationError.activation(name: "v", .refused($0, messages: []), isSigned: true).diagnostic
    },
    Refusal("umount, the volume") { ActivationError.deactivation(name: "v", $0).diagnostic },
    Refusal("unload") { UnloadError.system($0).diagnostic },
    Refusal("policy, the store") { PolicyStoreError.system($0).diagnostic },
    Refusal("policy, trust anchors") { TrustError.system($0).diagnostic },
    Refusal("trust anchors that may be there") { TrustError.unreadable($0).diagnostic },
    Refusal("config show") { SettingsError.system($0).diagnostic },
    Refusal("load, policy activate, the record") { AuditError.unwritable(directory: "/x", $0).diagnostic },
    Refusal("ps, policy replay, the log") { AuditReadError.unreadable(path: "/x/audit.jsonl", $0).diagnostic },
    Refusal("standard output") { OutputFailure(text: "", error: $0).diagnostic },
    Refusal("standard output, when it is done") { OutputFailure(text: "a", error: $0).untold("it is done") },
    Refusal("load --replace, a link") {
      BPFLoadError.linkNotMoved(program: "p", place: "interface lo", error: $0).diagnostic
    },
    Refusal("load --replace, the pins") { BPFLoadError.exchangeRefused(path: "/sys/fs/bpf/x", error: $0).diagnostic },
  ]

  @Test(arguments: refusals) func everyNumber(refusal: Refusal) {
    for code in Errno.allCases {
      let told = refusal.diagnostic(SystemError("openat", path: "/x", code))
      #expect(told.next?.isEmpty == false, "\(code.name): \(told)")
      #expect((told.message + (told.found ?? "")).contains(code.name), "\(code.name): \(told)")
    }
    let unknown = refusal.diagnostic(SystemError("openat", path: "/x", errno: 4095))
    #expect(unknown.next?.isEmpty == false, "\(unknown)")
  }

  /// The frequent ones say what helps, and not where to read about it.
  @Test(arguments: [
    (Errno.enoent, "check the path"), (.eacces, "run as"), (.eperm, "run as"), (.enospc, "space"), (.edquot, "space"),
    (.enomem, "memory"), (.emfile, "ulimit"), (.enfile, "ulimit"), (.erofs, "mounted for writing"), (.eio, "dmesg"),
    (.eisdir, "another path"), (.enotdir, "another path"), (.eloop, "another path"), (.enametoolong, "another path"),
    (.eexist, "another path"), (.ebusy, "fuser"), (.etxtbsy, "fuser"),
  ])
  func frequentNumbers(code: Errno, word: String) {
    let told = SystemError("openat", path: "/x", code).diagnostic
    #expect(told.next?.contains(word) == true, "\(told)")
  }

  /// A link that is not moved, and pins that are not exchanged, leave the old object in place, which is said.
  @Test func whatIsNotReplaced() {
    let link = BPFLoadError.linkNotMoved(
      program: "p", place: "interface lo", error: SystemError("bpf BPF_LINK_UPDATE", .einval)
    ).diagnostic
    #expect(link.code == "load.link-update" && link.category == .kernelRefused)
    #expect(link.why?.contains("the old object is in place") == true && link.next?.contains("unload") == true)
    let pins = BPFLoadError.exchangeRefused(path: "/x", error: SystemError("renameat2", path: "/x", .exdev)).diagnostic
    #expect(pins.code == "load.exchange" && pins.found?.contains("EXDEV") == true)
    #expect(pins.why?.contains("the old object is in place") == true)
  }
}

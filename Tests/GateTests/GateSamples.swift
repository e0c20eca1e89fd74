import BPFAnalysis
import BPFObject
import BPFTestSupport
import Base
import Gate
import Policy
import PolicyTestSupport
import Testing

/// Policies, executables and images for tests of plans.
enum GateSamples {
  /// Of the digests that random policies name.
  static let digests = RandomPolicies.digests.compactMap { Digest($0) }

  /// A file whose bytes and volume have two of these digests.
  static func executable(_ object: Int, on volume: Int, path: String = "/usr/bin/tool") -> Executable {
    Executable(
      identity: ExecutableIdentity(rootHash: digests[volume], inode: 40 + UInt64(object)), image: "tools.raw",
      path: path,
      digest: digests[object])
  }

  static func policy(_ rules: String..., fallback: String = "DENY") -> PolicyDocument {
    let text = "policy_name=site policy_version=1.2.0\nDEFAULT action=\(fallback)\n" + rules.map { $0 + "\n" }.joined()
    return PolicyDocument.parse(Array(text.utf8), dialect: .verityBPF)
  }

  /// An image with one object of each of these sources.
  static func image(_ objects: [(path: String, programs: [ProgramReport])], on volume: Int = 0) -> GateRequest.Image {
    GateRequest.Image(
      file: "tools.raw", rootHash: digests[volume], name: "demo", version: [1, 4], hasManifest: true,
      objects: objects.enumerated().map { index, object in
        GateRequest.Object(path: object.path, digest: digests[(index + 1) % digests.count], programs: object.programs)
      })
  }

  static func programs(_ source: String) throws -> [ProgramReport] {
    let bytes = try TestObject.compile(source: source)
    return BPFObject.reports(of: try BPFObject.link(bytes: bytes.rawSpan, allowsExterns: true))
  }

  static let license = "char LICENSE[] __attribute__((section(\"license\"))) = \"GPL\";\n"

  static let xdp = """
    __attribute__((section("xdp"))) int pass(void *context) { return 2; }

    """ + license

  static let socketFilter = """
    static long (*now)(void) = (void *)5;
    __attribute__((section("socket"))) int filter(void *context) { return now() & 1; }

    """ + license

  static let kernelFunction = """
    extern int bpf_test_kernel(int number) __attribute__((section(".ksyms")));
    __attribute__((section("tc"))) int call(void *context) { return bpf_test_kernel(1); }

    """ + license
}

extension GatePlan {
  func outcome(ofLine line: Int) -> Outcome? { rules.first { $0.line == line }?.outcome }

  func fate(of program: String) -> Fate? { programs.first { $0.name == program }?.fate }
}

extension GatePlan.Outcome {
  var isComplete: Bool { self == .complete }

  var reasonForLeavingOut: String? {
    switch self {
    case .leftOut(let reason): reason
    case .complete, .narrower: nil
    }
  }
}

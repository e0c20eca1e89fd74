public import Base
public import Policy

/// Writes a policy for images, files and operations at hand.
public struct PolicyGenerator {
  /// What a rule trusts.
  public enum Anchor: Equatable, Sendable {
    /// The volume with exactly this root hash.
    case rootHash(DigestLiteral)
    /// Every volume whose root hash the kernel found signed.
    case kernelSignature
    /// Every volume whose root hash the holder of this certificate signed; SHA-256 of its DER form.
    case signer(DigestLiteral)
    /// What is on the file system that held the initramfs.
    case bootVerified
    /// The file with exactly this fs-verity digest.
    case fileDigest(DigestLiteral)
    /// Every file whose fs-verity digest the kernel found signed.
    case fileSignature

    var properties: [String] {
      switch self {
      case .rootHash(let digest): ["dmverity_roothash=\(digest)"]
      case .kernelSignature: ["dmverity_signature=TRUE"]
      case .signer(let digest): ["x_signer=\(digest)"]
      case .bootVerified: ["boot_verified=TRUE"]
      case .fileDigest(let digest): ["fsverity_digest=\(digest)"]
      case .fileSignature: ["fsverity_signature=TRUE"]
      }
    }
  }

  public var name: String
  public var version: PolicyVersion
  /// What the policy is about, each once. What it is not about stays as it is; BPF programs alone are the exception, for
  /// which no other operation is asked here.
  public var operations: [Operation]
  /// The anchors, each with a remark for the reader.
  public var anchors: [(anchor: Anchor, remark: String)]
  /// Properties that every rule gets besides its anchor, as policy text: `x_witness=USERSPACE`.
  public var conditions: [String]

  public init(
    name: String, version: PolicyVersion, operations: [Operation] = [.bpfProgLoad],
    anchors: [(anchor: Anchor, remark: String)], conditions: [String] = []
  ) {
    self.name = name
    self.version = version
    self.operations = operations
    self.anchors = anchors
    self.conditions = conditions
  }

  /// The dialect of the policy: the kernel's, unless it is about BPF programs, of which no mainline kernel knows.
  public var dialect: Dialect { operations.contains(.bpfProgLoad) ? .verityBPF : .kernel }

  /// The policy: of its operations everything is denied but what the anchors vouch for.
  public var text: String {
    var text = "policy_name=\(name) policy_version=\(version)\n\n"
    if operations == [.bpfProgLoad] {
      text += "# What no rule allows is denied.\nDEFAULT action=DENY\n"
    } else {
      // A policy about modules must not deny every execve.
      text += "# What this policy is not about stays as it is.\nDEFAULT action=ALLOW\n\n"
      text += "# Of the rest, what no rule allows is denied.\n"
      for operation in operations { text += "DEFAULT op=\(operation.rawValue) action=DENY\n" }
    }
    for (anchor, remark) in anchors {
      // A remark is one line, whatever it was made from.
      let safe = remark.unicodeScalars.filter { $0.value >= 0x20 && $0.value != 0x7f }
      text += "\n# \(String(String.UnicodeScalarView(safe)))\n"
      for operation in operations {
        let words = ["op=\(operation.rawValue)"] + anchor.properties + conditions + ["action=ALLOW"]
        text += words.joined(separator: " ") + "\n"
      }
    }
    return text
  }
}

/// The list of root digests that ChromeOS hands to LoadPin (security/loadpin/loadpin.c).
public struct LoadPinList: Sendable {
  public let digests: [DigestLiteral]

  /// Why a text is no such list.
  public struct Failure: Diagnosable, Equatable {
    public let line: Int
    public let reason: String

    public var diagnostic: Diagnostic {
      Diagnostic(
        "loadpin.list", .invalid, "the LoadPin list cannot be read at line \(line)",
        expected: "the line `\(LoadPinList.header)`, then one digest of 64 or 128 hex digits a line", found: reason)
    }
  }

  /// The first line, to the byte.
  static let header = "# LOADPIN_TRUSTED_VERITY_ROOT_DIGESTS"

  /// Reads a list. The format names no algorithm; the number of digits does: 64 for sha256, 128 for sha512.
  public init(_ text: String) throws(Failure) {
    let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
    guard lines.first.map({ $0 == Self.header }) == true else {
      throw Failure(line: 1, reason: "the first line is another one")
    }
    var digests: [DigestLiteral] = []
    for (index, line) in lines.enumerated().dropFirst() where !line.isEmpty {
      let algorithm = line.utf8.count == 128 ? "sha512" : "sha256"
      guard line.utf8.count == 64 || line.utf8.count == 128, let digest = DigestLiteral("\(algorithm):\(line)") else {
        throw Failure(line: index + 1, reason: "`\(line.prefix(80))`")
      }
      digests.append(digest)
    }
    self.digests = digests
  }
}

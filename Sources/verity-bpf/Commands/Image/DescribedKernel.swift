import BPFAnalysis
import BPFObject
import Base
import KernelABI
import Linux

/// A kernel that objects are made for, as `--for-kernel` names it.
struct DescribedKernel {
  /// The word of the command line.
  let name: String
  let kernel: TargetKernel

  static let option: Key<[String]> = .repeated(
    "--for-kernel", takes: .file,
    "Say what of this kernel will refuse each program: a file with its BTF, its configuration, or a version such as 6.12. "
      + "Can be given several times.")

  /// The last line of what is said about kernels.
  static let caveat = "what the verifier itself will say is not predicted"

  /// Bytes of a kernel's BTF or configuration at most.
  private static let limit = 64 << 20

  /// Reads what a word names: a file that is there, else a version.
  init(_ name: String) throws {
    self.name = name
    if (try? FileStatus.of(path: name)) == nil, let release = Self.release(name) {
      kernel = .release(release)
      return
    }
    let bytes = try OwnedFD.openRegular(name).readToEnd(of: name, limit: Self.limit)
    if (try? bytes.rawSpan.u16(at: 0)) == BTFFormat.magic {
      do throws(BPFObjectError) {
        kernel = .types(try BTF(bytes.rawSpan))
        return
      } catch {
        var diagnostic = error.diagnostic
        diagnostic.message = "`\(name)`: \(diagnostic.message)"
        throw DiagnosedFailure(diagnostic)
      }
    }
    let text = Gzip.contents(of: bytes.rawSpan, limit: Self.limit) ?? bytes
    let configuration = KernelConfiguration(String(decoding: text, as: UTF8.self))
    guard !configuration.isEmpty else {
      throw DiagnosedFailure(
        Diagnostic(
          "kernel.no-description", .incomplete, "`\(name)` describes no kernel",
          expected:
            "BTF as in \(KernelStatement.kernelTypes.place()), lines CONFIG_NAME=VALUE, or a version such as 6.12",
          found: bytes.starts(with: [0x7f, 0x45, 0x4c, 0x46]) ? "an ELF file" : "something else",
          next: "take the types out of a vmlinux: objcopy --dump-section .BTF=FILE vmlinux"))
    }
    kernel = .configuration(configuration)
  }

  /// A word that is a version and nothing else: `6.12`, `6.1.0`.
  private static func release(_ word: String) -> KernelRelease? {
    guard word.utf8.allSatisfy({ (0x30...0x39).contains($0) || $0 == UInt8(ascii: ".") }) else { return nil }
    return KernelRelease(parsing: word)
  }
}

/// What kernels have against the programs of some objects.
struct KernelReport {
  private struct Entry {
    let kernel: String
    let object: String
    let verdicts: Result<[KernelVerdict], BPFObjectError>
  }

  private let kernels: [DescribedKernel]
  private var entries: [Entry] = []

  init(_ kernels: [DescribedKernel]) { self.kernels = kernels }

  /// Adds all objects of a file.
  mutating func add(_ release: InspectedRelease) {
    for object in release.objects {
      let path = object.path ?? release.file
      for kernel in kernels {
        let verdicts = Result { () throws(BPFObjectError) in
          try BPFObject.verdicts(
            bytes: object.bytes.rawSpan, objectName: path, types: object.types, on: kernel.kernel)
        }
        entries.append(Entry(kernel: kernel.name, object: path, verdicts: verdicts))
      }
    }
  }

  /// Whether some kernel refuses a program that is loaded without being named, or attaches it to nothing.
  var findsRefusals: Bool {
    entries.contains { entry in
      switch entry.verdicts {
      case .success(let verdicts): verdicts.contains { !$0.isOptional && !$0.obstacles.isEmpty }
      case .failure: true
      }
    }
  }

  var lines: [String] {
    var lines: [String] = []
    for kernel in kernels {
      lines.append("kernel   \(kernel.name)")
      for entry in entries where entry.kernel == kernel.name { lines += Self.lines(entry) }
    }
    return lines.isEmpty ? [] : lines + [Output.row("verifier", DescribedKernel.caveat)]
  }

  private static func lines(_ entry: Entry) -> [String] {
    switch entry.verdicts {
    case .failure(let error): [Output.row("refused", "\(entry.object): \(error.diagnostic.message)")]
    case .success(let verdicts):
      verdicts.flatMap { verdict in
        let program = "\(entry.object) \(verdict.program)\(verdict.isOptional ? " (loaded on request)" : "")"
        let obstacles = verdict.obstacles.map { obstacle in
          Output.row(
            obstacle.isAboutAttaching ? "unattached" : "refused", "\(program): \(obstacle.subject): \(obstacle.reason)")
        }
        let unknown = verdict.unknown.map { Output.row("unknown", "\(program): \($0)") }
        return (obstacles.isEmpty ? [Output.row("clear", "\(program): nothing that is known refuses it")] : obstacles)
          + unknown
      }
    }
  }

  /// The member `kernels` of an answer.
  var json: JSONValue {
    .array(
      kernels.map { kernel in
        [
          "kernel": .string(kernel.name), "verifier_predicted": .bool(false),
          "objects": .array(entries.filter { $0.kernel == kernel.name }.map { Self.json($0) }),
        ]
      })
  }

  private static func json(_ entry: Entry) -> JSONValue {
    switch entry.verdicts {
    case .failure(let error): ["path": .string(entry.object), "error": error.diagnostic.json]
    case .success(let verdicts):
      [
        "path": .string(entry.object),
        "programs": .array(
          verdicts.map { verdict in
            [
              "name": .string(verdict.program), "optional": .bool(verdict.isOptional),
              "obstacles": .array(
                verdict.obstacles.map {
                  [
                    "subject": .string($0.subject), "reason": .string($0.reason),
                    "moment": $0.isAboutAttaching ? "attach" : "load",
                  ]
                }), "unknown": .array(verdict.unknown.map { .string($0) }),
            ]
          }),
      ]
    }
  }
}

extension JSONValue {
  /// An answer with what kernels have against the objects, where that was asked for.
  func adding(_ kernels: KernelReport?) -> JSONValue {
    guard let kernels, case .object(let members) = self else { return self }
    return .object(members + [.init("kernels", kernels.json)])
  }
}

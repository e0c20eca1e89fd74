internal import KernelABI
internal import Base
public import HostReport
public import Linux

/// Reads what a ``HostReport`` is made from. What cannot be read is a fact too.
public enum HostSurvey {
  /// Asks the running kernel.
  ///
  /// - Throws: `SystemError` when uname(2) fails, and for nothing else.
  public static func run() throws(SystemError) -> HostFacts {
    var facts = HostFacts(release: try KernelReports.release())
    for path in HostFacts.Path.texts { facts.files[path] = text(path) }
    for path in HostFacts.Path.presences { facts.files[path] = presence(path) }
    facts.files[HostFacts.Path.secureBoot] = digits(HostFacts.Path.secureBoot)
    readPolicies(into: &facts)
    facts.options = KernelReports.configuration(release: facts.release).map { HostFacts.options(in: $0) }
    facts.securityModuleIDs = KernelProbes.securityModuleIDs()
    facts.capabilities = KernelSettings.effectiveCapabilities().map { held in
      Capability.ofBPF.filter { held.contains($0) }.map(\.name)
    }
    facts.isInUserNamespace = KernelSettings.isInUserNamespace()
    facts.keyrings = keyrings()
    probe(into: &facts)
    return facts
  }

  /// The policies of IPE: a directory each.
  private static func readPolicies(into facts: inout HostFacts) {
    let directory = HostFacts.Path.ipePolicies
    do throws(SystemError) {
      let names = try Directory.names(directory)
      facts.files[directory] = .text(names.joined(separator: "\n"))
      for name in names {
        for path in [HostFacts.Path.ipeActive(name), HostFacts.Path.ipeVersion(name)] { facts.files[path] = text(path) }
      }
    } catch {
      facts.files[directory] = reading(of: error)
    }
  }

  private static func keyrings() -> [KeyringFacts] {
    guard case .success(let bytes) = contents(HostFacts.Path.keys) else { return [] }
    let table = String(decoding: bytes, as: UTF8.self)
    return KeyTableEntry.systemKeyrings(in: table).map { ring in
      do throws(SystemError) {
        let keys = try Keyctl.contents(of: ring.serial).map { serial in
          (try? Keyctl.description(of: serial)).map { Self.label($0) } ?? "key that tells nothing"
        }
        return KeyringFacts(name: ring.name, keys: keys)
      } catch {
        return KeyringFacts(name: ring.name, keys: nil, refusal: error.errnoName)
      }
    }
  }

  /// `type description` of `type;uid;gid;permissions;description`.
  private static func label(_ description: String) -> String {
    let fields = description.split(separator: ";", maxSplits: 4, omittingEmptySubsequences: false)
    return fields.count == 5 ? "\(fields[0]) \(fields[4])" : description
  }

  private static func probe(into facts: inout HostFacts) {
    let garbage = [UInt8](repeating: 0x5a, count: 64)
    facts.probes[.unsigned] = answer(KernelProbes.loadProgram(signature: nil))
    facts.probes[.garbageSignature] = answer(KernelProbes.loadProgram(signature: garbage))
    facts.probes[.emptySignature] = answer(KernelProbes.loadProgram(signature: []))
    // The kernel logs a warning when a program may write user memory; so it is asked only when no file tells.
    guard facts[HostFacts.Path.lockdown].text == nil else { return }
    facts.probes[.tracing] = answer(KernelProbes.loadProgram(callingHelper: nil))
    facts.probes[.kernelRead] = answer(KernelProbes.loadProgram(callingHelper: .probeReadKernel))
    facts.probes[.userWrite] = answer(KernelProbes.loadProgram(callingHelper: .probeWriteUser))
  }

  private static func answer(_ errno: KernelProbes.Answer) -> ProbeAnswer { errno.map { .refused($0) } ?? .taken }

  private static func contents(_ path: String) -> Result<[UInt8], SystemError> {
    Result { () throws(SystemError) in
      try OwnedFD.open(path, [.readOnly, .nonBlocking]).readToEnd(of: path, limit: 1 << 20)
    }
  }

  private static func text(_ path: String) -> HostFacts.Reading {
    switch contents(path) {
    case .success(let bytes):
      let end = bytes.lastIndex { $0 != 10 && $0 != 32 }.map { $0 + 1 } ?? 0
      return .text(String(decoding: bytes[..<end], as: UTF8.self))
    case .failure(let error): return reading(of: error)
    }
  }

  private static func digits(_ path: String) -> HostFacts.Reading {
    switch contents(path) {
    case .success(let bytes): .text(Hex.encode(bytes))
    case .failure(let error): reading(of: error)
    }
  }

  /// Whether a file can be opened. Devices whose opening has effects are not among those that are asked for.
  private static func presence(_ path: String) -> HostFacts.Reading {
    do throws(SystemError) {
      _ = try OwnedFD.open(path, [.readOnly, .nonBlocking])
      return .text("")
    } catch {
      return reading(of: error)
    }
  }

  private static func reading(of error: SystemError) -> HostFacts.Reading {
    error.code == .enoent ? .absent : .refused(error.errnoName)
  }
}

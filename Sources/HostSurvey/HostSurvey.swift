internal import KernelABI
internal import Base
internal import Gate
public import HostReport
public import Linux

/// Reads what a ``HostReport`` is made from. What cannot be read is a fact too.
public enum HostSurvey {
  /// Asks the running kernel.
  ///
  /// - Throws: `SystemError` when uname(2) fails, and for nothing else.
  public static func run() throws(SystemError) -> HostFacts {
    var facts = HostFacts(release: try KernelReports.release())
    for statement in HostFacts.texts { facts[statement] = text(statement) }
    for statement in HostFacts.presences { facts[statement] = presence(statement) }
    // Without the firmware's directory there is none for its variables to be mounted on.
    facts[.secureBoot] = facts[.firmware] == .absent ? .absent : variable(.secureBoot)
    readPolicies(into: &facts)
    facts.options = KernelReports.configuration(release: facts.release).map { HostFacts.options(in: $0) }
    facts.securityModuleIDs = KernelProbes.securityModuleIDs()
    facts.capabilities = KernelSettings.effectiveCapabilities().map { held in
      Capability.ofBPF.filter { held.contains($0) }.map(\.name)
    }
    facts.isInUserNamespace = KernelSettings.isInUserNamespace()
    facts.bpfFileSystems = Mount.places(ofType: "bpf")
    facts.gate = gate()
    facts.keyrings = keyrings()
    probe(into: &facts)
    return facts
  }

  /// How far the gate binds: by its state, which is the one entry of a map.
  private static func gate() -> GatePresence {
    let value: [UInt8]?
    do throws(SystemError) {
      let map = try BPF.pinned(at: "\(GateLayout.pinPath)/map/\(GateMap.state.rawValue)", readOnly: true)
      guard try Int(BPF.mapInfo(map).valueSize) == GateMap.state.valueSize else { return .other }
      value = try BPF.lookup(map, key: GateState.key, valueSize: GateMap.state.valueSize)
    } catch {
      switch error.code {
      case .enoent, .enotdir: return .none
      case .some, nil: return .closed
      }
    }
    guard let state = value.flatMap({ GateState(value: $0) }) else { return .other }
    guard state.version == 0 || state.isComplete else { return .other }
    guard state.isComplete else { return .incomplete }
    switch state.standing {
    case .watching: return .watching
    case .enforcing: return .enforcing
    case .sealed: return .sealed
    }
  }

  /// The policies of IPE: a directory each.
  private static func readPolicies(into facts: inout HostFacts) {
    do throws(SystemError) {
      guard let names = try KernelFile.names(.integrityPolicies) else {
        facts[.integrityPolicies] = .absent
        return
      }
      facts[.integrityPolicies] = .text(names.joined(separator: "\n"))
      for name in names {
        for statement in [KernelStatement.integrityPolicyActive, .integrityPolicyVersion] {
          facts[statement, name] = reading(KernelFile.read(statement, name))
        }
      }
    } catch {
      facts[.integrityPolicies] = reading(of: error)
    }
  }

  /// The rings that the table lists, as the key service itself describes and shows them.
  private static func keyrings() -> [KeyringFacts] {
    guard let bytes = try? KernelFile.bytes(of: .keyTable, limit: 1 << 20) else { return [] }
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
    guard facts[.lockdown].text == nil else { return }
    facts.probes[.tracing] = answer(KernelProbes.loadProgram(callingHelper: nil))
    facts.probes[.kernelRead] = answer(KernelProbes.loadProgram(callingHelper: .probeReadKernel))
    facts.probes[.userWrite] = answer(KernelProbes.loadProgram(callingHelper: .probeWriteUser))
  }

  private static func answer(_ errno: KernelProbes.Answer) -> ProbeAnswer { errno.map { .refused($0) } ?? .taken }

  private static func text(_ statement: KernelStatement) -> HostFacts.Reading { reading(KernelFile.read(statement)) }

  private static func reading(_ answer: KernelFile.Answer) -> HostFacts.Reading {
    switch answer {
    case .text(let text):
      let end = text.utf8.lastIndex { $0 != 10 && $0 != 32 }.map { text.utf8.index(after: $0) } ?? text.startIndex
      return .text(String(text[..<end]))
    case .absent: return .absent
    case .unknown(let error): return reading(of: error)
    }
  }

  /// A file of bytes that are no text, as hexadecimal digits.
  private static func variable(_ statement: KernelStatement) -> HostFacts.Reading {
    do throws(SystemError) {
      return try KernelFile.bytes(of: statement, limit: 1 << 12).map { .text(Hex.encode($0)) } ?? .absent
    } catch {
      return reading(of: error)
    }
  }

  /// Whether something is there, and can be opened. Devices whose opening has effects are not among those that are asked
  /// for.
  private static func presence(_ statement: KernelStatement) -> HostFacts.Reading {
    do throws(SystemError) {
      switch statement.source {
      case .file, .directory, .link: _ = try KernelFile.open(statement)
      case .node: _ = try KernelDevice.open(statement, flags: [.readOnly, .nonBlocking])
      case .ordinaryFile, .call: return .refused(Errno.einval.name)
      }
      return .text("")
    } catch {
      return reading(of: error)
    }
  }

  /// Only the kernel itself can say that there is none.
  private static func reading(of error: SystemError) -> HostFacts.Reading {
    guard error.code == .enoent else { return .refused(error.errnoName) }
    return error.unanswered == nil ? .absent : .refused(Errno.exdev.name)
  }
}

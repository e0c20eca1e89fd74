internal import BPFAnalysis
internal import KernelABI
internal import BPFObject
internal import Base
@_spi(ProgramLoading) internal import Linux

/// A program that the kernel has just refused, about to be verified once more with a log.
struct RefusedProgram {
  let program: LinkedProgram
  let attributes: BPF.ProgramAttributes
  let btf: KernelObject?
  let maps: [KernelObject]
  let linked: LinkedObject

  /// The largest log buffer that old kernels take (UINT_MAX >> 8).
  private static let largestLog = (1 << 24) - 1

  /// What the log says about the refusal, and the log itself in a file.
  ///
  /// - Parameter text: the verifier's log, which is not empty.
  func explain(_ error: SystemError, _ text: String, options: LoadOptions) -> Refusal.Program {
    let log = VerifierLog(text)
    let index = log.instruction?.index
    return Refusal.Program(
      name: program.name, section: program.section, error: error, reason: log.reason,
      explanation: log.report?.reason ?? [], suggestion: log.report?.suggestion ?? [],
      instruction: log.instruction.map { found in
        found.text.map { "\(found.index): \($0)" } ?? "\(found.index)"
      },
      source: source(quoted: log.source, index: index),
      absentFunction: log.isAbsentCall ? index.flatMap(absentFunction(at:)) : nil,
      unresolvedRelocation: log.isPoisonedRelocation
        ? index.flatMap(relocation(at:))
          ?? Refusal.Relocation(subject: "the relocation", kernelRelease: nil, nearMiss: .names([])) : nil,
      beyondKernel: log.isCoreFailure ? recordBeyondKernel() : nil,
      lockdown: lockdown(behind: log),
      missing: log.neededCapabilities(
        held: KernelSettings.effectiveCapabilities(), analysis: options.capabilities),
      logTail: log.tail, logPath: KeptLogs.keep(text, of: program.kernelName, options))
  }

  /// Verifies with a log, in buffers that grow until everything fits.
  func verifierLog() -> String {
    var capacity = 1 << 18
    while true {
      var log = BPF.Log(level: 1, capacity: capacity)
      do throws(SystemError) {
        _ = try BPF.loadProgram(attributes, btf: btf, maps: maps, log: &log)
        return log.text
      } catch  where error.code == .enospc && capacity < Self.largestLog {
        capacity = min(max(capacity * 4, log.neededCapacity), Self.largestLog)
      } catch {
        return log.text
      }
    }
  }

  /// `file:line: code`; the place comes from the object's line information when the log does not print it.
  private func source(quoted: VerifierLog.SourceLine?, index: Int?) -> String? {
    let known = index.flatMap { LineInfo(program, btf: linked.btf).place(ofInstruction: $0) }
    let place =
      if let file = quoted?.file, let line = quoted?.line { "\(file):\(line)" } else {
        known.map { "\($0.file):\($0.line)" }
      }
    // The text is empty when the compiler did not find its source again.
    let code = [quoted?.code, known?.code].compactMap { $0 }.first { !$0.isEmpty }
    switch (place, code) {
    case (let place?, let code?): return "\(place): \(code)"
    case (let place?, nil): return place
    case (nil, let code?): return code
    case (nil, nil): return nil
    }
  }

  /// The lockdown mode, when the verifier's sentence is the one lockdown gives for a helper (kernel/trace/bpf_trace.c).
  private func lockdown(behind log: VerifierLog) -> LockdownMode? {
    guard let helper = log.refusedHelper, let reason = LockdownRestriction.reason(ofCalling: helper),
      let mode = KernelSettings.lockdownMode()
    else { return nil }
    return mode >= reason.deniedFrom ? mode : nil
  }
}

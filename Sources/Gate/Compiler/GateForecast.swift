internal import BPFAnalysis
public import BPFObject
internal import Base

/// What a kernel's own hash of a program will be, told from that kernel's types before anything is loaded.
public struct GateForecast: Sendable {
  private let kernel: BTF
  private let hashesBySHA256: Bool

  /// - Parameter kernel: the kernel's types, as /sys/kernel/btf/vmlinux has them.
  /// - Throws: ``BPFObjectError`` for what is no type information.
  public init(kernel bytes: RawSpan) throws(BPFObjectError) {
    kernel = try BTF(bytes)
    hashesBySHA256 = CoreForecast.hashesBySHA256(kernel)
  }

  /// For each program what CO-RE makes of its instructions; nil for one without records, and where it cannot be told.
  public func afterCore(_ object: LinkedObject) -> [GateRows.AfterCore?] {
    guard object.programs.contains(where: { !$0.coreRelocations.isEmpty }),
      let types = try? BTF(object.btf.rawSpan)
    else { return object.programs.map { _ in nil } }
    let forecast = CoreForecast(object: types, kernel: kernel)
    return object.programs.map { program in
      guard !program.coreRelocations.isEmpty, let code = forecast.instructions(of: program) else { return nil }
      guard hashesBySHA256 else { return SHA1.digest(of: code).map { .tag(Array($0.prefix(8))) } }
      return (try? Digest.of(code.rawSpan)).map { .digest($0) }
    }
  }
}

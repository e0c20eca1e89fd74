import KernelABI
import Linux

/// The machine is what the other cases take it for.
enum MachineCases {
  static let suite = Suite(
    name: "machine",
    cases: [
      Case("lockdown") {
        let expected: LockdownMode = Machine.boot == .confidentiality ? .confidentiality : .integrity
        try expectEqual(KernelSettings.lockdownMode(), expected, "lockdown mode")
      },
      Case("security-modules") {
        let modules = try Machine.text("/sys/kernel/security/lsm")
        for name in ["lockdown", "bpf"] { try expect(modules.contains(name), "\(name) is not in \(modules)") }
      },
    ])
}

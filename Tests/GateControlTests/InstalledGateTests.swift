import Base
import Gate
import KernelABI
import Linux
import Loader
import TestSupport
import Testing

@testable import GateControl

/// A gate that is not there, or is none.
struct InstalledGateTests {
  @Test func nothingIsInstalled() {
    #expect(throws: GateError.self) { try InstalledGate.open("/nonexistent/gate", readOnly: true) }
    do {
      _ = try GateSurvey.status(at: "/nonexistent/gate")
      #expect(Bool(false))
    } catch {
      #expect(error.diagnostic.code == "gate.not-installed")
    }
    do {
      _ = try GateSeal(mode: .loader, untilReboot: true, despite: true).apply(at: "/nonexistent/gate")
      #expect(Bool(false))
    } catch {
      #expect(error.diagnostic.code == "gate.not-installed")
    }
  }

  @Test func mapsAreSizedByThePlan() {
    let sizes = GateInstallation.sizes(for: GateTables(GateRows()) { _ in nil })
    #expect(sizes.map(\.map) == ["gate_devices", "gate_executables", "gate_digests", "gate_scopes"])
    #expect(sizes.allSatisfy { $0.entries > 0 })
  }

  @Test func everyRefusalHasANextStep() {
    let errors: [GateError] = [
      .noSecurityModule(found: "x"), .noHooks(["bpf"]), .noModule("dm_verity"), .installed(path: "/p"),
      .notInstalled(path: "/p"), .notOurs(path: "/p", expected: "a", found: "b"), .incomplete(path: "/p"),
      .closed(path: "/p", SystemError("bpf", .eperm)), .sealed, .unsayable(["a"]),
      .fill(map: .digests, entries: 2, SystemError("bpf", .e2big)), .noDigests, .foreign([]),
      .wouldRefuse([], taken: true),
    ]
    for error in errors {
      let diagnostic = error.diagnostic
      #expect(diagnostic.next != nil && diagnostic.expected != nil && diagnostic.found != nil, "\(diagnostic.code)")
    }
  }
}

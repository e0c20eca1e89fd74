import CVMSupport
import Linux

/// The first process of a test machine: sets it up, runs every case that is meant for this boot, and turns it off.
///
/// One long-lived process, because starting programs is what costs most in an emulated processor.
@main
struct VMTests {
  static func main() {
    StandardStream.fillGaps()
    do {
      try Machine.setUp()
    } catch {
      print("vm: cannot set the machine up: \(error)")
      vm_power_off()
      return
    }
    if Machine.setting("run") == "shell" {
      vm_execute("/bin/sh", "-i")
      print("vm: no shell")
      vm_power_off()
      return
    }
    var report = Report(boot: Machine.boot)
    for suite in suites { report.run(suite) }
    report.finish()
    vm_power_off()
  }

  /// Every suite, in the order they run.
  static let suites: [Suite] =
    [
      MachineCases.suite,
      SignedImageCases.suite,
      WitnessCases.suite,
      CompressedCases.suite,
      KernelAloneCases.suite,
      OtherFileSystemCases.suite,
      OverlayCases.suite,
      WithheldCases.suite,
      PartitionCases.suite,
      OriginCases.suite,
      KeyringCases.suite,
      KernelWordCases.suite,
      MountCases.suite,
      MountLifeCases.suite,
      SuspendedCases.suite,
      DissectCases.suite,
      KernelSignatureCases.suite,
      ProgramCases.suite,
      PromiseCases.suite,
      IPEDecisionCases.suite,
      ExecutableCases.suite,
      IPECases.suite,
      RequesterCases.suite,
      LoadingCases.suite,
      LinkHelperCases.suite,
      FSVerityCases.suite,
      HostCases.suite,
      CorpusCases.suite,
      WithheldCases.deletion,
      // What it does to the machine stays until its end.
      KernelWordCases.lastSuite,
    ] + GateCases.suites
}

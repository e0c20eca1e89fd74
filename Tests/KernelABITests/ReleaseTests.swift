import KernelABI
import Testing

@Suite struct ReleaseTests {
  @Test(arguments: [
    ("6.18.3-cloud-amd64", "6.18.3"), ("6.1.0-28-amd64", "6.1"), ("7.3-rc7", "7.3"), ("7.3.4-1~bpo13+1", "7.3.4"),
    ("4.9.337", "4.9.337"), ("6.6.87.2-microsoft-standard-WSL2", "6.6.87"), ("5.10", "5.10"), ("2.6.39.4", "2.6.39"),
    ("6.18.", "6.18"), ("6.18.99999999999999999999", "6.18"),
  ])
  func releasesAreRead(_ text: String, _ release: String) {
    #expect(KernelRelease(parsing: text)?.description == release)
  }

  @Test(arguments: ["", "6", "6.", ".1", "linux", "6.x", "256.1", "1.256", "-6.1", "６.1"])
  func otherTextIsNone(_ text: String) { #expect(KernelRelease(parsing: text) == nil) }

  @Test func releasesAreOrdered() {
    let ordered = [
      KernelRelease(5, 9), KernelRelease(5, 10), KernelRelease(5, 10, 3), KernelRelease(6, 0), KernelRelease(6, 18),
    ]
    #expect(ordered.shuffled().sorted() == ordered)
    #expect(KernelRelease(6, 18) <= KernelRelease(6, 18, 1))
  }

  @Test func codesAreTheHeaders() {
    #expect(KernelRelease(6, 1, 192).code == 0x0601c0)
    #expect(KernelRelease(4, 9, 337).code == 0x0409ff)
  }
}
